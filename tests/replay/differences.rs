//! Where the sandbox differs from the recorded server on purpose, by name.

/// One difference.
#[derive(Debug)]
pub(crate) struct Difference {
    /// First two digits of the trace.
    pub(crate) trace: &'static str,
    /// Number of the step.
    pub(crate) n: u64,
    /// A part of what the comparison tells.
    pub(crate) tells: &'static str,
    /// Why it is meant to be so.
    pub(crate) why: &'static str,
}

const fn differs(
    trace: &'static str,
    n: u64,
    tells: &'static str,
    why: &'static str,
) -> Difference {
    Difference {
        trace,
        n,
        tells,
        why,
    }
}

/// All of them. Each has to show itself: an entry that the comparison no longer tells is an error,
/// as is anything that the comparison tells and that is not listed.
pub(crate) const DIFFERENCES: &[Difference] = &[
    differs("02", 116, "no frame on F9", LUCKY_FRAME),
    differs("02", 118, "F9 answers no ping", LUCKY_FRAME),
    differs("06", 240, "1 items, not 0", TAKEN_UNSEEN),
    differs("10", 14, "no frame on B2", MARKED_AT_ONCE),
    differs("10", 15, "no frame on B2", MARKED_AT_ONCE),
    differs("13", 10, "status 200, not 201", HELD_WITHOUT_HTTP),
    differs("13", 21, "status 200, not 201", HELD_WITHOUT_HTTP),
    differs("13", 26, "0 rows below an earlier seq", ONE_LOCK),
];

const TAKEN_UNSEEN: &str = "the notice that bob joined the third group waits for him, as such \
    notices do everywhere else; the recording does not tell what took it out of his sync";
const LUCKY_FRAME: &str = "a race in the recording: the frame behind the hello came just after the \
    key had been looked up; here it always comes before";
const MARKED_AT_ONCE: &str = "no database between reading and marking a row, so of two sockets \
    that connect together the first has marked the backlog before the second asks";
const HELD_WITHOUT_HTTP: &str = "a held row begins without a request, so the answer is asked for \
    with the same client_msg_id and comes as a replay";
const ONE_LOCK: &str = "position and seq are handed out under one lock, so parallel sends do not \
    change places; held rows are there for that";

/// Whether anything is expected to differ at a step: nobody waits long for what does not come.
pub(crate) fn is_listed(trace: &str, n: u64) -> bool {
    DIFFERENCES
        .iter()
        .any(|entry| trace.starts_with(entry.trace) && entry.n == n)
}
