"""What the SDK's realtime client sends and fetches, and the same through the daemon: frames of the socket, and the
drain of what was not pushed."""

import asyncio
import inspect

import calls
from journal import Journal
from processes import http, until

READ = {"type": "message.read_ack", "payload": {"conversation_id": "$conversation", "through_seq": 2}}
PRESENT = {"type": "presence.update", "payload": {"status": "busy", "custom_message": "judging"}}
CONVERSATION = {"conversation_id": "$conversation"}
# The SDK's frame, the local method and its params.
FRAMES = [
    ({"type": "typing.start", "payload": CONVERSATION}, "typing.start", CONVERSATION),
    ({"type": "typing.stop", "payload": CONVERSATION}, "typing.stop", CONVERSATION),
    (READ, "realtime.send", {"frame": READ}),
    (PRESENT, "realtime.send", {"frame": PRESENT}),
]
LOCAL = {method for _, method, _ in FRAMES} | {"sync.drain"}
# Members of the SDK's realtime client that are compared with them.
COMPARED = {"send", "drain_offline_envelopes"}


def members(kind):
    """Names of all public members that a class has, properties too."""
    return {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")}


class Traffic:
    """What one side did: its frames, and the requests of a drain of one message."""

    def __init__(self, runner):
        self.runner, self.journal = runner, Journal(runner.base)
        self.frames, self.drained = [], []

    async def through_sdk(self, sdk):
        base, key = self.runner.base, self.runner.keys["me"]
        client = sdk.AsyncAgentChatClient(api_key=key, base_url=base)
        realtime = sdk.RealtimeClient(api_key=key, base_url=base.replace("http", "ws", 1), client=client,
                                      reconnect=False, auto_drain_on_connect=False)
        await realtime.connect()
        await asyncio.to_thread(until, "the SDK is connected", lambda: realtime.is_connected)
        for frame, _, _ in FRAMES:
            await self.frame(realtime.send(calls.filled(frame, self.runner.known)))
        # Whatever was left before is taken first, so that both sides find one message.
        await realtime.drain_offline_envelopes()
        self.is_left()
        await realtime.drain_offline_envelopes()
        self.drained = self.journal.fresh()
        await realtime.disconnect()
        await client.aclose()

    async def through_daemon(self, daemon):
        for _, method, params in FRAMES:
            await self.frame(asyncio.to_thread(daemon.call, method, **calls.filled(params, self.runner.known)))
        self.drain(daemon)
        self.is_left()
        self.drained = self.drain(daemon)

    def drain(self, daemon):
        """All requests of a drain: its answer is there before its last look, which finds nothing."""
        self.journal.fresh()
        daemon.call("sync.drain")
        made = []

        def is_over():
            made.extend(self.journal.fresh())
            return made and made[-1]["method"] == "GET"
        until("the drain's last look", is_over)
        return made

    async def frame(self, sending):
        """One frame and what it brought; nobody says that it arrived."""
        before = self.journal.skip()
        await sending
        await asyncio.to_thread(until, "a frame", lambda: self.journal.frames(before))
        self.frames += self.journal.frames(before)

    def is_left(self):
        """The peer writes what is not pushed."""
        known = self.runner.known
        order = {"from": known["peer"], "to": known["me"], "text": f"left {known['tag']}", "quiet": True}
        http(self.runner.base, "POST", "/_sandbox/send", body=order)
        self.journal.fresh()
