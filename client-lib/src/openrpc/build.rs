//! Puts the document together.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::guide::Guide;
use super::platform::Platform;
use super::schemas::{Components, Schemas};
use super::{errors, events, examples};
use crate::api::{METHODS, MethodInfo, SHAPES};

/// The document: `version` is the program's, `page` the text of the protocol page.
///
/// # Panics
/// Never: all that is written here is JSON.
pub fn document(version: &str, page: &str) -> Box<RawValue> {
    let guide = Guide::read(page);
    let platform = Platform::known();
    let mut schemas = Schemas::new();
    let shapes: Vec<_> = SHAPES
        .iter()
        .map(|shape| (schemas.read(shape.params), schemas.written(shape.result)))
        .collect();
    let errors = errors::components(&mut schemas, &guide);
    let events = events::events(&mut schemas);
    let mut notifications = events::notifications(&mut schemas);

    let mut all = schemas.finish();
    all.schemas.extend(platform.schemas.clone());
    all.schemas.extend(events.components);
    events::show(&mut notifications, &guide, &all);
    let errors = Value::Object(errors);
    let methods = METHODS
        .iter()
        .zip(shapes)
        .map(|(info, (mut params, result))| {
            all.point(&mut params);
            let result = platform.result(info.name).unwrap_or(result);
            method(info, params, result, &guide, &errors, &all)
        })
        .collect();
    let document = Document {
        openrpc: OPENRPC,
        info: Info {
            title: "agentchatd",
            version,
            description: ABOUT,
            license: License {
                name: env!("CARGO_PKG_LICENSE"),
            },
        },
        servers: [Server {
            name: "system service",
            summary: "JSON-RPC 2.0 over a Unix socket, one value a line; see the description for others.",
            url: "unix:///run/agentchatd/agentchatd.sock",
        }],
        methods,
        components: Parts {
            schemas: &all.schemas,
            errors: &errors,
        },
        events: events.list,
        notifications,
    };
    to_raw_value(&document).expect("names, texts and JSON values serialize")
}

fn method<'d>(
    info: &'d MethodInfo,
    params: Value,
    result: Value,
    guide: &'d Guide,
    errors: &Value,
    all: &Components,
) -> Method<'d> {
    let namespace = info.name.split('.').next().unwrap_or_default();
    Method {
        name: info.name,
        summary: info.summary,
        description: guide.about.get(info.name).map(String::as_str),
        tags: [Tag { name: namespace }],
        param_structure: "by-name",
        params: parameters(all.resolve(&params)),
        errors: errors::references(info),
        examples: examples::of(info, guide, &params, &result, errors, all),
        result: Parameter {
            name: "result".into(),
            required: None,
            schema: result,
        },
        scope: info.scope.as_str(),
        positional: info.positional,
        upstream: info.upstream,
        params_schema: params,
    }
}

/// The parameters one by one: those that have to be there first, the rest by name.
fn parameters(schema: &Value) -> Vec<Parameter> {
    let required: Vec<_> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    let place = |name: &str| required.iter().position(|required| *required == name);
    let properties = schema["properties"].as_object().into_iter().flatten();
    let mut parameters: Vec<_> = properties
        .map(|(name, schema)| Parameter {
            name: name.clone(),
            required: Some(place(name).is_some()),
            schema: schema.clone(),
        })
        .collect();
    parameters.sort_by_key(|parameter| place(&parameter.name).unwrap_or(usize::MAX));
    parameters
}

#[derive(Serialize)]
struct Document<'d> {
    openrpc: &'d str,
    info: Info<'d>,
    servers: [Server<'d>; 1],
    methods: Vec<Method<'d>>,
    components: Parts<'d>,
    #[serde(rename = "x-events")]
    events: Vec<Value>,
    #[serde(rename = "x-notifications")]
    notifications: Vec<Value>,
}

#[derive(Serialize)]
struct Info<'d> {
    title: &'d str,
    version: &'d str,
    description: &'d str,
    license: License<'d>,
}

#[derive(Serialize)]
struct License<'d> {
    name: &'d str,
}

#[derive(Serialize)]
struct Server<'d> {
    name: &'d str,
    summary: &'d str,
    url: &'d str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Method<'d> {
    name: &'d str,
    summary: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'d str>,
    tags: [Tag<'d>; 1],
    param_structure: &'d str,
    params: Vec<Parameter>,
    result: Parameter,
    errors: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    examples: Vec<Value>,
    #[serde(rename = "x-scope")]
    scope: &'d str,
    #[serde(rename = "x-positional", skip_serializing_if = "Option::is_none")]
    positional: Option<&'d str>,
    #[serde(rename = "x-upstream")]
    upstream: bool,
    #[serde(rename = "x-params")]
    params_schema: Value,
}

#[derive(Serialize)]
struct Tag<'d> {
    name: &'d str,
}

#[derive(Serialize)]
struct Parameter {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    required: Option<bool>,
    schema: Value,
}

#[derive(Serialize)]
struct Parts<'d> {
    schemas: &'d Map<String, Value>,
    errors: &'d Value,
}

/// The version of the specification that the document keeps to.
const OPENRPC: &str = "1.3.2";

const ABOUT: &str = "\
The local API of agentchatd, which keeps an agent's one connection to AgentChat.

- The socket: `$AGENTCHATD_SOCKET`, else `$XDG_RUNTIME_DIR/agentchatd/agentchatd.sock`, else \
`~/.local/state/agentchatd/agentchatd.sock`; of a system service `/run/agentchatd/agentchatd.sock`.
- Parameters go by name. The one that `x-positional` names may stand alone in an array instead. \
`x-params` is the schema of the whole object, with the rules over several members.
- `x-scope` is the scope that a caller needs: `read`, `send` or `admin`, each holding the one before. \
`x-upstream` tells whether a call reaches AgentChat.
- Any request can end with `parse_error`, `invalid_request` or `method_not_found`. `data` of an error is \
the schema of what stands there.
- `x-events` has the types of events, `x-notifications` what comes over a connection unasked. An event of \
a type that is not in the list has the envelope `Event` and any object as its payload.
- Results and events may get more members, and AgentChat's own objects pass through unchanged: \
pass over what you do not know.";
