use super::*;
use crate::time::Jitter;

/// A platform that counts in windows of a second, at the other end of a line.
struct Platform {
    limit: u64,
    window: u64,
    count: u64,
}

impl Platform {
    fn takes(&mut self, at: u64) -> bool {
        if self.window != at / 1_000 {
            self.window = at / 1_000;
            self.count = 0;
        }
        self.count += 1;
        self.count <= self.limit
    }
}

/// What came of a run.
#[derive(Debug, Default)]
struct Outcome {
    taken: u64,
    refused: u64,
    /// The longest time in which nothing was taken.
    longest_pause: u64,
    /// The rate at the end of each second, in sends.
    rates: Vec<f64>,
    last_taken: u64,
}

/// Sends as much as the budget allows, so many at a time, with this long a way there and back.
struct Load {
    rate: Rate,
    platform: Platform,
    at_once: usize,
    way_ms: u64,
    jitter: Jitter,
    /// When the answer comes, and whether it was taken.
    flying: Vec<(u64, Turn, bool)>,
    now: u64,
}

impl Load {
    fn new(configured: u32, limit: u64, at_once: usize, way_ms: u64, seed: u64) -> Self {
        Self {
            rate: Rate::new(configured),
            platform: Platform {
                limit,
                window: u64::MAX,
                count: 0,
            },
            at_once,
            way_ms,
            jitter: Jitter::new(seed),
            flying: Vec::new(),
            now: 0,
        }
    }

    /// Lets time pass, sending all the while.
    fn run(&mut self, seconds: u64) -> Outcome {
        let mut outcome = Outcome {
            last_taken: self.now,
            ..Outcome::default()
        };
        let until = self.now + seconds * 1_000;
        while self.now < until {
            self.tick(&mut outcome);
            self.now += 1;
            if self.now.is_multiple_of(1_000) {
                outcome.rates.push(self.rate.rate as f64 / 1_000.0);
            }
        }
        outcome
    }

    fn tick(&mut self, outcome: &mut Outcome) {
        let now = self.now;
        let (here, still): (Vec<_>, Vec<_>) =
            self.flying.drain(..).partition(|(at, ..)| *at <= now);
        self.flying = still;
        for (_, turn, taken) in here {
            if taken {
                outcome.taken += 1;
                outcome.longest_pause = outcome.longest_pause.max(now - outcome.last_taken);
                outcome.last_taken = now;
            } else {
                outcome.refused += 1;
                self.rate.refused(turn, Millis(now));
            }
        }
        while self.flying.len() < self.at_once
            && let Some(turn) = self.rate.take(Millis(now))
        {
            let there = now + self.way_ms / 2 + self.jitter.between(0, self.way_ms / 2);
            let taken = self.platform.takes(there);
            self.flying.push((there + self.way_ms / 2, turn, taken));
        }
        let ready = self.rate.ready_at();
        assert!(
            ready <= Millis(now + 2_000),
            "never away for long: {ready:?}"
        );
    }
}

impl Outcome {
    fn share_refused(&self) -> f64 {
        self.refused as f64 / (self.refused + self.taken) as f64
    }

    fn per_second(&self) -> f64 {
        self.taken as f64 / self.rates.len() as f64
    }
}

#[test]
fn against_any_limit_the_rate_comes_near_it_and_refusals_stay_few() {
    let mut worst: [f64; 2] = [0.0; 2];
    for seed in 0..60 {
        let mut dice = Jitter::new(seed ^ 0x11a7);
        let limit = dice.between(3, 120);
        let configured = u32::try_from(dice.between(1, 1_000)).unwrap();
        let at_once = usize::try_from(dice.between(1, 16)).unwrap();
        let way_ms = dice.between(2, 400);
        let mut load = Load::new(configured, limit, at_once, way_ms, seed);
        let beginning = load.run(10);
        let what = format!("{configured}/s against {limit}/s, {at_once} at once, {way_ms} ms");
        let most = (at_once as u64) * 3;
        assert!(beginning.refused <= most, "{what}: {beginning:?}");
        let outcome = load.run(300);
        let share = outcome.share_refused();
        let is_low = limit < 20;
        worst[usize::from(is_low)] = worst[usize::from(is_low)].max(share);
        // A step is half a send a second, whatever the limit: where that is few, it is more of it.
        let few = if is_low { 0.12 } else { 0.03 };
        assert!(share <= few, "{what}: {share} refused");
        // What could be had: the limit, what is configured, or what the line carries.
        let line = at_once as f64 * 1_000.0 / (way_ms as f64 * 1.3 + 2.0);
        let best = (limit as f64).min(f64::from(configured)).min(line);
        assert!(
            outcome.per_second() >= 0.6 * best,
            "{what}: {}",
            outcome.per_second()
        );
        assert!(outcome.longest_pause <= 3_500, "{what}: it starves");
    }
    println!(
        "refused at worst: {:.3} from 20/s up, {:.3} below",
        worst[0], worst[1]
    );
}

