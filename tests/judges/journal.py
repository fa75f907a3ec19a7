"""Requests that reached the sandbox, in a form in which those of two equal worlds can be compared. Standard library
only. A world is one word that stands in every name of it: handles, addresses, texts."""

import json
import re

from processes import http

# Ids of the platform, of clients, and the signatures in addresses of the storage host.
IDS = re.compile(r"\b[a-z]{2,7}_[A-Za-z0-9_-]{16,}|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{64}\b")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
# Headers whose values are compared; of `authorization` the sandbox tells only that it was there, and whose key it was.
COMPARED = ("authorization", "content-type", "idempotency-key")
# What the daemon may add to the headers of the SDK (wire.md 1.1).
ADDED = {"user-agent", "x-agentchat-client", "x-agentchat-client-version", "x-request-id"}
# Requests that the daemon makes for itself, whenever it likes: it looks whose key it has, drains, acknowledges, and looks
# holes up in history. They are passed over where the SDK's call makes no such request.
OWN = [
    ("GET", "/v1/agents/me"),
    ("GET", "/v1/messages/sync"),
    ("POST", "/v1/messages/sync/ack"),
    ("GET", "/v1/conversations"),
    ("GET", "/v1/messages/<id>"),
]


class Journal:
    """The sandbox's journal, read piece by piece."""

    def __init__(self, url):
        self.url, self.next = url, 0

    def fresh(self):
        """Requests since the last look."""
        answer = http(self.url, "GET", f"/_sandbox/requests/{self.next}")
        self.next = answer["next"]
        return answer["requests"]

    def skip(self):
        """Where the journal ends."""
        self.fresh()
        return self.next

    def frames(self, since):
        """Frames of clients from there on, but for hello and acknowledgements, which are other entries."""
        entries = http(self.url, "GET", f"/_sandbox/journal/{since}")
        return [entry["whole"] for entry in entries if entry["kind"] == "client_frame"]


class Roles:
    """Replaces what differs between equal worlds by the role that it plays: ids by the order in which they come up."""

    def __init__(self, world):
        self.world, self.ids = world, {}

    def of(self, value):
        if isinstance(value, str):
            return TIME.sub("<time>", IDS.sub(self.role, value.replace(self.world, "<world>")))
        if isinstance(value, dict):
            return {self.of(name): self.of(value[name]) for name in sorted(value)}
        return [self.of(one) for one in value] if isinstance(value, (list, tuple)) else value

    def role(self, found):
        kind = found.group().partition("_")[0] if "_" in found.group() else "hex"
        return self.ids.setdefault(found.group(), f"<{kind} {len(self.ids) + 1}>")


def compared(request):
    """What is compared of a request, with the names of all its headers aside."""
    headers = {name: value for name, value in request["headers"] if name in COMPARED}
    body = request["body"]
    if headers.get("content-type") == "application/json":
        body = json.loads(body)
    elif body:
        length = dict(request["headers"]).get("content-length")
        body = {"text": body, "length": length}
    return {name: request[name] for name in ("agent", "method", "target", "status")} | {"headers": headers, "body": body}


def shape(request):
    """Method and path of a request, whatever world it is of."""
    return request["method"], IDS.sub("<id>", request["target"].partition("?")[0])


def without_own(requests, like):
    """The daemon's requests without those that it makes for itself, but for as many as the SDK made of that kind."""
    kept, left = [], [shape(request) for request in like]
    for request in requests:
        kind = shape(request)
        if kind in left:
            left.remove(kind)
        elif kind in OWN:
            continue
        kept.append(request)
    return kept


def added_headers(request, like):
    """Names of headers that one request has and the other has not, beside those that the daemon may add."""
    names = {name for name, _ in request["headers"]}
    return names - {name for name, _ in like["headers"]} - ADDED
