//! Registration and recovery: the data, the code, and what is asked again.
//!
//! Each call has a connection of its own: between two of them somebody looks for a mail.

use serde_json::{Map, Value, json};

use super::ask::{Asker, is_address, is_code, is_handle, say};
use super::command::Login;
use super::problem::Problem;
use super::ready::Kept;
use super::standing::Standing;
use crate::failure::Failure;
use crate::render::{flag, text};
use crate::session::{Session, value};
use crate::values::HandleArg;

/// How far the steps came.
#[derive(Debug)]
pub(super) enum Reached {
    /// A code is under way, and nobody is there to type it.
    CodeSent {
        /// What the second run takes.
        pending_id: String,
        /// Whether it is a recovery.
        recover: bool,
    },
    /// The daemon has a new key.
    Kept(Kept),
}

/// The steps, and what is known so far.
#[derive(Debug)]
pub(super) struct Steps<'s> {
    session: &'s Session,
    asker: Asker,
    recover: bool,
    email: Option<String>,
    handle: Option<String>,
    display_name: Option<String>,
    pending_id: Option<String>,
    code: Option<String>,
    /// Whether what may be left out was asked for.
    asked: bool,
}

/// What came of a code.
enum Verdict {
    Right(Value),
    StartOver,
}

impl<'s> Steps<'s> {
    pub(super) fn new(
        session: &'s Session,
        asker: Asker,
        given: Login,
        standing: &Standing,
    ) -> Self {
        // A daemon that knows its agent can only have that one back.
        let recover = given.recover || standing.agent.is_some();
        let known = standing.agent.clone().filter(|_| recover);
        let handle = given.handle.map(|HandleArg(handle)| handle).or(known);
        Self {
            session,
            asker,
            recover,
            email: given.email,
            handle,
            display_name: given.display_name,
            pending_id: given.pending_id,
            code: given.code,
            asked: false,
        }
    }

    pub(super) async fn take(mut self) -> Result<Reached, Failure> {
        for _ in 0..MAX_ROUNDS {
            let pending_id = match self.pending_id.take() {
                Some(pending_id) => pending_id,
                None => match self.begin().await? {
                    Some(pending_id) => pending_id,
                    None => continue,
                },
            };
            if self.code.is_none() && !self.asker.can() {
                return Ok(Reached::CodeSent {
                    pending_id,
                    recover: self.recover,
                });
            }
            if let Verdict::Right(answer) = self.verify(&pending_id).await? {
                return self.kept(&answer).map(Reached::Kept);
            }
        }
        Err(Failure::failed(
            "that was too often in vain, so nothing was done; look at AgentChat's mails, and start \
             again",
        ))
    }

    /// The first step; nothing where something has to be asked again.
    async fn begin(&mut self) -> Result<Option<String>, Failure> {
        self.fill_in()?;
        let (method, params) = self.first_call();
        let problem = match self.call(method, params).await {
            Ok(answer) => return pending_id(&answer).map(Some),
            Err(problem) => problem,
        };
        match problem.code() {
            Some("HANDLE_TAKEN" | "INVALID_HANDLE") if self.asker.can() => self.handle = None,
            _ if problem.is_about_data() && self.asker.can() => {
                self.handle = None;
                self.email = None;
            }
            _ => return Err(problem.into()),
        }
        problem.say();
        Ok(None)
    }

    fn fill_in(&mut self) -> Result<(), Failure> {
        let first = !std::mem::replace(&mut self.asked, true);
        if first && !self.recover && self.email.is_none() && self.handle.is_none() {
            self.recover = self.asks_for_recovery()?;
        }
        if self.email.is_none() {
            let email = self.asker.ask("E-mail address", "--email", is_address)?;
            self.email = Some(email);
        }
        if self.recover {
            if first && self.handle.is_none() {
                let question = "Handle, if the address has several agents";
                self.handle = self.asker.ask_if_any(question)?.map(bare);
            }
            return Ok(());
        }
        if self.handle.is_none() {
            let handle = self.asker.ask("Handle", "--handle", is_handle)?;
            self.handle = Some(bare(handle));
        }
        if first && self.display_name.is_none() {
            self.display_name = self.asker.ask_if_any("Display name, if it has one")?;
        }
        Ok(())
    }

