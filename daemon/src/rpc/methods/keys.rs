//! `agents.*` that end in a key: registration, recovery, rotation (`local-api.md` 5 and 7).
//!
//! The key comes once, in one answer. From the moment in which the request is out, the work no
//! longer hangs on its caller: it is a task of its own, which keeps the key although the caller
//! went away or its time is over. Whatever fails behind the answer stands in the answer.

use std::sync::Arc;
use std::time::Duration;

use agentchatd_client::api::{
    AgentsRecover, AgentsRecoverVerify, AgentsRegister, AgentsRotateKey, AgentsRotateKeyVerify,
    AgentsVerify,
};
use agentchatd_client::{Method, RpcError};
use jsonrpsee::RpcModule;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use crate::calls::{PlatformCall, Request};
use crate::command::{CallFailure, Command};
use crate::credentials::{Agent, ApiKey, Reserved};
use crate::failpoint;
use crate::hub::{Hub, Upstream};
use crate::rpc::client::Shared;
use crate::rpc::errors;
use crate::rpc::methods::ask::Ask;
use crate::rpc::methods::key_answer::{Fate, KeyAnswer};
use crate::rpc::methods::table::{Call, add};

pub(super) fn register(module: &mut RpcModule<()>) {
    add::<AgentsRegister, _, _, _>(module, begin_registration);
    add::<AgentsVerify, _, _, _>(module, verify);
    add::<AgentsRecover, _, _, _>(module, recover);
    add::<AgentsRecoverVerify, _, _, _>(module, recover_verify);
    add::<AgentsRotateKey, _, _, _>(module, rotate_key);
    add::<AgentsRotateKeyVerify, _, _, _>(module, rotate_key_verify);
}

async fn begin_registration(call: Call<AgentsRegister>) -> Result<Box<RawValue>, RpcError> {
    let anonymous = Arc::clone(&call.hub().anonymous);
    pass(&call, anonymous).await
}

async fn recover(call: Call<AgentsRecover>) -> Result<Box<RawValue>, RpcError> {
    #[derive(Deserialize)]
    struct Begun {
        pending_id: String,
    }
    let anonymous = Arc::clone(&call.hub().anonymous);
    let answer = pass(&call, anonymous).await?;
    if let Some(handle) = &call.params.handle
        && let Ok(Begun { pending_id }) = serde_json::from_str(answer.get())
    {
        let handle = handle.as_str().to_owned();
        call.shared().desk.remember(pending_id, handle);
    }
    Ok(answer)
}

async fn rotate_key(call: Call<AgentsRotateKey>) -> Result<Box<RawValue>, RpcError> {
    let upstream = own(call.shared())?;
    pass(&call, upstream).await
}

async fn verify(call: Call<AgentsVerify>) -> Result<Box<RawValue>, RpcError> {
    if call.params.save
        && let Some(me) = call.hub().feed.me()
    {
        let text = format!(
            "this state dir is @{me}'s, and a verified registration makes another agent: give it a \
             daemon of its own with another --state-dir, or take the key yourself with save: false"
        );
        return Err(errors::invalid_params("/save", text));
    }
    let change = Change {
        save: call.params.save,
        agent: Agent::New,
        handle: None,
        ..Change::of(&call).await?
    };
    change.carry_out(call.shared()).await
}

async fn recover_verify(call: Call<AgentsRecoverVerify>) -> Result<Box<RawValue>, RpcError> {
    let handle = call.shared().desk.recovers(call.params.pending_id.as_str());
    if call.params.save
        && let (Some(me), Some(handle)) = (call.hub().feed.me(), &handle)
        && *me != **handle
    {
        return Err(errors::invalid_params("/save", of_another(handle, &me)));
    }
    let change = Change {
        save: call.params.save,
        handle,
        ..Change::of(&call).await?
    };
    change.carry_out(call.shared()).await
}

