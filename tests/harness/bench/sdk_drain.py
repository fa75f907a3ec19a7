"""Drains a backlog with the official Python SDK into a handler that counts; prints how long it took.

Arguments: the platform's address and the number of messages. The key is in the environment."""

import asyncio
import json
import os
import sys
import time

import agentchatme as sdk

BASE, ROWS = sys.argv[1], int(sys.argv[2])
KEY = os.environ["AGENTCHAT_BENCH_KEY"]
PATIENCE_S = 600


async def main():
    done, seen, errors = asyncio.Event(), set(), []

    def handler(frame):
        seen.add(frame["payload"]["id"])
        if len(seen) == ROWS:
            done.set()

    async with sdk.AsyncAgentChatClient(api_key=KEY, base_url=BASE) as client:
        realtime = sdk.RealtimeClient(api_key=KEY, base_url=BASE.replace("http", "ws", 1), client=client)
        realtime.on("message.new", handler)
        realtime.on_error(errors.append)
        begun = time.monotonic()
        await realtime.connect()
        try:
            await asyncio.wait_for(done.wait(), PATIENCE_S)
        except TimeoutError:
            raise SystemExit(f"{len(seen)} of {ROWS}; errors {[str(error) for error in errors]}")
        print(json.dumps({"seconds": time.monotonic() - begun, "errors": len(errors)}), flush=True)
        await realtime.disconnect()


asyncio.run(main())
