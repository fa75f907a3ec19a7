//! A day of faults in virtual time: never two sockets, never more than ten dials in a minute.
//!
//! That there is one socket at a time is checked by the world at each dial. Settings are the
//! defaults of the daemon. `AGENTCHATD_SIM_DAYS` sets how many days run.

use agentchatd_engine::{Input, Phase};

use crate::world::{Chances, Dice, World};

const DAY_MS: u64 = 24 * 3_600_000;
const MINUTE_MS: u64 = 60_000;
const MOST_DIALS: usize = 10;

/// What kind of day it is.
#[derive(Debug, Clone, Copy)]
enum Weather {
    /// A bit of everything.
    Mixed,
    /// Every upgrade is refused.
    Refused,
    /// The hello is never answered in time.
    Deaf,
    /// Every connection ends as soon as it stands.
    ShortLived,
    /// Every connection lives just long enough to count as stable.
    JustStable,
    /// The socket refuses the key which REST finds in order.
    Contradiction,
    /// Key files are written again and again.
    Keys,
}

const WEATHERS: [Weather; 7] = [
    Weather::Mixed,
    Weather::Refused,
    Weather::Deaf,
    Weather::ShortLived,
    Weather::JustStable,
    Weather::Contradiction,
    Weather::Keys,
];

struct Day {
    world: World,
    dice: Dice,
    weather: Weather,
    /// When the next fault comes.
    next: u64,
}

impl Day {
    fn new(seed: u64, weather: Weather) -> Self {
        let mut dice = Dice::new(seed ^ 0xda7);
        let some = |dice: &mut Dice, most| dice.between(0, most);
        let mut chances = Chances {
            delay_ms: some(&mut dice, 800),
            commit_ms: some(&mut dice, 50),
            ..Chances::default()
        };
        match weather {
            Weather::Mixed => {
                chances.refused = some(&mut dice, 30);
                chances.answer_lost = some(&mut dice, 10);
                chances.dial_refused = some(&mut dice, 60);
                chances.hello_late = some(&mut dice, 40);
            }
            Weather::Refused => chances.dial_refused = 100,
            Weather::Deaf => chances.hello_late = 100,
            _ => {}
        }
        let mut world = World::new(dice.chance(50), seed, chances);
        world.settings.header_auth = dice.chance(20);
        world.settings.reconcile_interval_ms = 300_000;
        world.crash();
        Self {
            world,
            dice,
            weather,
            next: 0,
        }
    }

    fn run(&mut self) {
        let mut was_ready = false;
        loop {
            let until = self.next.min(DAY_MS);
            let more = self.world.run_once(until);
            let is_ready = self.world.phase() == Phase::Ready;
            if is_ready && !was_ready {
                self.on_ready();
            }
            was_ready = is_ready;
            if self.world.now_ms >= DAY_MS {
                return;
            }
            if !more {
                self.fault();
            }
        }
    }

    /// A connection stands: how long it lives is part of the weather.
    fn on_ready(&mut self) {
        let life = match self.weather {
            Weather::ShortLived => self.dice.between(0, 3_000),
            Weather::JustStable => self.dice.between(30_000, 31_000),
            Weather::Contradiction => 0,
            Weather::Mixed | Weather::Keys => self.dice.between(0, 200_000),
            Weather::Refused | Weather::Deaf => return,
        };
        self.next = self.world.now_ms + life;
    }

    fn fault(&mut self) {
        match self.weather {
            Weather::Keys => self.change_keys(),
            Weather::Contradiction => self.world.cut(Some(1008), "Invalid token", false),
            Weather::Mixed if self.dice.chance(15) => self.change_keys(),
            Weather::Mixed if self.dice.chance(30) => self.world.half_open(),
            _ => {
                let codes = [
                    None,
                    Some(1000),
                    Some(1001),
                    Some(1011),
                    Some(1013),
                    Some(1006),
                ];
                let hard = [Some(1008), Some(4401)];
                let is_hard = matches!(self.weather, Weather::Mixed) && self.dice.chance(10);
                let code = if is_hard {
                    self.dice.pick(&hard)
                } else {
                    self.dice.pick(&codes)
                };
                let loses = self.dice.chance(50);
                self.world.cut(code, "a fault", loses);
            }
        }
        let pause = self.dice.between(1, 120_000);
        self.next = self.world.now_ms + pause;
    }

    /// The key is replaced, or a file is only written again, many times in a row.
    fn change_keys(&mut self) {
        if self.dice.chance(30) {
            self.world.key_dies();
        }
        for _ in 0..self.dice.between(1, 30) {
            self.world.input(Input::Credential);
            let pause = self.dice.between(0, 2_000);
            self.world.run_for(pause);
        }
    }
}

/// The most dials of any minute.
fn busiest_minute(dials: &[u64]) -> usize {
    let mut most = 0;
    let mut first = 0;
    for (last, at) in dials.iter().enumerate() {
        while dials[first] + MINUTE_MS <= *at {
            first += 1;
        }
        most = most.max(last + 1 - first);
    }
    most
}

#[test]
fn no_day_of_faults_yields_two_sockets_or_more_than_ten_dials_in_a_minute() {
    let days = std::env::var("AGENTCHATD_SIM_DAYS").ok();
    let days = days.and_then(|text| text.parse().ok()).unwrap_or(DAYS);
    for weather in WEATHERS {
        let (mut total, mut busiest) = (0, 0);
        for seed in 0..days {
            let mut day = Day::new(seed, weather);
            day.run();
            let dials = &day.world.wire.dials;
            let most = busiest_minute(dials);
            assert!(
                most <= MOST_DIALS,
                "{most} dials in a minute: {weather:?}, seed {seed}"
            );
            assert!(dials.len() >= 20, "{weather:?}, seed {seed}: {dials:?}");
            total += dials.len();
            busiest = busiest.max(most);
            come_right(&mut day.world, weather, seed);
        }
        println!("{weather:?}: {days} days, {total} dials, {busiest} in the busiest minute");
    }
}

/// When the faults end, the daemon is connected within a quarter of an hour, the slowest probe.
fn come_right(world: &mut World, weather: Weather, seed: u64) {
    world.chances = Chances::default();
    world.run_for(20 * MINUTE_MS);
    let phase = world.phase();
    assert_eq!(phase, Phase::Ready, "{weather:?}, seed {seed}");
}

/// Days of each weather in an ordinary run.
const DAYS: u64 = 12;
