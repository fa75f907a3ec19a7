//! The sandbox over real sockets, driven by clients that share nothing with it: its main
//! behaviours, and each fault.

#[path = "sandbox/accounts.rs"]
mod accounts;
#[path = "sandbox/client.rs"]
mod client;
#[path = "sandbox/connect.rs"]
mod connect;
#[path = "sandbox/control.rs"]
mod control;
#[path = "sandbox/gates.rs"]
mod gates;
#[path = "sandbox/http_faults.rs"]
mod http_faults;
#[path = "sandbox/newer.rs"]
mod newer;
#[path = "sandbox/push_faults.rs"]
mod push_faults;
#[path = "sandbox/sockets.rs"]
mod sockets;
#[path = "sandbox/storage.rs"]
mod storage;
#[path = "sandbox/sync.rs"]
mod sync;
#[path = "sandbox/views.rs"]
mod views;
