//! What `login` prints where it ends well. `--json` has an object of its own here: the daemon's answers
//! hold the key.

use serde_json::{Value, json};

use super::ready::Kept;
use super::standing::Standing;
use crate::commands::whoami;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Line, Page, dim, good, name, plain, warn};
use crate::render::text;
use crate::session::Session;

/// There is nothing to be done.
pub(super) fn already(session: &Session, standing: &Standing) -> Result<Exit, Failure> {
    let told = json!({"handle": standing.agent, "state": standing.state, "already": true});
    show(session, &told, || already_page(standing))
}

fn already_page(standing: &Standing) -> Page {
    let mut line: Line = vec![good("logged in already")];
    match &standing.agent {
        Some(agent) => line.extend([plain(" as "), name(format!("@{agent}"))]),
        None => line.push(plain(format!(
            "; the daemon has a key and is {}",
            standing.words()
        ))),
    }
    let mut page = Page::of(line);
    page.add(vec![dim(
        "a new key for this agent: agentchatctl login --recover",
    )]);
    page.add(vec![dim(
        "another agent needs a daemon of its own: agentchatd --state-dir DIR --socket PATH",
    )]);
    page
}

/// The first of two runs is over.
pub(super) fn code_sent(
    session: &Session,
    pending_id: &str,
    recover: bool,
) -> Result<Exit, Failure> {
    let told = json!({"pending_id": pending_id, "recover": recover});
    show(session, &told, || code_sent_page(pending_id, recover))
}

fn code_sent_page(pending_id: &str, recover: bool) -> Page {
    let recover = if recover { " --recover" } else { "" };
    let mut page = Page::of(vec![
        good("a code is on its way"),
        plain(" by mail; go on with"),
    ]);
    page.add(vec![plain(format!(
        "    agentchatctl login{recover} --pending-id {pending_id} --code CODE"
    ))]);
    page
}

/// The daemon is connected with its key.
pub(super) fn logged_in(session: &Session, kept: &Kept, me: &Value) -> Result<Exit, Failure> {
    let told = json!({
        "handle": text(me, "handle"), "state": "ready",
        "saved_in": kept.place, "warning": kept.warning,
    });
    show(session, &told, || logged_in_page(kept, me))
}

fn logged_in_page(kept: &Kept, me: &Value) -> Page {
    let mut page = Page::default();
    if let Some(place) = &kept.place {
        page.add(vec![plain(format!("The daemon keeps the key in {place}."))]);
    }
    if let Some(warning) = &kept.warning {
        page.add(vec![warn(warning)]);
    }
    page.add(vec![
        good("logged in"),
        plain(" as "),
        name(format!("@{}", text(me, "handle").unwrap_or("-"))),
    ]);
    page.append(whoami::page(me));
    page
}

fn show(session: &Session, told: &Value, page: impl FnOnce() -> Page) -> Result<Exit, Failure> {
    if session.output.json {
        session.output.json_line(&told.to_string())?;
    } else {
        session.output.page(&page())?;
    }
    Ok(Exit::DONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_run_can_be_copied() {
        assert_eq!(
            code_sent_page("pnd_1", true).text(false),
            "a code is on its way by mail; go on with\n    agentchatctl login --recover \
             --pending-id pnd_1 --code CODE\n"
        );
    }

    #[test]
    fn the_end_says_where_the_key_is_and_who_it_is() {
        let kept = Kept {
            place: Some("/s/credentials.toml".to_owned()),
            warning: None,
        };
        let text = logged_in_page(&kept, &json!({"handle": "eve", "status": "active"})).text(false);
        assert_eq!(
            text,
            "The daemon keeps the key in /s/credentials.toml.\nlogged in as @eve\nhandle  @eve\n\
             status  active\n"
        );
    }
}