    fn asks_for_recovery(&self) -> Result<bool, Failure> {
        let question = "A new agent, or recover one that exists? [new/recover]";
        let answer = self.asker.ask_if_any(question)?;
        Ok(answer.is_some_and(|answer| answer.to_ascii_lowercase().starts_with('r')))
    }

    fn first_call(&self) -> (&'static str, Value) {
        let mut params = Map::new();
        let mut add = |name: &str, value: &Option<String>| {
            let value = value.as_deref().map(Value::from);
            params.extend(value.map(|value| (name.to_owned(), value)));
        };
        add("email", &self.email);
        add("handle", &self.handle);
        if self.recover {
            return ("agents.recover", params.into());
        }
        add("display_name", &self.display_name);
        ("agents.register", params.into())
    }

    /// The second step, up to [`WRONG_CODES`] times more than once.
    async fn verify(&mut self, pending_id: &str) -> Result<Verdict, Failure> {
        let method = if self.recover {
            "agents.recover_verify"
        } else {
            "agents.verify"
        };
        if self.code.is_none() {
            let to = self.email.as_deref().unwrap_or("your address");
            say(&format!("AgentChat has sent a code to {to}, if it may."));
        }
        let mut left = WRONG_CODES;
        loop {
            let code = match self.code.take() {
                Some(code) => code,
                None => self.asker.ask("Code from the mail", "--code", is_code)?,
            };
            let params = json!({"pending_id": pending_id, "code": code});
            let problem = match self.call(method, params).await {
                Ok(answer) => return Ok(Verdict::Right(answer)),
                Err(problem) => problem,
            };
            if !self.asker.can() {
                return Err(problem.into());
            }
            match problem.code() {
                Some("INVALID_CODE") if left > 0 => {
                    left -= 1;
                    problem.say();
                }
                Some("EXPIRED") => {
                    say(
                        "The code has expired, or was used. Once more from the beginning: a new \
                         one is sent.",
                    );
                    return Ok(Verdict::StartOver);
                }
                Some("HANDLE_TAKEN" | "INVALID_HANDLE" | "HANDLE_REQUIRED") => {
                    problem.say();
                    let handle = self.asker.ask("Handle", "--handle", is_handle)?;
                    self.handle = Some(bare(handle));
                    return Ok(Verdict::StartOver);
                }
                _ => return Err(problem.into()),
            }
        }
    }

    /// The daemon's word for where the key is.
    fn kept(&self, answer: &Value) -> Result<Kept, Failure> {
        if flag(answer, "saved") {
            return Ok(Kept {
                place: text(answer, "saved_in").map(str::to_owned),
                warning: text(answer, "warning").map(str::to_owned),
            });
        }
        let why = text(answer, "not_saved").unwrap_or("the daemon does not say why");
        Err(Failure::failed(format!(
            "AgentChat has given a key, but the daemon did not keep it ({why}); mend that, then \
             get a new one with `agentchatctl login --recover`"
        )))
    }

    async fn call(&self, method: &str, params: Value) -> Result<Value, Problem> {
        let hub = self.session.connect().await?;
        let answer = hub.attempt(method, &params).await;
        let answer = answer.map_err(|error| Problem::of_call(method, &error))?;
        Ok(value(&answer)?)
    }
}

fn bare(handle: String) -> String {
    handle
        .strip_prefix('@')
        .map_or_else(|| handle.clone(), str::to_owned)
}

fn pending_id(answer: &Value) -> Result<String, Failure> {
    // Older servers say so where no agent has the address.
    text(answer, "pending_id")
        .map(str::to_owned)
        .ok_or_else(|| {
            Failure::failed(
                "AgentChat has sent no code: no agent has this address; check it, or register one \
             without --recover",
            )
        })
}

/// How often a wrong code is asked for again.
const WRONG_CODES: u32 = 3;
/// How often it begins anew.
const MAX_ROUNDS: u32 = 5;
