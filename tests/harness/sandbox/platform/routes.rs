//! Which route a request means. Unknown routes are the plain-text 404, so that newer routes can be
//! added later and are missed in the platform's own way.

use super::answer::{Answer, Outcome};
use super::meta::{about, health, openapi};
use super::model::{AgentNo, Platform};
use super::time::Stamp;
use super::validate::js_number;

/// A request with everything the rules look at.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a [(String, String)],
    pub(crate) authorization: Option<&'a str>,
    pub(crate) idempotency_key: Option<&'a str>,
    pub(crate) body: &'a [u8],
    pub(crate) now: Stamp,
}

impl Request<'_> {
    /// The first value of a query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn count(&self, name: &str, fallback: usize) -> usize {
        let number = self.query(name).and_then(js_number);
        number.map_or(fallback, |number| number.max(0.0) as usize)
    }
}

const CONVERSATIONS_LIMIT: usize = 50;

impl Platform {
    /// Answers a request.
    pub(crate) fn handle(&mut self, request: &Request<'_>) -> Outcome {
        let decoded = route_of(request.path);
        let parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
        let method = if request.method == "HEAD" {
            "GET"
        } else {
            request.method
        };
        let Some(rest) = parts.strip_prefix(&["v1"]) else {
            return match (method, parts.as_slice()) {
                ("GET", [""]) => about().into(),
                _ => Answer::no_route().into(),
            };
        };
        if method == "OPTIONS" {
            let mut answer = Answer::no_route();
            answer.status = 204;
            answer.body = super::answer::Body::Text(String::new());
            return answer.into();
        }
        if let Some(outcome) = self.open_route(method, rest, request) {
            return outcome;
        }
        if !is_route(method, rest, self.rules.april) {
            return Answer::no_route().into();
        }
        let mut effects = Vec::new();
        let caller = match self.authenticate(request, &mut effects) {
            Ok(caller) => caller,
            Err(answer) => return Outcome::with(answer, effects),
        };
        let idempotent = honours_idempotency(method, rest);
        if idempotent && let Some(answer) = self.kept_answer(caller, request) {
            return answer.into();
        }
        let outcome = self.closed_route(method, rest, caller, request);
        if idempotent {
            self.keep_answer(caller, request, &outcome.answer);
        }
        effects.extend(outcome.effects);
        Outcome::with(outcome.answer, effects)
    }

    /// Routes that ask for no key, or accept a suspended one.
    fn open_route(
        &mut self,
        method: &str,
        rest: &[&str],
        request: &Request<'_>,
    ) -> Option<Outcome> {
        let reply = match (method, rest) {
            ("GET", ["health"]) => Ok(health().into()),
            ("GET", ["openapi.json"]) => Ok(openapi().into()),
            ("POST", ["register"]) => self.register(request.body, request.now).map(Outcome::from),
            ("POST", ["register", "verify"]) => self
                .register_verify(request.body, request.now)
                .map(Outcome::from),
            ("POST", ["agents", "recover"]) => {
                self.recover(request.body, request.now).map(Outcome::from)
            }
            ("POST", ["agents", "recover", "verify"]) => {
                self.recover_verify(request.body, request.now)
            }
            ("GET", ["agents", "me"]) => self
                .identify(request.authorization)
                .map(|caller| self.me(caller).into()),
            ("GET", ["agents", handle]) => Ok(self.agent_card(handle).into()),
            ("GET", ["directory"]) => self.directory(request).map(Outcome::from),
            _ => return None,
        };
        Some(reply.unwrap_or_else(Outcome::from))
    }

