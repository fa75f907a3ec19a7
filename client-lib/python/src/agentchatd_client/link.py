"""One connection of a subscription, from the subscribe line to its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, TypeGuard, cast

from . import wire
from .failure import RpcError
from .generated.types import Event
from .lines import LineReader, open_stream


@dataclass
class Subscribed:
    """Where the daemon goes on, and with which filter."""

    next_offset: int
    filter: object


@dataclass
class Ended:
    """The daemon ended the subscription."""

    reason: str


@dataclass
class Lagged:
    """Live-only events were dropped."""

    dropped: int


@dataclass
class GoingAway:
    """The daemon will stop."""

    seconds: float


@dataclass
class Acked:
    """An acknowledgement was taken."""

    offset: int


@dataclass
class Refused:
    """A request of ours failed."""

    error: RpcError


@dataclass
class Came:
    """An event."""

    event: Event


Incoming = Came | Ended | Lagged | GoingAway | Acked | Refused | None


class Link:
    """An open subscription."""

    def __init__(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter, max_line_bytes: int) -> None:
        self.lines = LineReader(stream, max_line_bytes)
        self._writer = writer
        # Nothing waits in a buffer but the line under way: a later acknowledgement takes the place of earlier ones.
        writer.transport.set_write_buffer_limits(high=0)
        self._last_id = 0
        self.ack_sent = 0
        self.subscription = ""

    @classmethod
    async def open(cls, path: str, ack: dict[str, Any] | None, params: dict[str, Any],
                   max_line_bytes: int) -> tuple[Link, Subscribed]:
        """Connects, acknowledges what could not be acknowledged before, and subscribes. OSError or BreachError where it
        is not the daemon that answers, RpcError where it says no."""
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            link = cls(*await open_stream(path), max_line_bytes)
            try:
                if ack is not None:
                    # One after the other: requests of a connection run side by side, and the subscription is to start
                    # after what is acknowledged here. If it is refused, the events come once more.
                    try:
                        await link._exchange("events.ack", ack)
                    except RpcError:
                        pass
                answer = await link._exchange("events.subscribe", params)
                return link, link._subscribed(answer)
            except BaseException:
                link.cut()
                raise

    async def _exchange(self, method: str, params: dict[str, Any]) -> Any:
        self.queue(method, params)
        await self._writer.drain()
        while (line := await self.lines.next_line()) is not None:
            said = wire.read(line)
            if isinstance(said, wire.Answer):
                if said.error is not None:
                    raise said.error
                if said.id == self._last_id:
                    return said.result
        raise ConnectionResetError("the daemon closed it")

    def _subscribed(self, answer: Any) -> Subscribed:
        if not isinstance(answer, dict) or not isinstance(answer.get("subscription"), str):
            raise wire.BreachError("the answer to a subscribe names no subscription")
        if not _is_offset(answer.get("next_offset")):
            raise wire.BreachError("the answer to a subscribe has no offset")
        self.subscription = answer["subscription"]
        return Subscribed(answer["next_offset"], answer.get("filter"))

    @property
    def is_flushed(self) -> bool:
        """Whether nothing is left to be written."""
        return self._writer.transport.get_write_buffer_size() == 0

    def queue(self, method: str, params: dict[str, Any]) -> None:
        """Writes as much as the socket takes, and the rest as soon as it can."""
        self._last_id += 1
        self._writer.write(wire.request(self._last_id, method, params))

    async def flush(self) -> None:
        """Waits until everything is written. OSError where that cannot be."""
        async with asyncio.timeout(FLUSH_TIMEOUT_S):
            await self._writer.drain()

    async def incoming(self) -> Incoming:
        """What the next line says. OSError or BreachError where the connection ended or the line makes no sense."""
        line = await self.lines.next_line()
        if line is None:
            raise ConnectionResetError("the daemon closed it")
        said = wire.read(line)
        if isinstance(said, wire.Notification):
            return self._notified(said.method, said.params)
        if said is None:
            return None
        if said.error is not None:
            return Refused(said.error)
        # Of the requests after the subscribe only an acknowledgement has an object as its result.
        acked = said.result.get("acked_offset") if isinstance(said.result, dict) else None
        return Acked(acked) if _is_offset(acked) else None

    def _notified(self, method: str, params: dict[str, Any]) -> Incoming:
        if method == "daemon.going_away":
            wait = params.get("retry_in_ms")
            return GoingAway(wait / 1000 if wire.is_number(wait) else 0.0)
        if params.get("subscription") != self.subscription:
            return None
        if method == "events.event":
            return Came(_event(params.get("result")))
        if method == "events.closed":
            return Ended(str(params.get("reason")))
        if method == "events.lagged":
            dropped = params.get("dropped")
            return Lagged(dropped if wire.is_number(dropped) else 0)
        return None

    def cut(self) -> None:
        """Ends the connection at once."""
        self._writer.transport.abort()


def _event(value: object) -> Event:
    """An event whose envelope is one; its payload is AgentChat's own."""
    if not isinstance(value, dict) or not isinstance(value.get("type"), str) or "payload" not in value:
        raise wire.BreachError("a notification has an event that is none")
    offset = value.get("offset")
    if offset is not None and not _is_offset(offset):
        raise wire.BreachError("an event has an offset that is none")
    return cast(Event, value)


def _is_offset(value: object) -> TypeGuard[int]:
    return wire.is_number(value) and 0 <= value < 2**63


#: How long the daemon may take to open a subscription.
OPEN_TIMEOUT_S = 10.0
#: How long it may take to read one line of ours.
FLUSH_TIMEOUT_S = 10.0
