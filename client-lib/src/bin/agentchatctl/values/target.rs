//! Whom or what a command is about: `@handle` or the id of a conversation.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

/// An agent or a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// An agent, without `@`.
    Agent(String),
    /// A conversation by its id.
    Conversation(String),
}

impl FromStr for Target {
    type Err = Infallible;

    /// Ids of conversations hold an underscore and handles never do, so the `@` may be left out.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.strip_prefix('@') {
            Some(handle) => Self::Agent(handle.to_owned()),
            None if text.contains('_') => Self::Conversation(text.to_owned()),
            None => Self::Agent(text.to_owned()),
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(handle) => write!(f, "@{handle}"),
            Self::Conversation(id) => f.write_str(id),
        }
    }
}

impl Target {
    /// Adds the member that names it in parameters.
    pub(crate) fn name_in(&self, params: &mut Map<String, Value>) {
        match self {
            Self::Agent(handle) => params.insert("to".into(), handle.as_str().into()),
            Self::Conversation(id) => params.insert("conversation_id".into(), id.as_str().into()),
        };
    }
}

/// A handle, with its `@` or without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HandleArg(pub(crate) String);

impl FromStr for HandleArg {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.strip_prefix('@').unwrap_or(text).to_owned()))
    }
}

impl fmt::Display for HandleArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_and_ids_are_told_apart() {
        let target = |text: &str| text.parse::<Target>().unwrap().to_string();
        assert_eq!(target("@bob"), "@bob");
        assert_eq!(target("bob"), "@bob");
        assert_eq!(target("grp_abc"), "grp_abc");
        assert_eq!(target("conv_a-b"), "conv_a-b");
    }
}
