"""One connection for calls: requests go out in the order of the calls, answers find theirs by id."""

from __future__ import annotations

import asyncio
from typing import Any

from . import wire
from .failure import DisconnectedError
from .lines import LineReader, open_stream


class Connection:
    """Open until it breaks; a broken one stays so."""

    def __init__(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter, max_line_bytes: int) -> None:
        self._lines = LineReader(stream, max_line_bytes)
        self._writer = writer
        self._writing = asyncio.Lock()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._last_id = 0
        #: Why it is broken; None while it stands.
        self.lost: object = None
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, path: str, max_line_bytes: int) -> Connection:
        """OSError, TimeoutError included, where nobody answers."""
        return cls(*await open_stream(path), max_line_bytes)

    async def exchange(self, method: str, params: dict[str, Any]) -> Any:
        """The result of a call. To give it up does not take it back: its answer is passed over when it comes."""
        self._last_id += 1
        id = self._last_id
        line = wire.request(id, method, params)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            # One after the other, so that lines wait with their callers and not in a buffer.
            async with self._writing:
                if self.lost is not None:
                    raise DisconnectedError(self.lost)
                self._waiting[id] = answer
                try:
                    self._writer.write(line)
                    await self._writer.drain()
                except OSError as error:
                    self.lose(error)
            return await answer
        finally:
            self._waiting.pop(id, None)
            if answer.done() and not answer.cancelled():
                # Nobody is left to look at an error that came in the moment of giving up.
                answer.exception()

    async def _read(self) -> None:
        try:
            while (line := await self._lines.next_line()) is not None:
                self._take(wire.read(line))
            self.lose("the daemon closed it")
        except (OSError, wire.BreachError) as error:
            self.lose(error or type(error).__name__)

    def _take(self, said: wire.Answer | wire.Notification | None) -> None:
        if not isinstance(said, wire.Answer):
            return
        if said.id is None:
            self._take_unread(said)
            return
        answer = self._waiting.get(said.id)
        if answer is None or answer.done():
            return
        if said.error is not None:
            answer.set_exception(said.error)
        else:
            answer.set_result(said.result)

    def _take_unread(self, said: wire.Answer) -> None:
        """The daemon could not read which request this is the answer to. One alone can be meant, else it is not known
        which of them will have no other. Either way the connection is of no more use: after a request that is too long
        the daemon closes it."""
        if len(self._waiting) == 1 and said.error is not None:
            [answer] = self._waiting.values()
            if not answer.done():
                answer.set_exception(said.error)
        raise wire.BreachError(f"the daemon could not read a request: {said.error}")

    def lose(self, reason: object) -> None:
        """Ends it; whoever waits hears of it."""
        if self.lost is None:
            self.lost = reason
        self._writer.transport.abort()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(DisconnectedError(reason))

    async def close(self) -> None:
        self.lose("closed by this program")
        self._reading.cancel()
        await asyncio.wait([self._reading])
