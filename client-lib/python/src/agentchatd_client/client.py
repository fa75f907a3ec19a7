"""Typed calls. Events do not belong on this connection: a `Subscription` has one of its own, so that neither waits behind
the other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from .connection import Connection
from .failure import ConnectError, DeadlineError, DisconnectedError
from .generated.methods import Methods
from .places import sockets_of_this_process
from .wire import MAX_LINE_BYTES, is_number

#: How much longer than the daemon the client waits, so that it is the daemon's answer that comes.
ANSWER_GRACE_S = 30.0
#: How long the daemon takes at most where a call says nothing of it (local-api: `timeout_ms`).
DAEMON_TIMEOUT_MS = 30_000
#: A day, the longest `timeout_ms`, and the grace.
LONGEST_CALL_S = 24 * 3600 + ANSWER_GRACE_S
_SUBSCRIPTIONS = frozenset({"events.subscribe", "events.unsubscribe"})


class Client(Methods):
    """Calls of the daemon at `path`, or where the environment says, else the user's own, else the machine's.

    Calls run side by side. A connection that broke is made anew by the next call; a call that was under way then fails
    with `DisconnectedError`, for nobody can tell whether it was run.
    """

    def __init__(self, path: str | None = None, *, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        super().__init__(self._call)
        self.path = path
        self._max_line_bytes = max_line_bytes
        self._connection: Connection | None = None
        self._connecting = asyncio.Lock()
        self._closed = False

    @classmethod
    async def connect(cls, path: str | None = None) -> Self:
        """A client that is connected. ConnectError where nobody answers."""
        client = cls(path)
        await client._connected()
        return client

    @property
    def is_connected(self) -> bool:
        """Whether the connection stands."""
        return self._connection is not None and self._connection.lost is None

    async def call(self, method: str, params: Mapping[str, Any] | None = None, *, deadline: float | None = None) -> Any:
        """Calls a method by its name: for methods that this version does not know.

        It waits `deadline` seconds, or as long as the daemon may take (the call's own `timeout_ms` or `wait_ms`) and
        30 s more. RpcError is the daemon's own answer; after DisconnectedError and DeadlineError it is not known whether
        the call was run.
        """
        return await self._call(method, dict(params or {}), deadline)

    async def _call(self, method: str, params: dict[str, Any], deadline: float | None) -> Any:
        if method in _SUBSCRIPTIONS:
            raise ValueError(f"{method} is for a Subscription, which has a connection of its own")
        seconds = patience(params) if deadline is None else deadline
        try:
            async with asyncio.timeout(seconds):
                return await (await self._connected()).exchange(method, params)
        except TimeoutError:
            raise DeadlineError(method, seconds) from None

    async def _connected(self) -> Connection:
        # Always through here, so that no call overtakes another while the connection is made.
        async with self._connecting:
            if self._closed:
                raise DisconnectedError("closed by this program")
            if self._connection is not None and self._connection.lost is None:
                return self._connection
            first: ConnectError | None = None
            for path in [self.path] if self.path is not None else sockets_of_this_process():
                try:
                    connection = await Connection.open(path, self._max_line_bytes)
                    if self._closed:
                        await connection.close()
                        raise DisconnectedError("closed by this program")
                    self._connection = connection
                    self.path = path
                    return connection
                except OSError as error:
                    first = first or ConnectError(path, str(error) or "nobody takes the connection")
            raise first or ConnectError("", "no place is known")

    async def close(self) -> None:
        """Closes the connection; calls under way fail."""
        self._closed = True
        if self._connection is not None:
            await self._connection.close()

    async def __aenter__(self) -> Self:
        await self._connected()
        return self

    async def __aexit__(self, _type: type[BaseException] | None, _error: BaseException | None,
                        _trace: TracebackType | None) -> None:
        await self.close()


def patience(params: Mapping[str, Any]) -> float:
    """How long to wait for the answer to a call with these parameters."""
    told = next((params[name] for name in ("timeout_ms", "wait_ms") if is_number(params.get(name))), DAEMON_TIMEOUT_MS)
    return min(max(told, 0) / 1000 + ANSWER_GRACE_S, LONGEST_CALL_S)
