//! How far a file came, on a terminal; nothing elsewhere.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::session::Session;

/// A bar on standard error; hidden where that is no terminal, or JSON is wanted.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    waits: AtomicBool,
}

impl Progress {
    pub(super) fn new(session: &Session) -> Self {
        let shown = std::io::stderr().is_terminal() && !session.output.json;
        let target = if shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        Self {
            bar,
            waits: AtomicBool::new(false),
        }
    }

    /// So many bytes moved, of so many where that is known.
    pub(super) fn moved(&self, bytes: u64, of: Option<u64>) {
        if let Some(of) = of
            && self.bar.length() != Some(of)
        {
            self.bar.set_length(of);
            // No colours: they would need the same care as the rest of the output.
            if let Ok(style) = ProgressStyle::with_template(BAR) {
                self.bar.set_style(style);
            }
        }
        self.bar.set_position(bytes);
    }

    /// Everything is with the daemon, which has its own way to go.
    pub(super) fn wait(&self, message: &'static str) {
        if !self.waits.swap(true, Ordering::Relaxed) {
            self.bar.set_message(message);
            self.bar.enable_steady_tick(TICK);
        }
    }

    /// Nothing of it stays on the screen.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

const BAR: &str = "{bar:30} {bytes}/{total_bytes} {msg}";
const TICK: Duration = Duration::from_millis(200);
