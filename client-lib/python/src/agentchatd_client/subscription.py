"""Events that lose nothing: connect, read, check, acknowledge, and come back when the connection breaks.

There is no task that reads ahead: the socket is read when the reader asks for an event. So a reader that takes its time
stops the daemon from sending and not its own memory, and to give up a read loses no event.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from . import backoff
from .failure import AckProblem, ClosedError, ConnectError, GaveUpError, NotRisingProblem, Problem, RpcError
from .generated.types import AckMode, Event, FilterParam, Start
from .link import Acked, Came, Ended, GoingAway, Incoming, Lagged, Link, Refused, Subscribed
from .places import sockets_of_this_process
from .position import Position
from .wire import MAX_LINE_BYTES, BreachError

_log = logging.getLogger("agentchatd_client")
_NO_LINK = (OSError, BreachError)


class Subscription:
    """A stream of events, for `async with` and `async for`.

    With a `consumer` the daemon remembers what was acknowledged (`ack`), also across restarts of everything. Without, the
    subscription goes on after the last event that it handed out, for as long as this object lives.

    An event that was handed out before has `redelivered: true`. What happens beside that and is no end, a hole in the
    offsets for example, goes to `on_problem`, or into the log `agentchatd_client`. `ClosedError`, `GaveUpError` and an
    `RpcError` are the end.

    One task reads at a time.
    """

    def __init__(
        self,
        path: str | None = None,
        *,
        consumer: str | None = None,
        from_: Start | None = None,
        filter: FilterParam | None = None,
        replace_filter: bool = False,
        ack: AckMode | None = None,
        max_in_flight: int = 256,
        takeover: bool = False,
        auto_ack: bool = False,
        give_up_after: float | None = None,
        on_problem: Callable[[Problem], object] | None = None,
        max_line_bytes: int = MAX_LINE_BYTES,
    ) -> None:
        """`from_` to `takeover` are those of `events.subscribe`. A takeover is asked for once, when it is opened; one
        that was taken over itself does not fight back.

        auto_ack: an event is acknowledged when the next one is asked for, which says that the reader is done with it.
        give_up_after: for how many seconds to try to get back to a daemon that is away; None for ever.
        """
        self._path = path
        self._consumer = consumer
        optional = {"consumer": consumer, "filter": filter, "ack": ack, "from": from_}
        self._params: dict[str, Any] = {name: value for name, value in optional.items() if value is not None}
        self._params |= {"max_in_flight": max_in_flight, "replace_filter": replace_filter}
        self._takeover = takeover
        self._acks_by_hand = ack == "manual" or (ack is None and consumer is not None)
        self._auto_ack = auto_ack
        self._window = max_in_flight
        self._give_up_after = give_up_after
        self._on_problem = on_problem
        self._max_line_bytes = max_line_bytes
        self._position = Position()
        self._link: Link | None = None
        self._opening: asyncio.Task[tuple[Link, Subscribed]] | None = None
        self._retry_at = 0.0
        self._opened = False
        self._ended = False
        self._reading = False
        # Up to where the reader is done, the daemon said it knows, and it was told at the latest while reconnecting.
        self._done = self._acked = self._told = 0
        # With `auto_ack`, up to where the reader asked for more; told in pieces.
        self._passed = 0
        # Somebody else moved the consumer back: what the reader said before counts no more.
        self._moved = False
        self._lagged = 0
        self._away_since: float | None = None
        self._attempt = 0
        self._told_to_wait = 0.0

    async def open(self) -> Self:
        """Connects and subscribes. A daemon that is away (ConnectError) or says no (RpcError) is an error here; later it
        is waited for."""
        if self._ended:
            raise ClosedError("it was closed")
        if self._opened:
            return self
        params = self._params | ({"takeover": True} if self._takeover else {})
        first: ConnectError | None = None
        for path in [self._path] if self._path is not None else sockets_of_this_process():
            try:
                link, answer = await Link.open(path, None, params, self._max_line_bytes)
            except _NO_LINK as error:
                first = first or ConnectError(path, str(error) or "it took too long")
                continue
            if self._ended:
                link.cut()
                raise ClosedError("it was closed")
            self._path = path
            self._opened = True
            self._link = link
            self._position.on_subscribed(answer.next_offset, answer.filter)
            self._done = self._acked = self._told = self._position.handed
            return self
        raise first or ConnectError("", "no place is known")

    @property
    def acked_offset(self) -> int:
        """The offset up to which the daemon knows that the reader is done, as far as it has told."""
        return self._acked

    @property
    def lagged(self) -> int:
        """How many live-only events (typing, presence) were dropped because the reader was slow."""
        return self._lagged

    async def ack(self, upto: Event | int) -> None:
        """Says that the reader is done with all events up to this one, and returns when that is written to the daemon, or
        kept for the next connection. An earlier one than before does nothing, nor does one that is live only. That the
        daemon took it shows in `acked_offset`. To give this up loses no acknowledgement: it is written with the next
        read."""
        if self._ended or not self._opened:
            raise ClosedError("it is not open")
        offset = upto if isinstance(upto, int) else upto["offset"]
        self._done = max(self._done, offset or 0)
        while (link := self._link) is not None:
            self._push_ack(link)
            if link.is_flushed:
                return
            try:
                await link.flush()
            except OSError as error:
                if link is self._link:
                    self._lose(error)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if self._reading:
            raise RuntimeError("another task reads this subscription")
        self._reading = True
        try:
            try:
                await self.open()
            except ClosedError:
                raise StopAsyncIteration from None
            while not self._ended:
                self._note_done()
                if self._link is None:
                    await self._come_back()
                    continue
                link = self._link
                self._push_ack(link)
                try:
                    incoming = await link.incoming()
                except _NO_LINK as error:
                    if link is self._link:
                        self._lose(error)
                    continue
                event = self._take(incoming)
                if event is not None:
                    return event
            raise StopAsyncIteration
        finally:
            self._reading = False

    async def close(self) -> int:
        """Ends the subscription, waiting a moment for the answers to the last acknowledgements. Gives the offset up to
        which the daemon knows that the reader is done. Events that were not handed out are dropped here; the daemon has
        them."""
        if self._auto_ack and not self._ended:
            # Not the last one: whoever comes here by an error is not done with it.
            self._done = max(self._done, self._passed)
        self._ended = True
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            await asyncio.wait([opening])
            if not opening.cancelled() and opening.exception() is None:
                opening.result()[0].cut()
        link, self._link = self._link, None
        if link is not None:
            try:
                async with asyncio.timeout(FAREWELL_TIMEOUT_S):
                    await self._farewell(link)
            except _NO_LINK:
                # What is not acknowledged is delivered once more.
                pass
            finally:
                link.cut()
        return self._acked

    async def _farewell(self, link: Link) -> None:
        await link.flush()
        self._push_ack(link)
        link.queue("events.unsubscribe", {"subscription": link.subscription})
        await link.flush()
        # Where a read is under way it has the lines; the daemon has the acknowledgement.
        while not self._reading and link.ack_sent > self._acked:
            incoming = await link.incoming()
            if isinstance(incoming, Refused):
                return
            if isinstance(incoming, Acked):
                self._acked = max(self._acked, incoming.offset)

    def _push_ack(self, link: Link) -> None:
        """Writes an acknowledgement as far as the reader is done, unless an earlier one is still being written: it goes
        out after that, and swallows those in between."""
        if self._acks_by_hand and self._done > self._acked and self._done != link.ack_sent and link.is_flushed:
            link.ack_sent = self._done
            link.queue("events.ack", self._ack_of(link.subscription))

    def _ack_of(self, subscription: str) -> dict[str, Any]:
        of = {"consumer": self._consumer} if self._consumer is not None else {"subscription": subscription}
        return of | {"offset": self._done}

    def _note_done(self) -> None:
        """With `auto_ack`, asking for an event says that the reader is done with those before. It is told when nothing
        more is at hand, or when a good part of the window is used up."""
        handed = self._position.handed
        if not self._auto_ack or self._moved or handed <= self._done:
            return
        self._passed = handed
        enough = handed - self._done >= max(self._window // ACKS_PER_WINDOW, 1)
        if enough or self._link is None or not self._link.lines.has_line():
            self._done = handed

    def _take(self, incoming: Incoming) -> Event | None:
        match incoming:
            case Came(event):
                problem = self._position.on_event(event)
                if problem is None:
                    if not event.get("redelivered"):
                        self._attempt = 0
                    return event
                if isinstance(problem, NotRisingProblem):
                    self._moved, self._done, self._passed = True, self._acked, 0
                self._lose(problem)
                self._report(problem)
            case Ended(reason) if reason in RESUMABLE:
                self._lose(reason)
            case Ended(reason):
                self._end()
                raise ClosedError(reason)
            case Lagged(dropped):
                self._lagged += dropped
            case GoingAway(seconds):
                self._told_to_wait = seconds
            case Acked(offset):
                self._acked = max(self._acked, offset)
            case Refused(error):
                self._report(AckProblem(error))
        return None

    def _report(self, problem: Problem) -> None:
        if self._on_problem is not None:
            self._on_problem(problem)
        else:
            _log.warning("%s", problem)

    def _end(self) -> None:
        self._ended = True
        if self._link is not None:
            self._link.cut()
            self._link = None

    def _lose(self, reason: object) -> None:
        _log.debug("subscription lost, coming back: %s", reason)
        if self._link is not None:
            self._link.cut()
            self._link = None
        if self._away_since is None:
            self._away_since = asyncio.get_running_loop().time()
        self._wait()

    def _wait(self) -> None:
        seconds = backoff.delay(self._attempt, self._told_to_wait)
        self._attempt += 1
        self._told_to_wait = 0.0
        self._retry_at = asyncio.get_running_loop().time() + seconds

    async def _come_back(self) -> None:
        """Waits and opens anew. Both go on where they were when a read is given up and another one comes."""
        if self._opening is None:
            await asyncio.sleep(max(self._retry_at - asyncio.get_running_loop().time(), 0))
            if self._ended:
                return
            self._opening = asyncio.create_task(self._reopen())
        opening = self._opening
        # Not the task itself: to give up the read must not give up the connection.
        await asyncio.wait([opening])
        if self._ended:
            # What was opened is cut by who ended it.
            return
        self._opening = None
        try:
            link, answer = opening.result()
        except _NO_LINK:
            self._on_open_failed(None)
        except RpcError as error:
            self._on_open_failed(error)
        else:
            self._on_opened(link, answer)

    async def _reopen(self) -> tuple[Link, Subscribed]:
        """Asks for what comes after the last event that was handed out, or after the acked one."""
        ack = None
        self._told = max(self._done, self._acked)
        if self._consumer is not None and self._acks_by_hand and self._done > self._acked:
            ack = self._ack_of("")
        # With a consumer it counts only where that was deleted meanwhile: it loses nothing then either.
        start = self._done + 1 if self._consumer is not None else self._position.next
        params = self._params | {"from": {"offset": start}}
        return await Link.open(self._path or "", ack, params, self._max_line_bytes)

    def _on_opened(self, link: Link, answer: Subscribed) -> None:
        self._away_since = None
        self._moved = False
        self._link = link
        problem = self._position.on_subscribed(answer.next_offset, answer.filter)
        before = self._position.handed
        # Where the daemon goes on before what it was told, its word on where this reader stands holds: it was moved, or
        # refused the acknowledgement. Else what the reader said since the daemon was told is still to be said.
        self._done = max(self._done, before) if self._acks_by_hand and before >= self._told else before
        self._acked = before
        if problem is not None:
            self._report(problem)

    def _on_open_failed(self, refusal: RpcError | None) -> None:
        """Tries again, unless the daemon's answer stands or it has been away for too long."""
        since = self._away_since
        away = 0.0 if since is None else asyncio.get_running_loop().time() - since
        if refusal is not None and not _passes_by_itself(refusal, away):
            self._end()
            raise refusal
        if self._give_up_after is not None and away >= self._give_up_after:
            self._end()
            raise GaveUpError(self._give_up_after)
        self._wait()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, _type: type[BaseException] | None, _error: BaseException | None,
                        _trace: TracebackType | None) -> None:
        await self.close()


def _passes_by_itself(error: RpcError, away: float) -> bool:
    """Whether a refusal is a matter of time. A consumer that is still attached may be this one: the daemon has not seen
    yet that the connection before is gone."""
    if error.kind == "consumer_conflict":
        return away < ATTACHED_PATIENCE_S and (error.data or {}).get("reason") == "attached"
    return error.kind in ("shutting_down", "overloaded", "storage_error", "internal_error")


#: Ends after which it makes sense to subscribe again.
RESUMABLE = frozenset({"storage_error", "shutting_down"})
#: How long a consumer that is attached elsewhere is taken for a trace of the connection before.
ATTACHED_PATIENCE_S = 10.0
FAREWELL_TIMEOUT_S = 5.0
#: With `auto_ack`, how many acknowledgements go out for a full window.
ACKS_PER_WINDOW = 4