    fn closed_route(
        &mut self,
        method: &str,
        rest: &[&str],
        caller: AgentNo,
        request: &Request<'_>,
    ) -> Outcome {
        let (body, now) = (request.body, request.now);
        match rest {
            ["messages", ..] => self.message_route(method, rest, caller, request),
            ["groups", ..] => self.group_route(method, rest, caller, request),
            ["contacts", ..] => self.contact_route(method, rest, caller, request),
            _ => match (method, rest) {
                ("GET", ["conversations"]) => {
                    let limit = request.count("limit", CONVERSATIONS_LIMIT);
                    self.conversation_list(caller, limit, request.count("offset", 0), now)
                        .into()
                }
                ("DELETE", ["conversations", id]) => self.hide_conversation(caller, id, now).into(),
                ("GET", ["conversations", id, "participants"]) => {
                    self.participants(caller, id).into()
                }
                ("GET", ["conversations", id, "context"]) => {
                    self.conversation_context(caller, id).into()
                }
                ("PATCH", ["agents", handle]) => flat(self.patch_agent(caller, handle, body, now)),
                ("DELETE", ["agents", handle]) => self
                    .delete_agent(caller, handle)
                    .unwrap_or_else(Outcome::from),
                ("POST", ["agents", handle, "rotate-key"]) => {
                    flat(self.rotate(caller, handle, now))
                }
                ("POST", ["agents", handle, "rotate-key", "verify"]) => self
                    .rotate_verify(caller, handle, body, now)
                    .unwrap_or_else(Outcome::from),
                ("POST", ["mutes"]) => flat(self.post_mute(caller, body, now)),
                ("GET", ["mutes"]) => self.mute_list(caller, request.query("kind"), now).into(),
                ("GET", ["mutes", kind, name]) => self.one_mute(caller, kind, name, now).into(),
                ("DELETE", ["mutes", kind, name]) => flat(self.end_mute(caller, kind, name, now)),
                ("POST", ["webhooks"]) => flat(self.post_webhook(caller, body, now)),
                ("GET", ["webhooks"]) => self.webhook_list(caller).into(),
                ("GET", ["webhooks", id]) => self.webhook(caller, id).into(),
                ("DELETE", ["webhooks", id]) => self.delete_webhook(caller, id).into(),
                ("PUT", ["reply", "active"]) => flat(self.put_active(caller, body, now)),
                ("DELETE", ["reply", "active"]) => flat(self.delete_active(caller, body)),
                ("GET", ["reply", "active"]) => self.active(caller, now).into(),
                ("POST", ["reply", "claim"]) => flat(self.claim(caller, body, now)),
                ("POST", ["reply", "claim-batch"]) => flat(self.claim_batch(caller, body, now)),
                ("PUT", ["presence"]) => self
                    .put_presence(caller, body, now)
                    .unwrap_or_else(Outcome::from),
                ("POST", ["presence", "batch"]) => flat(self.presence_batch(body)),
                ("GET", ["presence", handle]) => self.presence_of(caller, handle).into(),
                ("POST", ["uploads"]) => flat(self.post_upload(caller, body, now)),
                ("GET", ["attachments", id]) => self.attachment(caller, id, now).into(),
                ("PUT" | "DELETE", ["agents", handle, "avatar"]) => {
                    flat(self.agent_avatar(caller, handle, picture(request), now))
                }
                _ => Answer::no_route().into(),
            },
        }
    }

    fn message_route(
        &mut self,
        method: &str,
        rest: &[&str],
        caller: AgentNo,
        request: &Request<'_>,
    ) -> Outcome {
        match (method, rest) {
            ("POST", ["messages"]) => self.post_message(caller, request.body, request.now),
            ("GET", ["messages", "sync"]) => self.sync_page(caller, request),
            ("POST", ["messages", "sync", "ack"]) => {
                self.sync_ack(caller, request.body, request.now)
            }
            ("GET", ["messages", id]) => self.history(caller, id, request),
            ("POST", ["messages", id, "read"]) => self.read(caller, id, request.now),
            ("DELETE", ["messages", id]) => self.hide_message(caller, id, request.now).into(),
            _ => Answer::no_route().into(),
        }
    }

    fn group_route(
        &mut self,
        method: &str,
        rest: &[&str],
        caller: AgentNo,
        request: &Request<'_>,
    ) -> Outcome {
        let (body, now) = (request.body, request.now);
        let reply = match (method, rest) {
            ("POST", ["groups"]) => self.create_group(caller, body, now),
            ("GET", ["groups", "invites"]) => Ok(self.invites(caller).into()),
            ("POST", ["groups", "invites", id, "accept"]) => self.accept(caller, id, now),
            ("DELETE", ["groups", "invites", id]) => self.reject(caller, id),
            ("GET", ["groups", id]) => self.group_detail(caller, id).map(Outcome::from),
            ("PATCH", ["groups", id]) => self.patch_group(caller, id, body, now),
            ("DELETE", ["groups", id]) => self.delete_group(caller, id, now),
            ("POST", ["groups", id, "members"]) => self.add_member(caller, id, body, now),
            ("DELETE", ["groups", id, "members", handle]) => self.kick(caller, id, handle, now),
            ("POST", ["groups", id, "members", handle, "promote"]) => {
                self.change_role(caller, id, handle, true, now)
            }
            ("POST", ["groups", id, "members", handle, "demote"]) => {
                self.change_role(caller, id, handle, false, now)
            }
            ("POST", ["groups", id, "leave"]) => self.leave(caller, id, now),
            ("PUT" | "DELETE", ["groups", id, "avatar"]) => {
                self.group_avatar(caller, id, picture(request), now)
            }
            _ => Err(Answer::no_route()),
        };
        reply.unwrap_or_else(Outcome::from)
    }

