//! Exit statuses. They are part of what scripts rely on: the manual, `--help` and
//! `docs/agentchatctl.md` list them.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exit(u8);

impl Exit {
    /// Done. `inbox`: there was something. `health`: ok.
    pub(crate) const DONE: Self = Self(0);
    /// The call failed, or was not confirmed. `health`: degraded.
    pub(crate) const FAILED: Self = Self(1);
    /// The arguments make no sense; clap's own status for it, too.
    pub(crate) const USAGE: Self = Self(2);
    /// `inbox`: nothing was there.
    pub(crate) const NOTHING: Self = Self(3);
    /// No daemon can be reached.
    pub(crate) const NO_DAEMON: Self = Self(4);
    /// `health`: something is away, slow or stuck.
    pub(crate) const DEGRADED: Self = Self(1);
    /// `health`: AgentChat refuses the key or the account, or there is no key.
    pub(crate) const PARKED: Self = Self(2);
    /// `health`: the daemon cannot do its work, or gives no answer.
    pub(crate) const DOWN: Self = Self(3);
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.0.into()
    }
}

/// The table of `--help` and the manual.
pub(crate) const EXIT_STATUS: &str = "\
Exit status:
  0  done
  1  the call failed; what was asked for is not done, or it is not known whether it is
  2  the arguments make no sense
  3  `inbox` only: nothing was there
  4  no daemon can be reached

Exit status of `health`:
  0  ok: messages get through
  1  degraded or starting: it mends itself, or says what to do
  2  parked: AgentChat refuses the key or the account, or there is no key
  3  down: the daemon cannot do its work
  4  no daemon can be reached";
