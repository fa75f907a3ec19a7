"""Where the daemon does other than the SDK, and why. What stands here and is no difference any more fails the judge."""

from dataclasses import dataclass
from typing import Callable


def same(value):
    return value


@dataclass(frozen=True)
class Difference:
    """Both sides are alike once each went through its function."""

    why: str
    sdk: Callable = same
    daemon: Callable = same


def without(*names):
    """Rows or an object without some members."""
    def of(value):
        if isinstance(value, list):
            return [of(row) for row in value]
        return {name: member for name, member in value.items() if name not in names}
    return of


def without_null(request):
    return request | {"body": {name: value for name, value in request["body"].items() if value is not None}}


def typed_by_its_bytes(request):
    return request | {"headers": request["headers"] | {"content-type": "image/png"}}


def no_more_than_wanted(request):
    return request | {"target": request["target"].replace("limit=100", "limit=1")}


def without_key(request):
    return request | {"headers": without("idempotency-key")(request["headers"])}


def of_any_size(requests):
    return [request | {"target": request["target"].partition("?")[0]} for request in requests]


def without_last_look(requests):
    """Once only: any further look is a difference."""
    return of_any_size(requests[:-1])


PICTURE = Difference("a picture whose kind is not told is sent as what its first bytes say, not as bytes of any kind",
                     sdk=typed_by_its_bytes)
# Of each request.
REQUESTS = {
    "register": Difference("what was not given is left out; the SDK sends null", sdk=without_null),
    "send_message": Difference("the platform knows no key for it, `client_msg_id` is what counts (wire.md 1.6)",
                               sdk=without_key),
    "set_avatar": PICTURE,
    "set_group_avatar": PICTURE,
    "search_agents_all": Difference("no page is larger than what is wanted of the list", sdk=no_more_than_wanted),
}

CONNECTED = "the daemon is connected, which the SDK's plain client is not"
TAKEN = "the daemon has taken and acknowledged what the peer sent"
SAVED = Difference("the daemon says whether and where it keeps the key (local-api.md 5)",
                   daemon=without("saved", "saved_in"))
WHOLE_LIST = "a whole list comes in the server's envelope (local-api.md 5)"
# Of the answer.
ANSWERS = {
    "update_agent": Difference(CONNECTED, sdk=without("last_seen_at"), daemon=without("last_seen_at")),
    "send_message": Difference("the daemon adds what its outbox knows (local-api.md 5)",
                               daemon=lambda answer: {"message": answer["message"]}),
    "get_messages": Difference(TAKEN, sdk=without("status", "delivered_at"), daemon=without("status", "delivered_at")),
    "sync": Difference(TAKEN, sdk=type, daemon=type),
    "contacts": Difference(WHOLE_LIST, daemon=lambda answer: answer["contacts"]),
    "search_agents_all": Difference(WHOLE_LIST, daemon=lambda answer: answer["agents"]),
    "get_attachment_download_url": Difference("results are objects (local-api.md 5)",
                                              daemon=lambda answer: answer["url"]),
    "verify": SAVED,
    "recover_verify": SAVED,
    "rotate_key_verify": SAVED,
}

# Of all requests together that a method of the SDK's realtime client makes.
TRAFFIC = {
    "drain_offline_envelopes": Difference(
        "the daemon asks for larger pages, and a page that is not full is no end to it: it looks until nothing is left",
        sdk=of_any_size, daemon=without_last_look),
}

# Public members of the SDK's realtime client that have no twin among the methods of the local API.
OF_REALTIME_ALONE = {
    "connect": "the daemon connects by itself, and greets in its own way",
    "disconnect": "ends the client; the daemon stays connected",
    "is_connected": "a state, which `daemon.status` tells without asking the platform",
    "on": "`events.subscribe`, which asks nothing of the platform",
    "on_connect": "an event of `events.subscribe`",
    "on_disconnect": "an event of `events.subscribe`",
    "on_error": "errors of the connection are the daemon's to deal with",
}
# Public methods of the SDK's client that the local API has not got.
OF_SDK_ALONE = {
    "close": "ends the client; the daemon lives on",
    "sync_ack": "the cursor is the daemon's own (local-api.md 5)",
}
# Methods of the local API that the SDK's client has not got; a whole namespace ends with a dot.
OF_DAEMON_ALONE = {
    "attachments.download": "makes requests to the storage host, which the SDK leaves to its caller",
    "attachments.upload": "makes requests to the storage host, which the SDK leaves to its caller",
    "conversations.context": "only the TypeScript SDK has it",
    "webhooks.verify": "asks nothing of the platform",
    "consumers.": "local", "daemon.": "local", "events.": "local", "outbox.": "local", "rpc.": "local",
}