    fn contact_route(
        &mut self,
        method: &str,
        rest: &[&str],
        caller: AgentNo,
        request: &Request<'_>,
    ) -> Outcome {
        let (body, now) = (request.body, request.now);
        match (method, rest) {
            ("POST", ["contacts"]) => flat(self.post_contact(caller, body, now)),
            ("GET", ["contacts"]) => self.contact_list(caller, request).into(),
            ("GET", ["contacts", handle]) => self.contact(caller, handle).into(),
            ("PATCH", ["contacts", handle]) => flat(self.patch_contact(caller, handle, body)),
            ("DELETE", ["contacts", handle]) => flat(self.delete_contact(caller, handle)),
            ("POST", ["contacts", handle, "block"]) => {
                let reply = self.block(caller, handle, now);
                reply.unwrap_or_else(Outcome::from)
            }
            ("DELETE", ["contacts", handle, "block"]) => flat(self.unblock(caller, handle)),
            ("POST", ["contacts", handle, "report"]) => {
                let reply = self.report(caller, handle, now);
                reply.unwrap_or_else(Outcome::from)
            }
            _ => Answer::no_route().into(),
        }
    }
}

/// The picture that a PUT brings; a DELETE brings none.
fn picture<'a>(request: &Request<'a>) -> Option<&'a [u8]> {
    (request.method == "PUT").then_some(request.body)
}

/// The parts of a path, decoded.
pub(crate) fn route_of(path: &str) -> Vec<String> {
    let parts = path.trim_start_matches('/').split('/');
    let decode = |part| percent_encoding::percent_decode_str(part).decode_utf8_lossy();
    parts.map(|part| decode(part).into_owned()).collect()
}

fn flat(reply: Result<Answer, Answer>) -> Outcome {
    reply.unwrap_or_else(|answer| answer).into()
}

/// Whether a route with a key exists at all; a request to any other never gets as far as the auth
/// step.
fn is_route(method: &str, rest: &[&str], april: bool) -> bool {
    match (method, rest) {
        ("GET", ["conversations", _, "context"])
        | ("PUT" | "DELETE" | "GET", ["reply", "active"])
        | ("POST", ["reply", "claim" | "claim-batch"]) => !april,
        ("POST", ["messages" | "groups"])
        | ("POST" | "GET", ["contacts" | "mutes" | "webhooks"])
        | ("GET" | "DELETE", ["webhooks", _])
        | ("GET", ["conversations"])
        | ("POST", ["uploads"])
        | ("GET", ["attachments", _])
        | ("PUT" | "DELETE", ["agents" | "groups", _, "avatar"])
        | ("PUT", ["presence"])
        | ("GET" | "DELETE", ["messages", _])
        | ("POST", ["messages", _, "read"])
        | ("POST", ["messages", "sync", "ack"])
        | ("DELETE", ["conversations", _])
        | ("GET", ["conversations", _, "participants"])
        | ("PATCH" | "DELETE", ["agents", _])
        | ("POST", ["agents", _, "rotate-key"])
        | ("POST", ["agents", _, "rotate-key", "verify"])
        | ("GET" | "DELETE", ["mutes", "agent" | "conversation", _])
        | ("POST", ["presence", "batch"])
        | ("GET", ["presence", _])
        | ("GET" | "PATCH" | "DELETE", ["contacts" | "groups", _])
        | ("POST" | "DELETE", ["contacts", _, "block"])
        | ("POST", ["contacts", _, "report"])
        | ("POST", ["groups", _, "members" | "leave"])
        | ("DELETE", ["groups", _, "members", _])
        | ("POST", ["groups", _, "members", _, "promote" | "demote"])
        | ("POST", ["groups", "invites", _, "accept"])
        | ("DELETE", ["groups", "invites", _]) => true,
        _ => false,
    }
}

/// Routes with the idempotency middleware (wire.md 5.2).
pub(crate) fn honours_idempotency(method: &str, rest: &[&str]) -> bool {
    match (method, rest) {
        ("POST", ["messages", _, "read"] | ["contacts", _, "block" | "report"]) => true,
        ("DELETE", ["groups", "invites", _]) => false,
        ("POST" | "PATCH" | "DELETE", ["groups", ..]) => true,
        _ => false,
    }
}
