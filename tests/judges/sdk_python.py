"""Judge: the official Python SDK against the sandbox. It runs inside a virtual environment that holds one release of
it and is told by environment where the sandbox is. Nothing here knows how the sandbox works; the peer and the switches
are plain HTTP."""

import asyncio
import json
import os
import urllib.request

import agentchatme as sdk
from every_call import Caller, methods

BASE, FORM = os.environ["SANDBOX_URL"], os.environ["SYNC_FORM"]
KEY, PEER_KEY = os.environ["JUDGED_KEY"], os.environ["PEER_KEY"]
RELEASE = os.environ["SDK_RELEASE"]
PATIENCE_S = 10


def http(method, path, body=None, key=PEER_KEY):
    """A request of the peer, or to the sandbox's switches, without any SDK."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(BASE + path, data, headers, method=method)) as answer:
        return json.loads(answer.read() or b"null")


def from_peer(text):
    body = {"to": "judged", "client_msg_id": f"peer-{text}", "content": {"text": text}}
    return http("POST", "/v1/messages", body)


def same(what, given, wanted):
    if given != wanted:
        raise SystemExit(f"    {what}: {given!r}, not {wanted!r}")


def holds(what, truth):
    if not truth:
        raise SystemExit(f"    {what}: does not hold")


async def until(what, condition):
    """Waits for a condition of this process."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while not condition():
        if asyncio.get_running_loop().time() > deadline:
            raise SystemExit(f"    {what}: not within {PATIENCE_S} s")
        await asyncio.sleep(0.01)


def rows_of(page):
    """Messages and cursors of a sync page, in the form of this release."""
    if FORM == "documented103":
        return [(e["message"], e["delivery_id"]) for e in page["envelopes"]]
    return [(row, row["delivery_id"]) for row in page]


async def sends(client):
    first = (await client.send_message(to="@peer", text="one", client_msg_id="judge-1")).message
    same("sender", first["sender"], "judged")
    same("content", first["content"], {"text": "one"})
    again = (await client.send_message(to="@peer", text="one", client_msg_id="judge-1")).message
    same("id of a replay", again["id"], first["id"])
    second = (await client.send_message(to="peer", text="two")).message
    same("seq", second["seq"], first["seq"] + 1)
    history = await client.get_messages(first["conversation_id"], after_seq=0)
    same("history", [row["content"]["text"] for row in history], ["one", "two"])
    same("own handle", (await client.get_me())["handle"], "judged")


async def drains_and_receives(client):
    offline = [from_peer(f"offline {i}")["id"] for i in range(5)]
    got, errors, connected = [], [], []
    realtime = sdk.RealtimeClient(api_key=KEY, base_url=BASE.replace("http", "ws", 1), client=client)
    realtime.on("message.new", lambda frame: got.append(frame["payload"]))
    realtime.on_error(errors.append)
    realtime.on_connect(lambda: connected.append(True))
    await realtime.connect()
    await until("hello.ok", lambda: connected)
    await until("offline messages", lambda: {m["id"] for m in got} >= set(offline))
    live = []
    for i in range(10):
        live.append((await asyncio.to_thread(from_peer, f"live {i}"))["id"])
    await until("live messages", lambda: {m["id"] for m in got} >= set(live))
    order = [m["id"] for m in got if m["id"] in live]
    same("order of live messages", list(dict.fromkeys(order)), live)
    await until("everything settled", lambda: not rows_of(http("GET", "/v1/messages/sync", key=KEY)))
    same("errors of the realtime client", [str(e) for e in errors], [])
    await realtime.disconnect()


async def drains_by_hand(client):
    waiting = [(await asyncio.to_thread(from_peer, f"waiting {i}"))["id"] for i in range(3)]
    rows = rows_of(await client.sync())
    same("waiting rows", [message["id"] for message, _ in rows], waiting)
    kind = int if FORM == "documented103" else str
    holds("type of a delivery id", all(isinstance(cursor, kind) for _, cursor in rows))
    later = rows_of(await client.sync(after=rows[0][1]))
    same("rows after the first", [message["id"] for message, _ in later], waiting[1:])
    same("acked", (await client.sync_ack(rows[1][1]))["acked"], 2)
    same("left", [message["id"] for message, _ in rows_of(await client.sync())], waiting[2:])
    same("acked at the end", (await client.sync_ack(rows[2][1]))["acked"], 1)
    same("nothing left", rows_of(await client.sync()), [])


async def raises(wanted, status, code, call):
    try:
        await call
    except sdk.AgentChatError as error:
        same(f"class for {code}", type(error).__name__, wanted)
        same(f"status of {code}", error.status, status)
        same(f"code of {wanted}", error.code, code)
        return error
    raise SystemExit(f"    {wanted} {code}: no error")


def fault(status, code, **more):
    what = {"error": {"status": status, "code": code, **more}}
    http("POST", "/_sandbox/faults", {"http": [{"route": "POST /v1/messages", "times": 1, "what": what}]})


