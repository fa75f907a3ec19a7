//! The list of commands: one line each, in the order of `--help`.

use clap::Subcommand;

use super::{
    attach, call, completions, consumers, contacts, conversations, dashboard, doctor, fetch,
    groups, health, history, inbox, login, man, mutes, outbox, presence, search, send, status,
    tail, whoami,
};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// Declares the commands; the sentence of each stands on its type.
macro_rules! commands {
    ($($name:ident($module:ident::$type:ident),)*) => {
        /// What to do.
        #[derive(Debug, Subcommand)]
        pub(crate) enum Command {
            $($name($module::$type),)*
        }

        impl Command {
            /// Runs it.
            pub(crate) async fn run(self, session: &Session) -> Result<Exit, Failure> {
                match self {
                    $(Self::$name(command) => command.run(session).await,)*
                }
            }
        }
    };
}

commands! {
    Login(login::Login),
    Whoami(whoami::Whoami),
    Send(send::Send),
    Attach(attach::Attach),
    Fetch(fetch::Fetch),
    Tail(tail::Tail),
    Inbox(inbox::Inbox),
    History(history::History),
    Conversations(conversations::Conversations),
    Contacts(contacts::Contacts),
    Groups(groups::Groups),
    Presence(presence::Presence),
    Mutes(mutes::Mutes),
    Search(search::Search),
    Outbox(outbox::Outbox),
    Consumers(consumers::Consumers),
    Status(status::Status),
    Health(health::Health),
    Dashboard(dashboard::Dashboard),
    Doctor(doctor::Doctor),
    Call(call::Call),
    Completions(completions::Completions),
    Man(man::Man),
}