#[test]
fn a_platform_that_allows_more_than_is_configured_refuses_nothing() {
    for (configured, limit) in [(50, 60), (50, 100), (10, 12), (1, 2), (100, 120)] {
        let mut load = Load::new(configured, limit, 8, 10, 1);
        let outcome = load.run(120);
        assert_eq!(outcome.refused, 0, "{configured}/s against {limit}/s");
        let share = outcome.per_second() / f64::from(configured);
        assert!(share > 0.95, "{configured}/s: {outcome:?}");
    }
}

#[test]
fn one_burst_of_refusals_is_one_step_down() {
    let mut rate = Rate::new(50);
    let turns: Vec<Turn> = (0..10).map_while(|_| rate.take(Millis(0))).collect();
    assert_eq!(turns.len(), 10);
    for turn in turns {
        rate.refused(turn, Millis(20));
    }
    assert_eq!(rate.rate, 7_000, "of ten in use");
    let mut rate = Rate::new(50);
    let mut last = None;
    for ms in 0..1_000 {
        last = rate.take(Millis(ms)).or(last);
    }
    let late = last.unwrap();
    rate.refused(late, Millis(1_000));
    let stepped = rate.rate;
    assert!((34_000..=42_000).contains(&stepped), "{stepped}");
    rate.refused(late, Millis(1_900));
    assert_eq!(rate.rate, stepped);
}

#[test]
fn after_a_refusal_a_second_passes_before_the_next_attempt() {
    let mut rate = Rate::new(50);
    let turn = rate.take(Millis(500)).unwrap();
    rate.refused(turn, Millis(520));
    assert_eq!(rate.take(Millis(1_519)), None);
    let ready = rate.ready_at();
    assert!(ready >= Millis(1_520), "{ready:?}");
    assert!(ready <= Millis(2_520), "{ready:?}");
    assert!(rate.take(ready).is_some(), "no timer fires for nothing");
}

#[test]
fn when_the_platform_allows_more_again_the_rate_comes_back_slowly_and_wholly() {
    let mut load = Load::new(50, 5, 8, 20, 3);
    let low = load.run(120);
    assert!(*low.rates.last().unwrap() < 8.0, "{:?}", low.rates);
    load.platform.limit = 60;
    let rising = load.run(100);
    let steps: Vec<f64> = rising.rates.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(steps.iter().all(|step| *step <= 0.51), "{steps:?}");
    assert_eq!(rising.refused, 0);
    assert_eq!(*rising.rates.last().unwrap(), 50.0);
    let high = load.run(60);
    assert!(high.per_second() > 47.0, "{}", high.per_second());
}

#[test]
fn a_platform_that_refuses_everything_is_asked_once_in_a_while_and_for_ever() {
    let mut load = Load::new(50, 0, 8, 20, 3);
    let outcome = load.run(600);
    assert_eq!(outcome.taken, 0);
    assert!(
        (150..=610).contains(&outcome.refused),
        "{}",
        outcome.refused
    );
}

#[test]
fn the_budget_is_whole_again_after_an_idle_time() {
    let mut rate = Rate::new(50);
    let turn = rate.take(Millis(0)).unwrap();
    rate.refused(turn, Millis(10));
    assert!(rate.take(Millis(200_000)).is_some());
    assert_eq!(rate.rate, 50_000);
    let burst = (0..100).map_while(|_| rate.take(Millis(200_000))).count();
    assert_eq!(burst, 9, "a fifth of a second's worth");
}
