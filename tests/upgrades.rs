//! The database and the clients of every version that there was: the program of today opens the one
//! and serves the others. `tests/fixtures/upgrades` tells how a version is added.

#[path = "upgrades/clients.rs"]
mod clients;
#[path = "upgrades/database.rs"]
mod database;
#[path = "upgrades/kills.rs"]
mod kills;
#[path = "upgrades/past.rs"]
mod past;

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use agentchatd_tests::stage::Stage;

/// A version: the name of its folder, and what its `user_version` says.
struct Version {
    name: &'static str,
    schema: u32,
}

/// Every version that there was.
const VERSIONS: [Version; 2] = [
    Version {
        name: "schema-1",
        schema: 1,
    },
    Version {
        name: "schema-2",
        schema: 2,
    },
];

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

/// A platform, and a daemon of today in a state directory of this version.
fn stage(version: &Version) -> Stage {
    let mut stage = Stage::new(env!("CARGO_BIN_EXE_agentchatd"));
    // The fixtures grow old, and what is in them must stay.
    stage.env("AGENTCHATD_STORAGE_RETENTION_DAYS", "3650");
    for agent in ["cara", "dave", "eve", "finn"] {
        stage.sandbox.agent(agent);
    }
    let database = stage.setup.database();
    copy(version, database.parent().expect("it lies in a folder"));
    stage
}

/// The same, and the daemon does not reach the platform: nothing moves by itself.
fn cut_off(version: &Version) -> Stage {
    let mut stage = stage(version);
    stage.setup.base_url = NOWHERE.to_owned();
    stage
}

/// Copies the database of a version, with what was left in its WAL.
fn copy(version: &Version, folder: &Path) {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(folder).expect("a folder can be made");
    for name in ["state.db", "state.db-wal"] {
        let from = fixture(version).join(name);
        if from.exists() {
            fs::copy(from, folder.join(name)).expect("a fixture can be copied");
        }
    }
}

fn fixture(version: &Version) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    tests.join("fixtures/upgrades").join(version.name)
}
