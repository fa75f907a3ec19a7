"""Lines from the daemon, read with a bound and safe to be cancelled."""

from __future__ import annotations

import asyncio

from .wire import BreachError

#: How much is asked of the socket at a time; the stream stops the socket at twice this.
READ_BYTES = 64 * 1024


class LineReader:
    """Cuts a stream into lines. What was read stays here, so a read that is given up loses nothing."""

    def __init__(self, stream: asyncio.StreamReader, max_line_bytes: int) -> None:
        self._stream = stream
        self._max = max_line_bytes
        self._buffer = bytearray()
        self._searched = 0

    def has_line(self) -> bool:
        """Whether a whole line is here already."""
        return self._end() >= 0

    async def next_line(self) -> bytes | None:
        """The next line without its end; None where the stream ended. What stands behind the last line's end is no
        line: the daemon was cut off while it wrote."""
        while (end := self._end()) < 0:
            if len(self._buffer) > self._max:
                raise BreachError(f"a line has more than {self._max} bytes")
            more = await self._stream.read(READ_BYTES)
            if not more:
                return None
            self._buffer += more
        line = bytes(memoryview(self._buffer)[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        return line

    def _end(self) -> int:
        end = self._buffer.find(b"\n", self._searched)
        self._searched = end if end >= 0 else len(self._buffer)
        return end


async def open_stream(path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connects within a bounded time; it takes long only where the daemon accepts nobody."""
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        return await asyncio.open_unix_connection(path, limit=READ_BYTES)


CONNECT_TIMEOUT_S = 5.0
