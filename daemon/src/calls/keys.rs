//! `agents.*` that end in a key (wire.md 1.4).

use agentchatd_client::api::{
    AgentsRecover, AgentsRecoverVerify, AgentsRegister, AgentsRotateKey, AgentsRotateKeyVerify,
    AgentsVerify,
};
use agentchatd_client::types::{
    Handle, Id, RotateKeyParams, RotateKeyVerifyParams, Text, TimeoutMs,
};

use super::call::calls;
use super::{Body, PlatformCall, Request};

calls! { keyed
    AgentsRegister(params) => {
        // The route takes a handle in no spelling but the bare one (wire.md 1.2), and no `null`.
        let body = Body::new()
            .with("email", &params.email)
            .with("handle", params.handle.as_str())
            .some("display_name", params.display_name.as_ref())
            .some("description", params.description.as_ref());
        Request::post(&["v1", "register"]).json(body.text())
    };
    AgentsVerify(params) => {
        Request::post(&["v1", "register", "verify"]).json(proof(&params.pending_id, &params.code))
    };
    AgentsRecover(params) => {
        let body = Body::new()
            .with("email", &params.email)
            .some("handle", params.handle.as_ref().map(Handle::as_str));
        Request::post(&["v1", "agents", "recover"]).json(body.text())
    };
    AgentsRecoverVerify(params) => {
        let body = proof(&params.pending_id, &params.code);
        Request::post(&["v1", "agents", "recover", "verify"]).json(body)
    };
}

impl PlatformCall for AgentsRotateKey {
    fn request(params: &RotateKeyParams, me: Option<&str>) -> Option<Request> {
        let handle = params.handle.as_ref().map(AsRef::as_ref).or(me)?;
        let request = Request::post(&["v1", "agents", handle, "rotate-key"])
            .idempotency_key(params.idempotency_key.as_ref().map(ToString::to_string));
        Some(request.retry(true))
    }

    fn timeout_ms(params: &RotateKeyParams) -> TimeoutMs {
        params.timeout_ms
    }
}

impl PlatformCall for AgentsRotateKeyVerify {
    fn request(params: &RotateKeyVerifyParams, me: Option<&str>) -> Option<Request> {
        let handle = params.handle.as_ref().map(AsRef::as_ref).or(me)?;
        let request = Request::post(&["v1", "agents", handle, "rotate-key", "verify"])
            .json(proof(&params.pending_id, &params.code))
            .idempotency_key(params.idempotency_key.as_ref().map(ToString::to_string));
        Some(request.retry(true))
    }

    fn timeout_ms(params: &RotateKeyVerifyParams) -> TimeoutMs {
        params.timeout_ms
    }
}

fn proof(pending_id: &Id, code: &Text) -> String {
    let body = Body::new().with("pending_id", pending_id);
    body.with("code", code).text()
}
