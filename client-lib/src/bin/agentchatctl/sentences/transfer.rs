//! What can happen to a file on its way.

use agentchatd_client::ClientError;
use agentchatd_client::files::TransferError;

use super::of_call;
use crate::failure::Failure;

/// What an upload or a download ended with.
pub(crate) fn of_transfer(method: &str, error: &TransferError) -> Failure {
    match error {
        TransferError::Refused(error) => of_call(method, &ClientError::Rpc(error.clone())),
        TransferError::Connect(error) => Failure::no_daemon(format!(
            "the daemon's socket cannot be opened ({error}); look with `agentchatctl doctor`"
        )),
        TransferError::Broken(error) => Failure::failed(format!(
            "the daemon broke the transfer off ({error}); look at its log, and try again"
        )),
        TransferError::File(error) => Failure::failed(format!(
            "the file cannot be read or written ({error}); mend that and try again"
        )),
        other => Failure::failed(format!(
            "{other}; compare `agentchatctl --version` with `agentchatctl call daemon.version`"
        )),
    }
}
