use std::path::Path;

use tracing::{debug, error, info, trace, warn};

use super::*;

#[test]
fn journald_gets_a_priority_and_one_line_for_each_event() {
    let text = logged(LogLevel::Trace, Form::Journald, |_| {
        error!(target: "agentchatd::a", "one\n<0>forged\r");
        warn!(target: "agentchatd::a", name = %"x\ny", "two");
        info!(target: "agentchatd::a", "three \u{1b}[31m");
        debug!(target: "agentchatd::a", "four");
    });
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    for (line, start) in lines.iter().zip(["<3>", "<4>", "<6>", "<7>"]) {
        assert!(line.starts_with(start), "{line}");
    }
    assert!(lines[0].contains("one\\n<0>forged\\r"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn the_human_form_is_coloured_only_where_it_should_be() {
    let write = |form| {
        logged(
            LogLevel::Info,
            form,
            |_| info!(target: "agentchatd", a = 1, "hello"),
        )
    };
    let plain = write(Form::Human { colours: false });
    assert!(plain.contains("INFO") && plain.contains("hello a=1") && !plain.contains('\u{1b}'));
    assert!(write(Form::Human { colours: true }).contains("\u{1b}["));
}

#[test]
fn each_json_line_is_one_object() {
    let text = logged(LogLevel::Info, Form::Json, |_| {
        info!(target: "agentchatd", attempt = 3, "two\nlines");
    });
    assert_eq!(text.lines().count(), 1);
    assert!(
        text.contains(r#""message":"two\nlines""#) && text.contains(r#""attempt":3"#),
        "{text}"
    );
}

#[test]
fn the_level_can_be_changed_while_the_log_is_in_use() {
    let text = logged(LogLevel::Info, Form::Journald, |handle| {
        debug!(target: "agentchatd::x", "hidden");
        handle.set_level(LogLevel::Debug);
        assert_eq!(handle.level(), LogLevel::Debug);
        debug!(target: "agentchatd_engine", "shown");
        handle.set_level(LogLevel::Off);
        error!(target: "agentchatd", "hidden");
    });
    assert!(text.contains("shown") && !text.contains("hidden"), "{text}");
}

#[test]
fn libraries_speak_at_info_at_most() {
    let text = logged(LogLevel::Trace, Form::Journald, |handle| {
        info!(target: "hyper", "shown");
        debug!(target: "hyper", "hidden");
        trace!(target: "tungstenite", "hidden");
        handle.set_level(LogLevel::Warn);
        info!(target: "hyper", "hidden");
    });
    assert!(text.contains("shown") && !text.contains("hidden"), "{text}");
}

#[test]
fn message_bodies_are_logged_only_where_that_was_asked_for() {
    let text = logged(LogLevel::Trace, Form::Journald, |handle| {
        trace!(target: PAYLOADS, "hidden");
        handle.set_payloads(true);
        trace!(target: PAYLOADS, "shown");
        handle.set_level(LogLevel::Debug);
        trace!(target: PAYLOADS, "hidden");
    });
    assert!(text.contains("shown") && !text.contains("hidden"), "{text}");
}

#[test]
fn the_journal_is_known_by_device_and_inode() {
    let env = |value| Environment::of_pairs(Path::new("/"), [("JOURNAL_STREAM", value)]);
    assert!(is_journal(&env("8:1234"), Some((8, 1234))));
    for value in ["8:1235", "9:1234", "8", "", "8:x"] {
        assert!(!is_journal(&env(value), Some((8, 1234))), "{value}");
    }
    assert!(!is_journal(&env("8:1234"), None));
    assert!(stderr_id().is_some());
}

#[test]
fn a_detached_handle_takes_changes_and_does_nothing() {
    let handle = LogHandle::detached();
    handle.set_level(LogLevel::Trace);
    assert_eq!(handle.level(), LogLevel::Trace);
}

/// What `work` logs, with the log set up for this thread alone.
fn logged(level: LogLevel, form: Form, work: impl FnOnce(&LogHandle)) -> String {
    let buffer = Buffer::default();
    let section = LogSection {
        level,
        ..LogSection::default()
    };
    let (subscriber, handle) = subscriber(&section, form, buffer.clone());
    tracing::subscriber::with_default(subscriber, || work(&handle));
    let bytes = buffer.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Buffer {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}
