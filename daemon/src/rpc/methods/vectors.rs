//! Each request of the official SDK, against what the same call of the local API asks for: method,
//! target byte for byte, content type, body. Headers that every request has are the REST client's,
//! and are held against the vectors there.

use agentchatd_client::api::{self, Method};
use agentchatd_client::params::parse_params;
use agentchatd_client::types::{ClientMsgId, FileSource, ImageType};
use serde_json::Value;
use tokio::time::Instant;

use crate::calls::{Picture, PlatformCall, Request, for_each_call};
use crate::rpc::methods::draft::draft;
use crate::rpc::transfer;

const VECTORS: [&str; 2] = [
    include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/vectors/requests-1.0.3.json"
    )),
    include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/vectors/requests-1.1.1.json"
    )),
];

/// Methods of the vectors that do not exist yet.
const NOT_BUILT: &[&str] = &[];

/// What a call asks of the platform.
#[derive(Debug, PartialEq)]
struct Asked {
    method: String,
    target: String,
    content_type: Option<String>,
    body: Vec<u8>,
}

/// What the call of a row would ask for; `None` where there is no such method.
fn asked(row: &Value) -> Option<Asked> {
    macro_rules! by_name {
        ($($method:ident,)*) => {
            match row["rpc"].as_str().expect("a row names its method") {
                $(api::$method::NAME => Some(of_call::<api::$method>(row)),)*
                api::AgentsRotateKey::NAME => Some(of_call::<api::AgentsRotateKey>(row)),
                api::AgentsRotateKeyVerify::NAME => {
                    Some(of_call::<api::AgentsRotateKeyVerify>(row))
                }
                api::MessagesSend::NAME => Some(of_send(row)),
                api::AgentsSetAvatar::NAME => Some(of_agents_picture(row)),
                api::GroupsSetAvatar::NAME => Some(of_groups_picture(row)),
                _ => None,
            }
        };
    }
    for_each_call!(by_name)
}

fn params<M: Method>(row: &Value) -> M::Params {
    parse_params::<M>(Some(&row["params"].to_string()))
        .unwrap_or_else(|error| panic!("{row}: {error}"))
}

fn of_call<M: PlatformCall>(row: &Value) -> Asked {
    let request = M::request(&params::<M>(row), None);
    of_request(&request.expect("each row names its handle"))
}

/// A send goes through the outbox; its body is made when it is accepted.
fn of_send(row: &Value) -> Asked {
    let params = params::<api::MessagesSend>(row);
    let id: &ClientMsgId = params
        .client_msg_id
        .as_ref()
        .expect("each row names its id");
    let draft = draft(&params, id, Instant::now()).expect("each row can be sent");
    of_request(&Request::post(&["v1", "messages"]).json(draft.body))
}

/// The bytes of a picture are read before the request is made.
fn of_agents_picture(row: &Value) -> Asked {
    let params = params::<api::AgentsSetAvatar>(row);
    let handle = params.handle.as_ref().expect("each row names its handle");
    let picture = picture(&params.source, params.content_type);
    of_request(&picture.of_agent(handle.as_str()))
}

fn of_groups_picture(row: &Value) -> Asked {
    let params = params::<api::GroupsSetAvatar>(row);
    let picture = picture(&params.source, params.content_type);
    of_request(&picture.of_group(params.group_id.as_str()))
}

fn picture(source: &FileSource, told: Option<ImageType>) -> Picture {
    let FileSource::Base64(data) = source else {
        panic!("each row brings its bytes");
    };
    let bytes = transfer::decoded(data).expect("base64");
    Picture::new(bytes, told).expect("a picture")
}

fn of_request(request: &Request) -> Asked {
    let (content_type, body) = request.body().unzip();
    Asked {
        method: request.method().to_string(),
        target: request.target().to_owned(),
        content_type: content_type.map(str::to_owned),
        body: body.unwrap_or_default().to_vec(),
    }
}

fn rows() -> impl Iterator<Item = Value> {
    let files = VECTORS.map(|file| serde_json::from_str::<Vec<Value>>(file).expect("rows"));
    files.into_iter().flatten()
}

#[test]
fn every_call_asks_for_what_the_official_sdk_asks_for() {
    let mut not_built = std::collections::BTreeSet::new();
    let mut compared = 0;
    for row in rows() {
        let Some(asked) = asked(&row) else {
            not_built.insert(row["rpc"].as_str().unwrap_or_default().to_owned());
            continue;
        };
        let wanted = &row["http"];
        assert_eq!(wanted["method"], asked.method, "{row}");
        assert_eq!(wanted["target"], asked.target, "{row}");
        let content_type = wanted["headers"]["content-type"].as_str();
        assert_eq!(asked.content_type.as_deref(), content_type, "{row}");
        match (wanted.get("json"), wanted["body_hex"].as_str()) {
            (Some(json), _) => {
                let body: Value = serde_json::from_slice(&asked.body).expect("a JSON body");
                assert_eq!(&body, json, "{row}");
            }
            (None, hex) => assert_eq!(hex_of(&asked.body), hex.unwrap_or_default(), "{row}"),
        }
        compared += 1;
    }
    assert!(compared > 0, "there are rows of methods that exist");
    assert_eq!(
        not_built.into_iter().collect::<Vec<_>>(),
        NOT_BUILT,
        "a method that exists stands in the list of those to come, or the other way round"
    );
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
