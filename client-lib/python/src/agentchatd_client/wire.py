"""Lines of the protocol: values to lines, and lines to values that can be trusted in their outer shape."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeGuard

from . import deep
from .failure import RpcError
from .generated.errors import ERRORS

#: A page of a thousand events of the largest size that AgentChat allows has room in it.
MAX_LINE_BYTES = 256 * 1024 * 1024
#: The daemon's own limit on the nesting of a request.
MAX_DEPTH = 128
#: More digits than this `int` may refuse, and AgentChat passes them on.
_MAX_DIGITS = 640


class BreachError(Exception):
    """The other side does not speak the protocol."""


@dataclass
class Answer:
    """The answer to a request; `id` is None where the daemon could not read which."""

    id: int | None
    result: Any
    error: RpcError | None


@dataclass
class Notification:
    """Something that comes unasked."""

    method: str
    params: dict[str, Any]


def request(id: int, method: str, params: dict[str, Any]) -> bytes:
    """A request as a line. ValueError or TypeError where the parameters are no JSON that the daemon takes: it could not
    say then which request it refuses."""
    value = {"jsonrpc": "2.0", "id": id, "method": method, "params": params}
    _check_depth(value, MAX_DEPTH)
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone surrogate ends here, as a UnicodeEncodeError.
    return text.encode("utf-8") + b"\n"


def _check_depth(value: object, left: int) -> None:
    inner: Any = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else None
    if inner is None:
        return
    if left == 0:
        raise ValueError(f"parameters are nested over {MAX_DEPTH} levels")
    for part in inner:
        _check_depth(part, left - 1)


def decode(line: bytes) -> Any:
    """Any JSON value. ValueError where it is none."""
    text = line.decode("utf-8")
    try:
        return json.loads(text, parse_int=_whole, parse_constant=_refuse)
    except RecursionError:
        return deep.parse(text, _whole)


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def read(line: bytes) -> Answer | Notification | None:
    """What a line says; None for a blank one."""
    if not line.strip():
        return None
    try:
        value = decode(line)
    except ValueError as error:
        raise BreachError(f"a line is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise BreachError("a line is no JSON object")
    if "method" in value:
        method, params = value["method"], value.get("params")
        if not isinstance(method, str) or not isinstance(params, dict):
            raise BreachError("a line is no notification")
        return Notification(method, params)
    id = value.get("id")
    if id is not None and not is_number(id):
        raise BreachError("an answer has an id that no request had")
    if "error" in value:
        return Answer(id, None, rpc_error(value["error"]))
    if "result" not in value or id is None:
        raise BreachError("a line is neither a notification nor an answer")
    return Answer(id, value["result"], None)


def rpc_error(value: object) -> RpcError:
    """The error of an answer, as the class of its code."""
    if not isinstance(value, dict) or not is_number(value.get("code")) or not isinstance(value.get("message"), str):
        raise BreachError("an answer has an error that is none")
    data = value.get("data")
    of_code = ERRORS.get(value["code"], RpcError)
    return of_code(value["code"], value["message"], data if isinstance(data, dict) else None)


def is_number(value: object) -> TypeGuard[int]:
    """Whether it is a whole number; to Python `True` is one, too."""
    return isinstance(value, int) and not isinstance(value, bool)
