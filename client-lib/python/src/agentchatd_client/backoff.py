"""When to try again."""

from __future__ import annotations

import random
from collections.abc import Callable

MIN_S = 0.05
MAX_S = 5.0
#: How long a daemon that stops may ask to be left alone.
TOLD_MAX_S = 60.0


def delay(attempt: int, told: float, chance: Callable[[], float] = random.random) -> float:
    """How long to wait before this attempt, from 0 on: twice as long each time, and up to half of it less by chance, so
    that many readers of one daemon do not come back at once. What the daemon asked for comes on top."""
    longest = min(MIN_S * 2.0 ** min(attempt, 16), MAX_S)
    return min(max(told, 0.0), TOLD_MAX_S) + longest * (1 - chance() / 2)