async def sees_typed_errors(client, stranger):
    def send(**more):
        return client.send_message(**({"to": "peer", "text": "x"} | more))

    error = await raises("NotFoundError", 404, "AGENT_NOT_FOUND", send(to="nobody-here"))
    holds("request id of an error", error.request_id)
    error = await raises("ValidationError", 400, "VALIDATION_ERROR", client.send_message(to="peer", content={}))
    holds("fields of a validation error", "content" in error.details["fieldErrors"])
    await raises("UnauthorizedError", 401, "UNAUTHORIZED", stranger.get_me())
    await raises("ForbiddenError", 403, "FORBIDDEN", client.get_messages("conv_unknown"))
    http("POST", "/v1/contacts/judged/block")
    await raises("BlockedError", 403, "BLOCKED", send())
    http("DELETE", "/v1/contacts/judged/block")
    group = (await client.create_group({"name": "short-lived"}))["group"]["id"]
    await client.delete_group(group)
    error = await raises("GroupDeletedError", 410, "GROUP_DELETED", client.get_group(group))
    same("deleted group", (error.group_id, error.deleted_by_handle), (group, "judged"))
    fault(429, "RATE_LIMITED", retry_after="7")
    same("Retry-After", (await raises("RateLimitedError", 429, "RATE_LIMITED", send())).retry_after_ms, 7000)
    fault(429, "RECIPIENT_BACKLOGGED", details={"recipient_handle": "peer", "undelivered_count": 10000})
    error = await raises("RecipientBackloggedError", 429, "RECIPIENT_BACKLOGGED", send())
    same("backlog", (error.recipient_handle, error.undelivered_count), ("peer", 10000))
    fault(403, "SUSPENDED", extra={"reason": "community_enforcement"})
    await raises("SuspendedError", 403, "SUSPENDED", send())
    fault(403, "RESTRICTED")
    await raises("RestrictedError", 403, "RESTRICTED", send())
    fault(403, "AWAITING_REPLY", details={"recipient_handle": "peer", "waiting_since": "2026-01-01T00:00:00Z"})
    same("waiting", (await raises("AwaitingReplyError", 403, "AWAITING_REPLY", send())).recipient_handle, "peer")
    http("POST", "/_sandbox/faults", {"http": [{"route": "POST /v1/messages", "times": 1, "what": {"html": 502}}]})
    await raises("ServerError", 502, "INTERNAL_ERROR", send())
    await send()


async def calls_every_method(client):
    """Both kinds of client, each with agents of its own."""
    for tag, kind in (("a", "AsyncAgentChatClient"), ("s", "AgentChatClient")):
        names = {"me": f"judge-{tag}", "peer": f"judge-peer-{tag}", "other": f"judge-other-{tag}",
                 "new": f"judge-new-{tag}", "new_email": f"{tag}@people.test", "tag": tag}
        await Caller(sdk, kind, BASE, names, agent, fail).run(RELEASE)


def agent(handle):
    return http("POST", "/_sandbox/agents", {"handle": handle})["key"]


def fail(text):
    raise SystemExit(f"    {text}")


async def uses_the_rest_of_the_socket(client):
    """What `drains_and_receives` leaves over; together every public method of the realtime client."""
    gone, got = [], []
    realtime = sdk.RealtimeClient(api_key=KEY, base_url=BASE.replace("http", "ws", 1), client=client)
    realtime.on_disconnect(gone.append)
    realtime.on("message.new", lambda frame: got.append(frame["payload"]["id"]))
    await realtime.connect()
    await until("a connection", lambda: realtime.is_connected)
    sent = await asyncio.to_thread(from_peer, "to be read")
    await until("the message", lambda: sent["id"] in got)
    read = {"conversation_id": sent["conversation_id"], "through_seq": sent["seq"]}
    await realtime.send({"type": "message.read_ack", "payload": read})
    await realtime.drain_offline_envelopes()
    await until("read by frame", lambda: row_of(sent)["status"] == "read")
    await asyncio.to_thread(http, "POST", "/_sandbox/cut", {"agent": "judged", "cut": "reset"})
    await until("the end of the connection", lambda: gone)
    await realtime.disconnect()
    holds("the client knows that it is not connected", not realtime.is_connected)
    used = {"connect", "disconnect", "on", "on_connect", "on_disconnect", "on_error", "send", "drain_offline_envelopes",
            "on_sequence_gap"}
    same("methods of the realtime client that are never called", methods(sdk.RealtimeClient) - used, set())


def row_of(message):
    rows = http("GET", f"/v1/messages/{message['conversation_id']}?limit=200", key=KEY)
    return next(row for row in rows if row["id"] == message["id"])


async def main():
    never = sdk.RetryPolicy(max_retries=0)
    client = sdk.AsyncAgentChatClient(api_key=KEY, base_url=BASE, retry=never)
    stranger = sdk.AsyncAgentChatClient(api_key="ac_nobody_knows_this_key", base_url=BASE, retry=never)
    for step in (sends, drains_and_receives, drains_by_hand, uses_the_rest_of_the_socket, calls_every_method):
        await step(client)
        print(f"    {step.__name__.replace('_', ' ')}")
    await sees_typed_errors(client, stranger)
    print("    sees typed errors")
    await client.aclose()
    await stranger.aclose()


asyncio.run(main())
