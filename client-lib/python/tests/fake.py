"""A daemon whose every line is told by the test."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

#: Far longer than anything here takes; only a failing test waits for it.
PATIENCE_S = 20.0


class Peer:
    """A client, as the daemon sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def request(self) -> Any:
        """The next request, or None where the client is gone."""
        line = await asyncio.wait_for(self.reader.readline(), PATIENCE_S)
        return json.loads(line) if line else None

    async def answer(self, request: Any, result: Any) -> None:
        await self.say({"jsonrpc": "2.0", "id": request["id"], "result": result})

    async def refuse(self, request: Any, code: int, data: Any = None) -> None:
        error = {"code": code, "message": "no"} | ({} if data is None else {"data": data})
        await self.say({"jsonrpc": "2.0", "id": request["id"], "error": error})

    async def notify(self, method: str, params: Any) -> None:
        await self.say({"jsonrpc": "2.0", "method": method, "params": params})

    async def events(self, offsets: Iterable[int]) -> None:
        for offset in offsets:
            await self.raw(event_line(offset))

    async def say(self, value: Any) -> None:
        await self.raw(json.dumps(value).encode() + b"\n")

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def gone(self) -> None:
        """Waits until the client has closed the connection."""
        while await asyncio.wait_for(self.reader.read(65536), PATIENCE_S):
            pass

    def drop(self) -> None:
        self.writer.close()


class FakeDaemon:
    """Listens; `async with` starts and stops it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fake-")
        self.path = str(Path(self._folder.name) / "s.sock")
        self._waiting: asyncio.Queue[Peer] = asyncio.Queue()
        self._peers: list[Peer] = []

    async def __aenter__(self) -> FakeDaemon:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.away()
        for peer in self._peers:
            peer.drop()
        self._folder.cleanup()

    async def listen(self) -> None:
        self._server = await asyncio.start_unix_server(self._accepted, self.path)

    def away(self) -> None:
        """Nobody answers from now on; connections that stand go on."""
        self._server.close()
        Path(self.path).unlink(missing_ok=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        self._peers.append(peer)
        await self._waiting.put(peer)

    @property
    def callers(self) -> int:
        """How many connections were not accepted by the test yet."""
        return self._waiting.qsize()

    async def accept(self) -> Peer:
        return await asyncio.wait_for(self._waiting.get(), PATIENCE_S)

    async def accept_subscriber(self, next_offset: int) -> tuple[Peer, Any]:
        """Accepts, and opens the subscription that is asked for."""
        peer = await self.accept()
        request = await peer.request()
        assert request["method"] == "events.subscribe", request
        await peer.answer(request, subscribed(request, next_offset))
        return peer, request


def subscribed(request: Any, next_offset: int) -> dict[str, Any]:
    params = request["params"]
    return {"subscription": "s", "consumer": params.get("consumer"), "next_offset": next_offset,
            "filter": params.get("filter")}


def event(offset: Any, **more: Any) -> dict[str, Any]:
    return {"offset": offset, "type": "message.new", "received_at": "2026-11-23T12:00:00.123Z",
            "conversation_id": "conv_1", "message_id": f"msg_{offset}", "seq": offset, "source": "live", "late": False,
            "payload": {"id": f"msg_{offset}"}} | more


def event_line(offset: Any, **more: Any) -> bytes:
    params = {"subscription": "s", "result": event(offset, **more)}
    return json.dumps({"jsonrpc": "2.0", "method": "events.event", "params": params}).encode() + b"\n"
