//! The daemon's own log: lines on standard error, for people, for journald or as JSON.
//!
//! Three rules hold whatever the configuration says. One event is one line: a control character in a
//! message or a field is written as an escape, so that nobody upstream can forge a line. Libraries
//! speak at `info` at most: below it some of them log headers, and with them the key. Message
//! bodies go to the target [`PAYLOADS`], which is silent unless `log.payloads` is set.

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{Format, Full, Writer};
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Environment, LogFormat, LogLevel, LogSection};

/// The target for anything that holds the body of a message. Use it with `trace!` only.
pub const PAYLOADS: &str = "agentchatd::payload";

/// Changes what is logged while the daemon runs. Clones change the same log.
#[derive(Clone, Debug)]
pub struct LogHandle {
    filter: reload::Handle<Targets, Registry>,
    chosen: Arc<Mutex<(LogLevel, bool)>>,
}

impl LogHandle {
    /// A handle that changes nothing, for a daemon inside another program that has a log of its own.
    #[must_use]
    pub fn detached() -> Self {
        prepare(&LogSection::default()).1
    }

    /// The level in force.
    #[must_use]
    pub fn level(&self) -> LogLevel {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Takes another level from now on.
    pub fn set_level(&self, level: LogLevel) {
        self.change(|chosen| chosen.0 = level);
    }

    /// Lets message bodies into the log, or keeps them out.
    pub fn set_payloads(&self, payloads: bool) {
        self.change(|chosen| chosen.1 = payloads);
    }

    fn change(&self, edit: impl FnOnce(&mut (LogLevel, bool))) {
        let mut chosen = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        edit(&mut chosen);
        // Fails only where the log is gone, and then there is nothing to change.
        let _ = self.filter.reload(targets(chosen.0, chosen.1));
    }
}

/// Sets up the log of this process.
///
/// # Errors
/// Something in this process has set one up before.
pub fn init(log: &LogSection, env: &Environment) -> Result<LogHandle, AlreadySet> {
    let form = Form::choose(log.format, env);
    let (subscriber, handle) = subscriber(log, form, io::stderr);
    subscriber.try_init().map_err(|_| AlreadySet)?;
    Ok(handle)
}

/// There is a log already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this process has a log already")]
pub struct AlreadySet;

/// What a line looks like, after `auto` has been decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Human { colours: bool },
    Journald,
    Json,
}

impl Form {
    fn choose(format: LogFormat, env: &Environment) -> Self {
        match format {
            LogFormat::Auto if is_journal(env, stderr_id()) => Self::Journald,
            LogFormat::Auto | LogFormat::Human => {
                let colours = env.var("NO_COLOR").is_none()
                    && env.text("TERM") != Some("dumb")
                    && io::stderr().is_terminal();
                Self::Human { colours }
            }
            LogFormat::Journald => Self::Journald,
            LogFormat::Json => Self::Json,
        }
    }
}

/// Systemd names the journal's end by device and inode, since the variable outlives a redirection.
fn is_journal(env: &Environment, stderr: Option<(u64, u64)>) -> bool {
    let named = env
        .text("JOURNAL_STREAM")
        .and_then(|text| text.split_once(':'));
    match (named, stderr) {
        (Some((device, inode)), Some(id)) => {
            (device.parse(), inode.parse()) == (Ok(id.0), Ok(id.1))
        }
        _ => false,
    }
}

fn stderr_id() -> Option<(u64, u64)> {
    let copy = io::stderr().as_fd().try_clone_to_owned().ok()?;
    let meta = File::from(copy).metadata().ok()?;
    Some((meta.dev(), meta.ino()))
}

fn targets(level: LogLevel, payloads: bool) -> Targets {
    let own = match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // The prefix covers the crates of this project; the longer target wins over it.
    Targets::new()
        .with_default(own.min(LevelFilter::INFO))
        .with_target(OWN_PREFIX, own)
        .with_target(PAYLOADS, if payloads { own } else { LevelFilter::OFF })
}

fn prepare(log: &LogSection) -> (reload::Layer<Targets, Registry>, LogHandle) {
    let (layer, filter) = reload::Layer::new(targets(log.level, log.payloads));
    let chosen = Arc::new(Mutex::new((log.level, log.payloads)));
    (layer, LogHandle { filter, chosen })
}

fn subscriber<W>(
    log: &LogSection,
    form: Form,
    writer: W,
) -> (impl Subscriber + Send + Sync + 'static, LogHandle)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let (filter, handle) = prepare(log);
    // A log that cannot be written must not bring the daemon down: no complaints about it.
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .log_internal_errors(false);
    let format = tracing_subscriber::fmt::format();
    let lines = match form {
        Form::Human { colours } => {
            let inner = format.with_ansi(colours);
            lines
                .with_ansi(colours)
                .event_format(OneLine {
                    inner,
                    priority: false,
                })
                .boxed()
        }
        Form::Journald => {
            let inner = format.with_ansi(false).without_time();
            lines
                .with_ansi(false)
                .event_format(OneLine {
                    inner,
                    priority: true,
                })
                .boxed()
        }
        Form::Json => lines
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .boxed(),
    };
    (
        tracing_subscriber::registry().with(filter).with(lines),
        handle,
    )
}

/// Keeps each event on one line, with journald's priority before it where wanted.
struct OneLine<T> {
    inner: Format<Full, T>,
    priority: bool,
}

impl<S, N, T> FormatEvent<S, N> for OneLine<T>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    T: FormatTime,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.inner
            .format_event(ctx, Writer::new(&mut line), event)?;
        if self.priority {
            write!(writer, "<{}>", priority(*event.metadata().level()))?;
        }
        for character in line.trim_end_matches('\n').chars() {
            // The escape character is the formatter's own colour; it escapes those of values.
            if character.is_control() && character != '\u{1b}' {
                write!(writer, "{}", character.escape_default())?;
            } else {
                writer.write_char(character)?;
            }
        }
        writer.write_char('\n')
    }
}

/// The priority of syslog.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

const OWN_PREFIX: &str = "agentchatd";

#[cfg(test)]
#[path = "logging_tests.rs"]
mod tests;
