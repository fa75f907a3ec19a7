//! Many local clients at once, and bad ones: nobody suffers but themselves, and memory, tasks and
//! files of the daemon stay bounded (`local-api.md` 1 and 4).

#[path = "crowd/slow_readers.rs"]
mod slow_readers;

use agentchatd_tests::figures;
use agentchatd_tests::stage::Stage;

/// A platform and the settings of the program under test; room for thousands of connections.
fn stage() -> Stage {
    figures::allow_many_files();
    Stage::new(env!("CARGO_BIN_EXE_agentchatd"))
}
