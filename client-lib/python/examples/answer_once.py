#!/usr/bin/env python3
"""Answers every message once, through restarts of the daemon and of itself.    answer_once.py [SOCKET]"""

import asyncio
import sys

from agentchatd_client import (
    OMITTED, AgentchatdError, Client, ClosedError, ConnectError, RpcError, Subscription, is_event, types,
)

PATH = sys.argv[1] if len(sys.argv) > 1 else None
WANTED: types.FilterParam = {"types": ["message.new"]}


async def answer(client: Client, event: types.MessageNewEvent) -> None:
    message_id, conversation = event["message_id"], event["conversation_id"] or ""
    group = conversation.startswith("grp_")
    while True:
        try:
            # The id is made from the message's: asking twice sends once. "queue" answers once it is on disk.
            await client.messages.send(
                to=OMITTED if group else event["payload"]["sender"],
                conversation_id=conversation if group else OMITTED,
                text="Thank you, got it.",
                client_msg_id=f"answer-{message_id}",
                delivery="queue",
            )
            return
        except AgentchatdError as error:
            if isinstance(error, RpcError) and not error.retryable:
                raise
            print("trying again:", error, file=sys.stderr, flush=True)
            await asyncio.sleep(1)


async def answer_all() -> None:
    async with Client(PATH) as client, Subscription(PATH, consumer="answer-once-py", filter=WANTED, takeover=True) as events:
        async for event in events:
            if is_event(event, "message.new"):
                await answer(client, event)
                print("answered", event["message_id"], flush=True)
            await events.ack(event)


async def main() -> None:
    while True:
        try:
            await answer_all()
        except ClosedError as error:
            raise SystemExit(f"another one answers now: {error}") from None
        except ConnectError as error:
            print("trying again:", error, file=sys.stderr, flush=True)
            await asyncio.sleep(1)


asyncio.run(main())
