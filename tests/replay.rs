//! Proof that the sandbox is faithful: exchanges and socket events that were recorded from the
//! platform's own server are replayed against it, over real HTTP and WebSocket, in April mode.
//!
//! Statuses, codes, member names and types, values that are not of one run, order of rows and
//! frames, close codes and reasons have to be the recorded ones. Where the sandbox differs on
//! purpose `replay/differences.rs` says so by name.

#[path = "replay/mod.rs"]
mod replay;

use replay::run::replay;

#[tokio::test]
async fn direct_sends_and_every_refusal_are_as_recorded() {
    replay("01-direct-send").await;
}

#[tokio::test]
async fn sockets_with_a_hello_frame_behave_as_recorded() {
    replay("02-socket-hello").await;
}

#[tokio::test]
async fn sockets_with_a_header_and_the_heartbeat_behave_as_recorded() {
    replay("03-socket-header").await;
}

#[tokio::test]
async fn backlog_sync_and_ack_behave_as_recorded() {
    replay("04-backlog-sync-ack").await;
}

#[tokio::test]
async fn seqs_holes_and_history_are_as_recorded() {
    replay("05-seq-holes").await;
}

#[tokio::test]
async fn groups_live_and_die_as_recorded() {
    replay("06-groups").await;
}

#[tokio::test]
async fn contacts_mutes_presence_and_the_directory_are_as_recorded() {
    replay("07-contacts-mutes-presence-directory").await;
}

#[tokio::test]
async fn accounts_from_registration_to_deletion_are_as_recorded() {
    replay("08-agents-account-states").await;
}

#[tokio::test]
async fn conversations_reads_and_hiding_are_as_recorded() {
    replay("09-conversations-read-delete").await;
}

#[tokio::test]
async fn several_sockets_of_one_agent_and_a_slow_one_behave_as_recorded() {
    replay("10-two-sockets-slow-socket").await;
}

#[tokio::test]
async fn full_groups_the_directory_and_the_routes_about_the_platform_are_as_recorded() {
    replay("12-extras").await;
}

#[tokio::test]
async fn a_late_commit_shows_itself_as_recorded() {
    replay("13-late-commit").await;
}
