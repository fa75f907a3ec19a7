"""The local API of agentchatd for asyncio: typed calls, and subscriptions that lose nothing.

    async with Client() as client, Subscription(consumer="my-bot") as events:
        async for event in events:
            ...
            await events.ack(event)
"""

from . import errors, types
from .client import Client
from .failure import (
    AckProblem,
    AgentchatdError,
    ClosedError,
    ConnectError,
    DeadlineError,
    DisconnectedError,
    GaveUpError,
    HoleProblem,
    NotRisingProblem,
    Problem,
    RpcError,
)
from .generated.errors import ConflictError, ConsumerConflictError
from .generated.events import is_event
from .omitted import OMITTED
from .subscription import Subscription

__all__ = [
    "OMITTED",
    "AckProblem",
    "AgentchatdError",
    "Client",
    "ClosedError",
    "ConflictError",
    "ConnectError",
    "ConsumerConflictError",
    "DeadlineError",
    "DisconnectedError",
    "GaveUpError",
    "HoleProblem",
    "NotRisingProblem",
    "Problem",
    "RpcError",
    "Subscription",
    "errors",
    "is_event",
    "types",
]
