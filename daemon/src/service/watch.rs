//! A parked daemon looks whether the files of its key change (`local-api.md` 3, `wire.md` 11.44).
//!
//! While the key is at work nothing is looked at: who replaces the file of a key that is in order
//! says so by SIGHUP or `daemon.reload`. When the platform refuses the key, what was written since
//! the key was read counts as well. Looking is a `stat` of at most four files, which needs no
//! inotify and works on every file system.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use super::keyring::Keyring;
use crate::shutdown::Tasks;

/// Runs until the daemon stops. `wants_key` is true while only another key can help.
pub(super) async fn watch(
    keyring: Arc<Keyring>,
    mut wants_key: watch::Receiver<bool>,
    tasks: Tasks,
) {
    let looking = async {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // An error says that the driver is gone, and with it the daemon.
        while wants_key.wait_for(|wants| *wants).await.is_ok() {
            ticks.tick().await;
            keyring.offer_change().await;
        }
    };
    tokio::select! {
        () = looking => {}
        () = tasks.cancelled() => {}
    }
}

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);
