"""Parameters that were not given, which is another thing than `None`: for some of them `null` clears a value."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final


class Omitted(Enum):
    """The type of `OMITTED`."""

    OMITTED = "omitted"


#: Stands for a parameter that is left out.
OMITTED: Final = Omitted.OMITTED


def given(*params: tuple[str, object]) -> dict[str, Any]:
    """The parameters that were given, by name."""
    return {name: value for name, value in params if value is not OMITTED}
