"""Where a reader stands in the log, and whether what comes fits to it. No input, no output."""

from __future__ import annotations

from typing import Any

from .failure import HoleProblem, NotRisingProblem, Problem
from .generated.types import Event


NONE_GIVEN: tuple[float, float] = (float("inf"), float("-inf"))


class Position:
    """A reader's place in the log."""

    def __init__(self) -> None:
        #: The highest offset that was ever handed out, or the one before the first wanted.
        self._high: int | None = None
        #: The lowest and the highest that was handed out, and what they were before this connection.
        self._given = self._given_before = NONE_GIVEN
        #: The offset that comes next on this connection.
        self.next = 0
        #: Whether every offset must come.
        self._gap_free = False
        #: A hole that was reported; it is no news the second time.
        self._reported: int | None = None

    @property
    def handed(self) -> int:
        """The last offset handed out since the daemon last said where this reader is."""
        return max(self.next - 1, 0)

    def on_subscribed(self, next_offset: int, filter: object) -> Problem | None:
        """Takes the answer to a subscribe. A durable consumer may be taken back, never ahead."""
        self.next = next_offset
        self._given_before = self._given
        self._gap_free = passes_all(filter)
        before = self.handed
        if self._high is None:
            self._high = before
        if not self._gap_free or before <= self._high:
            return None
        # The daemon decided so in answer to a clear question: it is not asked again.
        hole = HoleProblem(self._high + 1, next_offset)
        self._high = before
        return hole

    def on_event(self, event: Event) -> Problem | None:
        """Judges an event that came; marks it where it was handed out before."""
        offset = event.setdefault("offset", None)
        if offset is None:
            return None
        if offset < self.next:
            return NotRisingProblem(self.handed, offset)
        if offset > self.next and self._gap_free and self._reported != self.next:
            self._reported = self.next
            return HoleProblem(self.next, offset)
        low, high = self._given_before
        if low <= offset <= high:
            event["redelivered"] = True
        low, high = self._given
        self._given = min(low, offset), max(high, offset)
        self._high = offset if self._high is None else max(self._high, offset)
        self.next = offset + 1
        return None


def passes_all(filter: Any) -> bool:
    """Whether a filter lets everything pass, so that offsets have no holes."""
    if not isinstance(filter, dict):
        return filter is None
    return all(value is None or value is (name == "include_own") for name, value in filter.items())
