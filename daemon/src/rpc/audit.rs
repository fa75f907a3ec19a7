//! Who called what, and what came of it: a line a call, at a log target of its own.
//!
//! What was said stays out of it: parameters and results may hold messages and secrets. What a
//! caller may not do is a warning, what changes something is information, and a look is of use to
//! those alone who log at `debug`.

use std::fmt;

use agentchatd_client::api::MethodInfo;
use agentchatd_client::{ErrorCode, Scope};
use hyper::StatusCode;

use crate::rpc::peer::Caller;

/// The log target.
pub(crate) const AUDIT: &str = "agentchatd::audit";

const DENIED: i32 = ErrorCode::PermissionDenied as i32;
const FORBIDDEN: u16 = StatusCode::FORBIDDEN.as_u16();

/// What a call ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    /// The code of an error.
    Error(i32),
    /// The status of an HTTP answer.
    Status(u16),
}

impl Outcome {
    fn is_denied(self) -> bool {
        self == Self::Error(DENIED) || self == Self::Status(FORBIDDEN)
    }
}

impl From<Option<i32>> for Outcome {
    fn from(error: Option<i32>) -> Self {
        error.map_or(Self::Ok, Self::Error)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("ok"),
            Self::Error(code) => code.fmt(f),
            Self::Status(status) => status.fmt(f),
        }
    }
}

/// Notes the end of a call.
pub(crate) fn called(caller: &Caller, method: &MethodInfo, outcome: Outcome) {
    note(caller, method.name, method.scope, outcome);
}

/// Notes the end of a request that is no call.
pub(crate) fn note(caller: &Caller, name: &str, needs: Scope, outcome: Outcome) {
    let peer = caller.peer;
    let (uid, gid) = (peer.uid, peer.gid);
    let pid = peer.pid.unwrap_or_default();
    let scope = caller.scope.map_or("none", Scope::as_str);
    macro_rules! at {
        ($level:ident) => {
            tracing::$level!(target: AUDIT, uid, gid, pid, %scope, method = %name, %outcome, "call")
        };
    }
    if outcome.is_denied() {
        at!(warn);
    } else if needs == Scope::Read {
        at!(debug);
    } else {
        at!(info);
    }
}
