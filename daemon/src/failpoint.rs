//! Named steps at which tests stop, slow down or kill the daemon.
//!
//! Only a build with the feature `failpoints` has them (`agentchatd-faulty`); in any other, a
//! step is nothing at all. What happens at a step stands in the variable `FAILPOINTS`, in the
//! language of the crate `fail`: `committed=36*off->1*return` kills the process the 37th time that
//! it gets there, `committing=1*sleep(5000)` makes one commit take five seconds longer.
//!
//! | step | the daemon has just |
//! |---|---|
//! | `frame-read` | taken a message off the socket |
//! | `committing` | written a group, and not committed it yet |
//! | `committed` | committed a group, and told nobody |
//! | `published` | handed committed events to the feed |
//! | `acked` | written acknowledgements to the socket |
//! | `cursor-acked` | had the acknowledgement of a sync page answered |
//! | `bounds-begun` | read the first offset of the log, and not the last one |
//! | `consumer-ack-stored` | committed the offset of a consumer |
//! | `send-accepted` | committed a send, and not answered its caller |
//! | `request-ready` | made the request of an attempt, and not written it |
//! | `answer-read` | read the platform's answer to an attempt |
//! | `answer-stored` | committed that answer, and told nobody |
//! | `key-looked-for` | begun to look at the files of the key |
//! | `key-came` | read an answer that holds a new key |
//! | `key-kept` | put a new key on disk, and not used it |
//! | `key-used` | gone over to a new key |
//! | `migrating` | changed the schema, and not committed it |
//! | `migrated` | committed a new schema |
//! | `retention-step` | removed rows, and not committed it |
//! | `retention-stepped` | committed a step of retention |
//!
//! A request that is written and not answered is the sandbox's to make (`HttpFault::DelayAnswer`).

/// Gets to a step.
#[cfg(feature = "failpoints")]
pub(crate) fn reach(step: &'static str) {
    fail::fail_point!(step, |_| {
        use nix::sys::signal::{Signal, kill};
        // The kernel lets no instruction of this thread come after it.
        let _ = kill(nix::unistd::Pid::this(), Signal::SIGKILL);
    });
}

/// Gets to a step: nothing, without the feature.
#[cfg(not(feature = "failpoints"))]
pub(crate) const fn reach(_step: &'static str) {}

/// Reads `FAILPOINTS`; what is returned keeps it in force.
#[cfg(feature = "failpoints")]
pub fn listen() -> impl Sized {
    fail::FailScenario::setup()
}
