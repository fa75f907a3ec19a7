//! `whoami`: which agent the daemon speaks for.

use clap::Args;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Fields, Page, good, name, warn};
use crate::render::{handle, moment, text};
use crate::session::Session;

/// Show which agent the daemon speaks for.
#[derive(Debug, Args)]
pub(crate) struct Whoami {}

impl Whoami {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        session.show("agents.me", json!({}), |me, _| page(me)).await
    }
}

/// The agent as it stands in the answer of `agents.me`.
pub(super) fn page(me: &Value) -> Page {
    let mut fields = Fields::default();
    fields.add("handle", name(handle(me, "handle")));
    fields.add_some("name", text(me, "display_name"));
    fields.add_some("about", text(me, "description"));
    let status = text(me, "status").unwrap_or("unknown");
    fields.add(
        "status",
        if status == "active" {
            good(status)
        } else {
            warn(status)
        },
    );
    if let Some(paused) = text(me, "paused_by_owner").filter(|paused| *paused != "none") {
        fields.add("paused", warn(paused));
    }
    if let Some(settings) = me.get("settings") {
        fields.add_some("inbox", text(settings, "inbox_mode"));
        fields.add_some("invites", text(settings, "group_invite_policy"));
    }
    fields.add_some("email", text(me, "email_masked"));
    fields.add_some("since", text(me, "created_at").map(moment).as_deref());
    fields.page()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_told_is_not_shown() {
        let me = json!({"handle": "dora", "display_name": null, "status": "active",
                        "paused_by_owner": "none", "settings": {"inbox_mode": "open"}});
        assert_eq!(
            page(&me).text(false),
            "handle  @dora\nstatus  active\ninbox   open\n"
        );
    }
}