async fn rotate_key_verify(call: Call<AgentsRotateKeyVerify>) -> Result<Box<RawValue>, RpcError> {
    // Without a key there is nobody to ask as.
    own(call.shared())?;
    let me = call.hub().feed.me().map(|me| me.to_string());
    let named = call.params.handle.as_ref();
    let change = Change {
        save: call.params.save,
        is_keyed: true,
        handle: named.map(|handle| handle.as_str().to_owned()).or(me),
        ..Change::of(&call).await?
    };
    change.carry_out(call.shared()).await
}

/// A call whose answer holds a key.
#[derive(Debug)]
struct Change {
    request: Request,
    /// True where it is made with the key that it replaces.
    is_keyed: bool,
    agent: Agent,
    save: bool,
    /// Whose key it will be, where that is known beforehand.
    handle: Option<String>,
    wait: Duration,
}

impl Change {
    async fn of<M: PlatformCall>(call: &Call<M>) -> Result<Self, RpcError> {
        Ok(Self {
            request: request(call).await?,
            is_keyed: false,
            agent: Agent::Same,
            save: true,
            handle: None,
            wait: wait_of(call),
        })
    }

    /// As a task of its own; the caller waits for it as long as it said.
    async fn carry_out(self, shared: &Arc<Shared>) -> Result<Box<RawValue>, RpcError> {
        let (wait, save) = (self.wait, self.save);
        let work = Arc::clone(shared);
        let working = shared
            .key_changes
            .spawn(async move { self.run(&work).await });
        match timeout(wait + GRACE, working).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(errors::internal("the change of the key failed")),
            Err(_) if save => Err(errors::unavailable(GOES_ON, 1, None, None)),
            Err(_) => Err(errors::unavailable(TIMED_OUT, 1, None, None)),
        }
    }

    /// Whose key would be written over. Of a key that nobody is known to own, only AgentChat can
    /// say that it is the own agent's, or that it is dead.
    async fn prove(&self, hub: &Hub) -> Result<Own, RpcError> {
        let me = hub.feed.me().map(|me| me.to_string());
        let agent = self.agent;
        if me.is_some() || !self.save || self.is_keyed || agent == Agent::New {
            return Ok(Own::of(me, agent));
        }
        match Ask::new(hub, self.wait).who_am_i().await {
            Ok(me) => {
                let me = me.into_string();
                match &self.handle {
                    Some(handle) if *handle != me => {
                        Err(errors::invalid_params("/save", of_another(handle, &me)))
                    }
                    _ => Ok(Own::of(Some(me), agent)),
                }
            }
            Err(CallFailure::Api(error)) if error.status == UNAUTHORIZED => Ok(Own::of(me, agent)),
            // None is used; one that is there all the same is not written over.
            Err(CallFailure::NotConfigured) => Ok(Own::of(me, Agent::New)),
            Err(failure) => {
                let why = errors::call_failure(failure, None).message;
                let text = format!(
                    "AgentChat does not say whose the key is that the new one would replace \
                     ({why}): try again later, or take the key yourself with save: false"
                );
                Err(errors::invalid_params("/save", text))
            }
        }
    }

    async fn run(self, shared: &Shared) -> Result<Box<RawValue>, RpcError> {
        let deadline = Instant::now() + self.wait;
        let Ok(Some(_turn)) = timeout_at(deadline, shared.desk.turn()).await else {
            return Err(errors::overloaded("key_changes", Some(BUSY_RETRY_MS)));
        };
        let hub = &shared.hub;
        let proven = self.prove(hub).await?;
        let upstream = if self.is_keyed {
            own(shared)?
        } else {
            Arc::clone(&hub.anonymous)
        };
        let room = if self.save {
            let room = hub.keys.check(proven.agent).await;
            Some(room.map_err(|reason| {
                let text = format!(
                    "the key could not be kept: {reason}; mend that, or take the key yourself with \
                     save: false"
                );
                errors::invalid_params("/save", text)
            })?)
        } else {
            None
        };
        let proven = Own { room, ..proven };
        // A key that is to be kept is waited for longer than the caller may wait.
        let patience = if self.save {
            self.wait.clamp(KEPT_LEAST, KEPT_MOST)
        } else {
            self.wait
        };
        if self.agent == Agent::Same {
            let within = patience + HOLD_MARGIN;
            let (reply, told) = oneshot::channel();
            tell(shared, Command::ReplacingKey { within, reply }).await?;
            if timeout(DRIVER_ANSWERS, told).await.is_err() {
                return Err(errors::internal("the daemon's main loop does not answer"));
            }
        }
        // From here on the key may be replaced: what has not gone out yet stays, once the daemon
        // stops.
        if shared.stopping.is_cancelled() {
            let _ = tell(shared, Command::ReplacementEnded { lost: None }).await;
            return Err(errors::shutting_down());
        }
        let under_way = UnderWay;
        let request = self.request.clone();
        let answer = match ask(&*upstream, request, patience).await {
            Ok(answer) => answer,
            Err(error) => {
                under_way.end();
                // Where the daemon stops, nobody needs to know any more.
                let _ = tell(shared, Command::ReplacementEnded { lost: None }).await;
                return Err(error);
            }
        };
        failpoint::reach("key-came");
        let (fate, lost) = self.decide(shared, proven, &answer).await;
        under_way.end();
        if !fate.is_kept() && self.agent == Agent::Same {
            let _ = tell(shared, Command::ReplacementEnded { lost }).await;
        }
        Ok(fate.written_into(answer))
    }

    /// What becomes of the key; where it is not kept, also why the daemon's own is dead by it.
    async fn decide(&self, shared: &Shared, own: Own, answer: &RawValue) -> (Fate, Option<String>) {
        let me = shared
            .hub
            .feed
            .me()
            .map(|me| me.to_string())
            .or_else(|| own.me.clone());
        let KeyAnswer { api_key, handle } = KeyAnswer::read(answer);
        let handle = handle.or_else(|| self.handle.clone());
        let is_own = match (&me, &handle) {
            (Some(me), Some(handle)) => me == handle,
            (Some(_), None) => false,
            (None, _) => true,
        };
        let fate = match (api_key, &me, &handle) {
            (None, ..) => Fate::dropped("the answer holds no key"),
            _ if !self.save => Fate::dropped("`save` was false"),
            (Some(_), Some(me), Some(handle)) if !is_own => Fate::dropped(&of_another(handle, me)),
            (Some(_), Some(_), None) => Fate::dropped("the answer does not say whose key it is"),
            (Some(key), ..) => keep(shared, own, &key).await,
        };
        // Who had no handle yet lost the key that it asked with, if any.
        let is_dead = self.agent == Agent::Same && is_own && (me.is_some() || self.is_keyed);
        let lost = fate
            .why_not()
            .filter(|_| is_dead)
            .map(|why| format!("the key was replaced, and the new one is not kept here: {why}"));
        (fate, lost)
    }
}

