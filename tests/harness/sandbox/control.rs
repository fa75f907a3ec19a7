//! Control routes.
use super::platform::Answer;
use super::shared::Shared;
use std::sync::Arc;
pub(crate) const PREFIX: &str = "/_sandbox/";
pub(crate) fn answer(_shared: &Arc<Shared>, _method: &str, _path: &str, _body: &[u8]) -> Answer {
    Answer::no_route()
}
