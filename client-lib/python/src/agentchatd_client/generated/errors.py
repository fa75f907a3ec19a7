"""Errors of the local API, a class each. Written by client-lib/generate.py; do not edit."""

from __future__ import annotations

from . import types
from ..failure import RpcError

__all__ = [
    "ApiError",
    "UpstreamUnavailableError",
    "NotConfiguredError",
    "PermissionDeniedError",
    "ConsumerConflictError",
    "NotFoundError",
    "StorageError",
    "OverloadedError",
    "ShuttingDownError",
    "ConflictError",
    "ExpiredError",
    "InvalidRequestError",
    "MethodNotFoundError",
    "InvalidParamsError",
    "InternalError",
    "ParseError",
    "ERRORS",
]


class ApiError(RpcError):
    """AgentChat answered other than 2xx."""

    kind = "api_error"
    data: types.ApiErrorData | None


class UpstreamUnavailableError(RpcError):
    """AgentChat gave no answer."""

    kind = "upstream_unavailable"
    data: types.UpstreamUnavailableData | None


class NotConfiguredError(RpcError):
    """No API key."""

    kind = "not_configured"
    data: types.NotConfiguredData | None


class PermissionDeniedError(RpcError):
    """The caller's scope does not cover the method."""

    kind = "permission_denied"
    data: types.PermissionDeniedData | None


class ConsumerConflictError(RpcError):
    """The consumer is attached elsewhere, or known with another filter."""

    kind = "consumer_conflict"
    data: types.ConsumerConflictData | None


class NotFoundError(RpcError):
    """No such consumer, subscription… here."""

    kind = "not_found"
    data: types.NotFoundData | None


class StorageError(RpcError):
    """The disk is full or the database refused; nothing was accepted."""

    kind = "storage_error"
    data: types.StorageErrorData | None


class OverloadedError(RpcError):
    """A local limit is hit."""

    kind = "overloaded"
    data: types.OverloadedData | None


class ShuttingDownError(RpcError):
    """The daemon stops."""

    kind = "shutting_down"


class ConflictError(RpcError):
    """The `client_msg_id` was used with another content or address."""

    kind = "conflict"
    data: types.ConflictData | None


class ExpiredError(RpcError):
    """The message's time ran out."""

    kind = "expired"
    data: types.ExpiredData | None


class InvalidRequestError(RpcError):
    """JSON, but no request; or a batch of too many; or over the size limit, and then the connection closes."""

    kind = "invalid_request"
    data: types.LimitData | types.BatchLimitData | None


class MethodNotFoundError(RpcError):
    """No method has this name."""

    kind = "method_not_found"


class InvalidParamsError(RpcError):
    """A parameter is missing, unknown, of another type or out of range, or holds U+0000."""

    kind = "invalid_params"
    data: types.InvalidParamsData | types.BadConfigData | types.OutboxStateData | None


class InternalError(RpcError):
    """A fault of the daemon."""

    kind = "internal_error"


class ParseError(RpcError):
    """Not JSON, not UTF-8, a lone surrogate, nesting over 128 levels. The connection goes on at the next line."""

    kind = "parse_error"


#: Which class stands for which code.
ERRORS: dict[int, type[RpcError]] = {
    -32001: ApiError,
    -32002: UpstreamUnavailableError,
    -32003: NotConfiguredError,
    -32004: PermissionDeniedError,
    -32005: ConsumerConflictError,
    -32006: NotFoundError,
    -32007: StorageError,
    -32008: OverloadedError,
    -32009: ShuttingDownError,
    -32010: ConflictError,
    -32011: ExpiredError,
    -32600: InvalidRequestError,
    -32601: MethodNotFoundError,
    -32602: InvalidParamsError,
    -32603: InternalError,
    -32700: ParseError,
}