/// A change of the key between its request and the key on disk. One that is dropped there was cut
/// off, by whatever ended the daemon.
#[derive(Debug)]
struct UnderWay;

impl UnderWay {
    fn end(self) {
        std::mem::forget(self);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        tracing::error!(
            "a change of the API key was cut off: AgentChat may have replaced the key, and the new \
             one is not kept; where the old one is refused from now on, agents.recover brings a \
             new one"
        );
    }
}

/// What a key that is kept replaces.
#[derive(Debug)]
struct Own {
    /// The daemon's own agent.
    me: Option<String>,
    /// What may be there already.
    agent: Agent,
    /// Room for the new key, where it is to be kept.
    room: Option<Reserved>,
}

impl Own {
    fn of(me: Option<String>, agent: Agent) -> Self {
        Self {
            me,
            agent,
            room: None,
        }
    }
}

async fn keep(shared: &Shared, own: Own, key: &str) -> Fate {
    let key = match ApiKey::parse(key) {
        Ok(key) => key,
        Err(error) => return Fate::dropped(&format!("the key {error}")),
    };
    match shared.hub.keys.adopt(own.agent, key, own.room).await {
        Ok(kept) => Fate::kept(kept),
        Err(reason) => {
            tracing::error!(%reason, "a new API key could not be kept");
            Fate::dropped(&reason)
        }
    }
}

