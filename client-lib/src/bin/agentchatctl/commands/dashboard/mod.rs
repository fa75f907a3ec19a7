//! `dashboard`: the state of the daemon as a page in a browser, on a loopback port, for reading only.
//!
//! A browser is no Unix socket: any page that the user has open, and any program of any user of the
//! machine, can knock at a loopback port. So a request goes through [`gate`] (who sent it: the
//! authority, the site, the method), then through [`access`] (an address that works once, and the
//! session that it opens), and only then to [`site`]. [`server`] and [`wire`] bound what a connection
//! may take; every answer has the headers of [`answer`].
//!
//! What is shown comes from [`look`]: one task that asks the daemon ([`link`], [`figures`]), however
//! many browsers there are, and keeps the newest [`view`] for all of them. Text of other agents is
//! cleaned there, and the page puts it in as text. Nothing here can write: only methods of the scope
//! `read` are called, and the page has nothing to send.

mod access;
mod answer;
mod command;
mod figures;
mod gate;
mod link;
mod look;
mod messages;
mod rates;
mod secret;
mod server;
mod site;
mod tidy;
mod view;
mod wire;

pub(crate) use command::Dashboard;
