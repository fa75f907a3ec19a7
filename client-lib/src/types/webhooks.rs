//! `webhooks.*`, as far as AgentChat answers them.

use super::call::call_params;
use super::list::List;
use super::text::{Id, Text};

call_params! {
    /// Parameters of `webhooks.create`.
    post WebhooksCreateParams {
        /// Where AgentChat is to post events.
        url: Text,
        /// Which types of events.
        events: List<Text, WEBHOOK_EVENTS_MAX>,
    }
}

call_params! {
    /// Parameters of a call about one webhook.
    WebhookParams {
        /// Which webhook.
        webhook_id: Id,
    }
}

/// Far more than there are types of events.
const WEBHOOK_EVENTS_MAX: usize = 100;
