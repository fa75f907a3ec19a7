//! Reading the parameters of a call for a server: every refusal says where in `params` it stands.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_path_to_error::{Path, Segment};

use crate::api::Method;
use crate::error::{ErrorCode, InvalidParamsData, RpcError, push_pointer, without_position};

/// Parameters that a method refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidParams {
    /// A JSON Pointer into `params`; a missing member is pointed at where it should be.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

impl fmt::Display for InvalidParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            write!(f, "invalid params: {}", self.reason)
        } else {
            write!(f, "invalid params at {}: {}", self.path, self.reason)
        }
    }
}

impl std::error::Error for InvalidParams {}

impl From<InvalidParams> for RpcError {
    fn from(error: InvalidParams) -> Self {
        let message = error.to_string();
        let data = InvalidParamsData {
            path: error.path,
            reason: error.reason,
        };
        Self::new(ErrorCode::InvalidParams, message).with_data(&data)
    }
}

/// Reads the `params` of a call of `M`: an object; or, where the method has a member that may stand
/// alone, an array with its value; or nothing at all, which is the empty object.
///
/// # Errors
/// Points at what is wrong.
pub fn parse_params<M: Method>(params: Option<&str>) -> Result<M::Params, InvalidParams> {
    let params = params.map_or("{}", str::trim_ascii);
    if !params.starts_with('[') {
        return parse_object(params);
    }
    let values: Vec<&RawValue> = serde_json::from_str(params)
        .map_err(|error| refused(String::new(), without_position(&error)))?;
    match (values.as_slice(), M::POSITIONAL) {
        ([], _) => parse_object("{}"),
        ([value], Some(member)) => {
            // The caller's value stands at `/0`, whatever its member would be called.
            parse_object(&format!("{{\"{member}\":{}}}", value.get())).map_err(|mut error| {
                if let Some(rest) = error.path.strip_prefix(&format!("/{member}")) {
                    error.path = format!("/0{rest}");
                }
                error
            })
        }
        (_, Some(member)) => Err(refused(
            "/1".into(),
            format!("only `{member}` goes by position"),
        )),
        (_, None) => Err(refused(
            String::new(),
            "this method takes its parameters by name".into(),
        )),
    }
}

fn parse_object<T: DeserializeOwned>(json: &str) -> Result<T, InvalidParams> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = pointer(error.path());
        place(path, without_position(error.inner()))
    })
}

/// Puts the rest of the path behind the place that serde knows: a missing or doubled member, and what
/// the crate's own rules say in their text.
fn place(mut path: String, reason: String) -> InvalidParams {
    for beginning in ["missing field `", "duplicate field `"] {
        if let Some(member) = reason
            .strip_prefix(beginning)
            .and_then(|rest| rest.strip_suffix('`'))
        {
            push_pointer(&mut path, member);
            return refused(path, reason);
        }
    }
    if let Some((inner, said)) = reason
        .strip_prefix("at /")
        .and_then(|rest| rest.rsplit_once(": "))
    {
        path.push('/');
        path.push_str(inner);
        return refused(path, said.to_owned());
    }
    refused(path, reason)
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => push_pointer(&mut pointer, &index.to_string()),
            Segment::Map { key } => push_pointer(&mut pointer, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn refused(path: String, reason: String) -> InvalidParams {
    InvalidParams { path, reason }
}
