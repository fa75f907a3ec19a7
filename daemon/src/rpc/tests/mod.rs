//! The local API over real sockets, with a store and a driver that the tests control.

mod consumers;
mod files;
mod harness;
mod http;
mod limits;
mod protocol;
mod sends;
mod stopping;
mod subscriptions;
