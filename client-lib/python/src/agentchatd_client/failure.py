"""What can go wrong beside the refusals of the daemon, and what those have in common."""

from __future__ import annotations

from typing import Any

__all__ = [
    "AgentchatdError",
    "ConnectError",
    "DisconnectedError",
    "DeadlineError",
    "RpcError",
    "ClosedError",
    "GaveUpError",
    "Problem",
    "HoleProblem",
    "NotRisingProblem",
    "AckProblem",
]

#: Statuses of AgentChat after which the daemon itself tries a send again.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
#: Refusals that time alone does not lift, whatever their status.
_STANDING = frozenset({"RecipientBackloggedError", "AwaitingReplyError"})


class AgentchatdError(Exception):
    """Any error of this package."""


class ConnectError(AgentchatdError):
    """Nobody answers at the socket."""

    def __init__(self, path: str, reason: object) -> None:
        super().__init__(f"cannot connect to the daemon at {path}: {reason}")
        self.path = path


class DisconnectedError(AgentchatdError):
    """The connection broke; whether the call was run is not known. What has a `client_msg_id` or an `idempotency_key`
    can be asked again in safety."""

    def __init__(self, reason: object) -> None:
        super().__init__(f"the connection to the daemon is lost: {reason}")


class DeadlineError(AgentchatdError, TimeoutError):
    """No answer in time; whether the call was run is not known."""

    def __init__(self, method: str, seconds: float) -> None:
        super().__init__(f"the daemon gave no answer to {method} within {seconds:g} s")
        self.method = method
        self.seconds = seconds


class RpcError(AgentchatdError):
    """The daemon's own answer. `kind` is the stable name of the code, None for one that this version does not know."""

    kind: str | None = None
    data: Any

    def __init__(self, code: int, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(f"{message} ({code}{f', {self.kind}' if self.kind else ''})")
        self.code = code
        self.message = message
        self.data = data

    @property
    def retry_after_ms(self) -> int | None:
        """After how long it makes sense to ask again, where the daemon knows."""
        value = (self.data or {}).get("retry_after_ms")
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None

    @property
    def retryable(self) -> bool:
        """Whether the same call may well succeed later. Whether it may be run twice is another question: see
        `client_msg_id` and `idempotency_key`."""
        if self.kind == "api_error":
            data = self.data or {}
            return data.get("status") in _PASSING and data.get("class") not in _STANDING
        return self.kind in ("upstream_unavailable", "overloaded", "storage_error", "shutting_down")


class ClosedError(AgentchatdError):
    """The subscription has ended for good: `takeover` (another subscription took the consumer) or `deleted`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the daemon ended the subscription: {reason}")
        self.reason = reason


class GaveUpError(AgentchatdError):
    """The daemon was away for longer than `give_up_after`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the daemon has been away for {seconds:g} s")
        self.seconds = seconds


class Problem(AgentchatdError):
    """Something that the reader of a subscription should know, after which the subscription goes on."""


class HoleProblem(Problem):
    """Events are missing. They are asked for again; if the same hole is there then, the log itself has it."""

    def __init__(self, expected: int, got: int) -> None:
        super().__init__(f"events are missing: {got} follows where {expected} should")
        self.expected = expected
        self.got = got


class NotRisingProblem(Problem):
    """An offset did not rise; the event was not handed out. The subscription goes back to the last good place."""

    def __init__(self, last: int, got: int) -> None:
        super().__init__(f"offsets do not rise: {got} follows {last}")
        self.last = last
        self.got = got


class AckProblem(Problem):
    """An acknowledgement was refused; the next one is tried again and covers it."""

    def __init__(self, error: RpcError) -> None:
        super().__init__(f"the daemon refused an acknowledgement: {error}")
        self.error = error
