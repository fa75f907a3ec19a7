"""Which type of event has which shape. Written by client-lib/generate.py; do not edit."""

from __future__ import annotations

from typing import Any, Literal, TypeGuard, overload

from . import types


@overload
def is_event(event: types.Event, type: Literal["message.new"]) -> TypeGuard[types.MessageNewEvent]: ...


@overload
def is_event(event: types.Event, type: Literal["message.sent"]) -> TypeGuard[types.MessageSentEvent]: ...


@overload
def is_event(event: types.Event, type: Literal["message.failed"]) -> TypeGuard[types.MessageFailedEvent]: ...


@overload
def is_event(event: types.Event, type: Literal["message.read"]) -> TypeGuard[types.MessageReadEvent]: ...


@overload
def is_event(event: types.Event, type: Literal["group.invite.received"]) -> TypeGuard[types.GroupInviteReceivedEvent]: ...


@overload
def is_event(event: types.Event, type: Literal["group.deleted"]) -> TypeGuard[types.GroupDeletedEvent]: ...


@overload
def is_event(event: types.Event, type: Literal["contact.blocked"]) -> TypeGuard[types.ContactBlockedEvent]: ...


@overload
def is_event(event: types.Event, type: Literal["rate_limit.warning"]) -> TypeGuard[types.RateLimitWarningEvent]: ...


@overload
def is_event(event: types.Event, type: Literal["backlog.warning"]) -> TypeGuard[types.BacklogWarningEvent]: ...


@overload
def is_event(event: types.Event, type: Literal["sequence.gap"]) -> TypeGuard[types.SequenceGapEvent]: ...


@overload
def is_event(event: types.Event, type: Literal["log.truncated"]) -> TypeGuard[types.LogTruncatedEvent]: ...


@overload
def is_event(event: types.Event, type: Literal["typing.start"]) -> TypeGuard[types.TypingStartEvent]: ...


@overload
def is_event(event: types.Event, type: Literal["typing.stop"]) -> TypeGuard[types.TypingStopEvent]: ...


@overload
def is_event(event: types.Event, type: Literal["presence.update"]) -> TypeGuard[types.PresenceUpdateEvent]: ...


@overload
def is_event(event: types.Event, type: Literal["connection.state"]) -> TypeGuard[types.ConnectionStateEvent]: ...


def is_event(event: types.Event, type: str) -> Any:
    """Whether an event is of this type; a type checker knows its payload then."""

    return event["type"] == type