/// The platform as the daemon's own agent.
fn own(shared: &Shared) -> Result<Arc<dyn Upstream>, RpcError> {
    let upstream = shared.hub.upstream.borrow().clone();
    upstream.ok_or_else(errors::not_configured)
}

/// The request; where the agent's own handle is needed for it and not known, AgentChat is asked.
async fn request<M: PlatformCall>(call: &Call<M>) -> Result<Request, RpcError> {
    let me = call.hub().feed.me();
    if let Some(request) = M::request(&call.params, me.as_deref()) {
        return Ok(request);
    }
    let asked = Ask::new(call.hub(), wait_of(call)).who_am_i().await;
    let me = asked.map_err(|failure| errors::call_failure(failure, None))?;
    M::request(&call.params, Some(me.as_ref()))
        .ok_or_else(|| errors::internal("the request cannot be made"))
}

fn wait_of<M: PlatformCall>(call: &Call<M>) -> Duration {
    Duration::from_millis(M::timeout_ms(&call.params).get())
}

async fn pass<M: PlatformCall + Method>(
    call: &Call<M>,
    upstream: Arc<dyn Upstream>,
) -> Result<Box<RawValue>, RpcError> {
    ask(&*upstream, request(call).await?, wait_of(call)).await
}

async fn ask(
    upstream: &dyn Upstream,
    request: Request,
    wait: Duration,
) -> Result<Box<RawValue>, RpcError> {
    // The REST client keeps to the time by itself; a moment more, so that it can say what happened.
    let answer = timeout(wait + GRACE, upstream.call(request, wait)).await;
    let json = match answer {
        Ok(answer) => answer.map_err(|failure| errors::call_failure(failure, None))?,
        Err(_) => return Err(errors::unavailable(TIMED_OUT, 1, None, None)),
    };
    RawValue::from_string(json.as_ref().to_owned())
        .map_err(|_| errors::internal("the platform's answer cannot be passed on"))
}

async fn tell(shared: &Shared, command: Command) -> Result<(), RpcError> {
    let sent = shared.hub.commands.send(command).await;
    sent.map_err(|_| errors::shutting_down())
}

fn of_another(handle: &str, me: &str) -> String {
    format!(
        "the key is @{handle}'s, and this state dir is @{me}'s: give @{handle} a daemon of its own \
         with another --state-dir, or take the key yourself with save: false"
    )
}

/// How much longer than the caller's time is waited for the REST client's own word.
const GRACE: Duration = Duration::from_millis(250);
/// How long a key that is to be kept is waited for, whatever its caller's time.
const KEPT_LEAST: Duration = Duration::from_secs(30);
/// The engine holds no refusal longer than two minutes.
const KEPT_MOST: Duration = Duration::from_secs(110);
/// How long the keeping of a key may take behind its answer.
const HOLD_MARGIN: Duration = Duration::from_secs(8);
/// How long the driver has to take note.
const DRIVER_ANSWERS: Duration = Duration::from_secs(5);
/// What a caller is told to wait where another change of the key is under way.
const BUSY_RETRY_MS: u64 = 1_000;

/// The key of the request is dead.
const UNAUTHORIZED: u16 = 401;

const TIMED_OUT: &str = "the time ran out";
const GOES_ON: &str = "the time ran out; the call goes on, and a key that it brings is kept";
