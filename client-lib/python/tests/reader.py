"""A subscription of a test, and what is read from it."""

import asyncio
import unittest
from typing import Any

from agentchatd_client import Problem, Subscription
from agentchatd_client.types import Event

from .fake import PATIENCE_S, FakeDaemon, Peer


async def following(events: Subscription) -> Event:
    return await asyncio.wait_for(anext(events), PATIENCE_S)


async def take(events: Subscription, count: int) -> list[int]:
    """The offsets of the next events, a redelivered one as a negative number."""
    offsets = []
    for _ in range(count):
        event = await following(events)
        assert event["offset"] is not None
        offsets.append(-event["offset"] if event.get("redelivered") else event["offset"])
    return offsets


class Base(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.daemon = await self.enterAsyncContext(FakeDaemon())
        self.problems: list[Problem] = []

    async def opened(self, next_offset: int = 1, **options: Any) -> tuple[Subscription, Peer, Any]:
        options.setdefault("consumer", "c")
        events = Subscription(self.daemon.path, on_problem=self.problems.append, **options)
        opening = asyncio.create_task(events.open())
        peer, request = await self.daemon.accept_subscriber(next_offset)
        await opening
        self.addAsyncCleanup(self.end, events)
        return events, peer, request["params"]

    async def end(self, events: Subscription) -> None:
        for peer in self.daemon._peers:
            peer.drop()
        await events.close()
