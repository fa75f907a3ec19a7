//! How much came and went lately, from counters that begin anew when the daemon does.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::figures::Figures;

/// The last minutes.
#[derive(Debug)]
pub(super) struct Rates {
    begin: Instant,
    last: Option<(u64, u64)>,
    steps: VecDeque<Step>,
}

#[derive(Debug)]
struct Step {
    at: Instant,
    received: u64,
    sent: u64,
}

impl Rates {
    /// Nothing is known yet.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            begin: now,
            last: None,
            steps: VecDeque::new(),
        }
    }

    /// Takes what the counters say now.
    pub(super) fn add(&mut self, now: Instant, figures: &Figures) {
        let (received, sent) = (figures.received, figures.sent);
        match self.last.replace((received, sent)) {
            // What was counted before this program looked is not of these minutes.
            None => self.begin = now,
            // A counter that fell began at zero.
            Some(last) if received < last.0 || sent < last.1 => {
                self.push(now, received, sent);
            }
            Some(last) => self.push(now, received - last.0, sent - last.1),
        }
    }

    fn push(&mut self, at: Instant, received: u64, sent: u64) {
        self.steps.push_back(Step { at, received, sent });
        while self.steps.front().is_some_and(|step| at - step.at > KEPT) {
            self.steps.pop_front();
        }
    }

    /// For the page: the last minute, or what there is of it, and a bar for each part of the time that
    /// is kept, the oldest first.
    pub(super) fn view(&self, now: Instant) -> Value {
        if self.last.is_none() {
            return Value::Null;
        }
        let lately = self.steps.iter().filter(|step| now - step.at < MINUTE);
        let (received, sent) = lately.fold((0, 0), |sum, step| {
            (sum.0 + step.received, sum.1 + step.sent)
        });
        let bars = ((now - self.begin).as_secs() / BAR.as_secs() + 1).min(BARS);
        let mut series = vec![(0, 0); usize::try_from(bars).unwrap_or_default()];
        for step in &self.steps {
            let back = (now - step.at).as_secs() / BAR.as_secs();
            let place = bars
                .checked_sub(back + 1)
                .and_then(|place| usize::try_from(place).ok());
            if let Some(bar) = place.and_then(|place| series.get_mut(place)) {
                bar.0 += step.received;
                bar.1 += step.sent;
            }
        }
        let (came, went): (Vec<u64>, Vec<u64>) = series.into_iter().unzip();
        json!({
            "span_ms": u64::try_from((now - self.begin).min(MINUTE).as_millis()).unwrap_or_default(),
            "received": received, "sent": sent,
            "bar_ms": u64::try_from(BAR.as_millis()).unwrap_or_default(), "bars": BARS,
            "received_bars": came, "sent_bars": went,
        })
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const BAR: Duration = Duration::from_secs(10);
const BARS: u64 = 60;
const KEPT: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(received: u64, sent: u64) -> Figures {
        Figures {
            received,
            sent,
            ..Figures::default()
        }
    }

    #[test]
    fn only_what_came_while_it_was_watched_is_counted() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut rates = Rates::new(begin);
        assert_eq!(rates.view(begin), Value::Null);
        rates.add(begin, &figures(100, 50));
        let view = rates.view(at(1));
        assert_eq!(
            (&view["received"], &view["span_ms"]),
            (&json!(0), &json!(1000))
        );
        rates.add(at(2), &figures(103, 50));
        rates.add(at(15), &figures(104, 52));
        let view = rates.view(at(15));
        assert_eq!((&view["received"], &view["sent"]), (&json!(4), &json!(2)));
        assert_eq!(view["received_bars"], json!([3, 1]));
        // The first of them is over a minute old now.
        assert_eq!(rates.view(at(70))["received"], 1);
    }

    #[test]
    fn counters_that_began_anew_do_not_go_backwards() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut rates = Rates::new(begin);
        rates.add(begin, &figures(100, 50));
        rates.add(at(1), &figures(2, 0));
        assert_eq!(rates.view(at(1))["received"], 2);
    }

    #[test]
    fn no_more_is_kept_than_is_shown() {
        let begin = Instant::now();
        let mut rates = Rates::new(begin);
        for second in 0..5000 {
            rates.add(begin + Duration::from_secs(second), &figures(second, 0));
        }
        assert!(rates.steps.len() <= 601, "{}", rates.steps.len());
        let view = rates.view(begin + Duration::from_secs(5000));
        assert_eq!(view["received_bars"].as_array().unwrap().len(), 60);
    }
}
