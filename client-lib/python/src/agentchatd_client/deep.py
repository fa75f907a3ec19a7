"""JSON of any depth. A message may be nested deeper than `json` can follow, and one message must not stop a reader."""

from __future__ import annotations

import re
from collections.abc import Callable
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}


def parse(text: str, parse_int: Callable[[str], int | float]) -> Any:
    """As `json.loads`, with a list of its own for the containers under way instead of the stack."""
    root: list[Any] = []
    under_way: list[Any] = [root]
    # For each object under way, the name of the member whose value comes next.
    names: list[str] = []
    at = 0

    def skip(at: int) -> int:
        match = _SPACE.match(text, at)
        return match.end() if match else at

    def name(at: int) -> int:
        at = skip(at)
        if text[at : at + 1] != '"':
            raise ValueError(f"a member's name should stand at {at}")
        names[-1], at = scanstring(text, at + 1)
        at = skip(at)
        if text[at : at + 1] != ":":
            raise ValueError(f"a colon should stand at {at}")
        return at + 1

    def put(value: Any) -> None:
        if isinstance(under_way[-1], dict):
            under_way[-1][names[-1]] = value
        else:
            under_way[-1].append(value)

    while True:
        at = skip(at)
        first = text[at : at + 1]
        if first == "{" or first == "[":
            container: Any = {} if first == "{" else []
            put(container)
            under_way.append(container)
            if first == "{":
                names.append("")
            if text[skip(at + 1) : skip(at + 1) + 1] != ("}" if first == "{" else "]"):
                at = name(at + 1) if first == "{" else at + 1
                continue
            at = skip(at + 1)
        else:
            value, at = _scalar(text, at, parse_int)
            put(value)
        # A value is complete: so may be what it stands in.
        while True:
            at = skip(at)
            if len(under_way) == 1:
                if at != len(text):
                    raise ValueError(f"more stands behind the value, at {at}")
                return root[0]
            is_object = isinstance(under_way[-1], dict)
            if text[at : at + 1] == ",":
                at = name(at + 1) if is_object else at + 1
                break
            if text[at : at + 1] != ("}" if is_object else "]"):
                raise ValueError(f"a comma or an end should stand at {at}")
            under_way.pop()
            if is_object:
                names.pop()
            at += 1


def _scalar(text: str, at: int, parse_int: Callable[[str], int | float]) -> tuple[Any, int]:
    first = text[at : at + 1]
    if first == '"':
        string: tuple[str, int] = scanstring(text, at + 1)
        return string
    if match := _NUMBER.match(text, at):
        whole, part, power = match.groups()
        return (parse_int(whole) if part is None and power is None else float(match.group())), match.end()
    word, value = _WORDS.get(first, ("", None))
    if not word or not text.startswith(word, at):
        raise ValueError(f"no value stands at {at}")
    return value, at + len(word)
