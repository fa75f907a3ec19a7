"""The client against the real daemon, through its death and its restart."""

import asyncio
import unittest
from typing import Any

from agentchatd_client import Client, ClosedError, ConflictError, RpcError, Subscription, is_event
from agentchatd_client.types import Event

from .stage import Stage

PATIENCE_S = 30.0
BURST = 200
MESSAGES: Any = {"types": ["message.new"]}


async def following(events: Subscription) -> Event:
    return await asyncio.wait_for(anext(events), PATIENCE_S)


async def message(events: Subscription) -> tuple[str, bool]:
    """The text of the next message, and whether it is marked as redelivered."""
    event = await following(events)
    assert is_event(event, "message.new"), event
    return event["payload"]["content"]["text"], event.get("redelivered", False)


class WithDaemon(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        self.stage = self.enterContext(Stage())

    def consumer(self, name: str = "c", **options: Any) -> Subscription:
        return Subscription(self.stage.path, consumer=name, from_="earliest", **options)

    async def client(self) -> Client:
        return await self.enterAsyncContext(Client(self.stage.path))

    async def test_what_is_acknowledged_does_not_come_again_and_the_rest_is_marked(self) -> None:
        async with self.consumer(filter=MESSAGES) as events:
            for number in range(3):
                self.stage.peer_says(f"number {number}")
            read = [await following(events) for _ in range(3)]
            await events.ack(read[0])
            self.assertEqual(await events.close(), read[0]["offset"])
        self.stage.kill()
        self.stage.start()
        self.stage.peer_says("number 3")
        async with self.consumer() as events:
            again = [await message(events) for _ in range(3)]
        self.assertEqual(again, [("number 1", True), ("number 2", True), ("number 3", False)])

    async def test_nothing_is_lost_when_the_daemon_is_killed_in_a_burst(self) -> None:
        async with self.consumer() as events:
            def burst() -> None:
                for number in range(BURST):
                    self.stage.peer_says(str(number))
                    if number == BURST // 2:
                        self.stage.kill()
                        self.stage.start()

            sending = asyncio.create_task(asyncio.to_thread(burst))
            offsets: list[int] = []
            while not offsets or offsets[-1] < BURST:
                event = await following(events)
                if event["offset"] is None:
                    continue
                if offsets and event["offset"] <= offsets[-1]:
                    self.assertTrue(event.get("redelivered"), "it came again without the mark")
                else:
                    offsets.append(event["offset"])
                await events.ack(event)
            await sending
        self.assertEqual(offsets, list(range(1, BURST + 1)))

    async def test_a_stop_of_the_daemon_is_survived_by_subscription_and_client(self) -> None:
        client = await self.client()
        async with self.consumer(filter=MESSAGES) as events:
            self.stage.peer_says("before")
            self.assertEqual(await message(events), ("before", False))
            reading = asyncio.create_task(message(events))
            await asyncio.to_thread(self.stage.stop)
            self.stage.peer_says("while it is away")
            await asyncio.to_thread(self.stage.start)
            # Nothing was acknowledged: both come, the first with its mark.
            self.assertEqual([await reading, await message(events)], [("before", True), ("while it is away", False)])
        self.assertEqual((await client.daemon.version())["name"], "agentchatd")

    async def test_a_takeover_ends_the_other_reader_and_is_not_fought(self) -> None:
        client = await self.client()
        async with self.consumer(takeover=True) as first:
            with self.assertRaises(RpcError) as caught:
                await self.consumer().open()
            self.assertEqual(caught.exception.kind, "consumer_conflict")
            reading = asyncio.create_task(following(first))
            async with self.consumer(takeover=True) as second:
                with self.assertRaises(ClosedError) as closed:
                    await reading
                self.assertEqual(closed.exception.reason, "takeover")
                self.stage.peer_says("for the second")
                self.assertEqual((await message(second))[0], "for the second")
                self.assertEqual((await client.daemon.status())["subscriptions"], 1)

    async def test_the_same_id_with_another_content_is_a_conflict(self) -> None:
        client = await self.client()
        first = await client.messages.send(to="@peer", text="one", client_msg_id="id-1")
        again = await client.messages.send(to="@peer", text="one", client_msg_id="id-1")
        self.assertEqual((first.get("replayed"), again.get("replayed")), (False, True))
        with self.assertRaises(ConflictError) as caught:
            await client.messages.send(to="@peer", text="two", client_msg_id="id-1")
        found = caught.exception
        self.assertFalse(found.retryable)
        assert found.data is not None and found.data["message"] is not None
        self.assertEqual((found.data["client_msg_id"], found.data["message"]["content"]["text"]), ("id-1", "one"))
        self.assertEqual(len(self.stage.messages_of("peer")), 1)

    async def test_calls_side_by_side_keep_the_order_of_sends(self) -> None:
        # Not connected yet: the order holds through that, too.
        client = Client(self.stage.path)
        self.addAsyncCleanup(client.close)
        await asyncio.gather(*(client.messages.send(to="peer", text=str(number)) for number in range(40)))
        texts = [row["content"]["text"] for row in self.stage.messages_of("peer")]
        self.assertEqual(texts, [str(number) for number in range(40)])

    async def test_errors_are_mapped_with_what_they_tell(self) -> None:
        client = await self.client()
        cases: list[tuple[Any, str, dict[str, Any]]] = [
            (client.consumers.delete(name="nobody"), "not_found", {"what": "consumer", "id": "nobody"}),
            (client.events.fetch(limit=0), "invalid_params", {"path": "/limit"}),
            (client.messages.send(to="nobody.at.all", text="x"), "api_error", {"status": 404, "class": "NotFoundError"}),
            (client.call("no.such"), "method_not_found", {}),
        ]
        for call, kind, data in cases:
            with self.subTest(kind=kind), self.assertRaises(RpcError) as caught:
                await call
            found = caught.exception
            self.assertEqual((found.kind, (found.data or {}) | data), (kind, found.data or {}))

    async def test_text_comes_back_as_it_was_sent(self) -> None:
        client = await self.client()
        text = 'quotes "\\" \u2028\u2029 \r\n\t é e\u0301 \U0001f600 \U0001f469\u200d\U0001f680 \u202eabc \ufeff \x7f \uffff'
        await client.messages.send(to="peer", text=text)
        self.assertEqual(self.stage.messages_of("peer")[0]["content"]["text"], text)
        self.stage.peer_says(text)
        async with self.consumer(filter=MESSAGES) as events:
            self.assertEqual(await message(events), (text, False))

    async def test_large_messages_pass_and_one_over_the_limit_is_refused(self) -> None:
        client = await self.client()
        text = "é" * 15_000
        sent = await client.messages.send(to="peer", text=text)
        self.assertIn("message", sent)
        self.stage.peer_says(text, count=100)
        async with self.consumer(filter=MESSAGES) as events:
            for _ in range(100):
                self.assertEqual(await message(events), (text, False))
        page = await client.events.fetch(limit=1000, from_="earliest")
        self.assertEqual(len(page["events"]), 101)
        with self.assertRaises(RpcError) as caught:
            await client.messages.send(to="peer", text="x" * (9 << 20))
        self.assertEqual((caught.exception.kind, caught.exception.data), ("invalid_request", {"limit_bytes": 8 << 20}))
        self.assertEqual((await client.daemon.version())["api"], 1)

    async def test_a_message_of_any_depth_does_not_stop_a_reader(self) -> None:
        async with self.consumer(filter=MESSAGES) as events:
            self.stage.peer_says(raw='{"data":{"a":' + "[" * 5_000 + "]" * 5_000 + "}}")
            self.stage.peer_says(raw='{"data":{"a":' + "9" * 6_000 + "}}")
            self.stage.peer_says("after them")
            await following(events)
            await following(events)
            self.assertEqual(await message(events), ("after them", False))

    async def test_the_deepest_request_that_is_let_out_is_taken(self) -> None:
        client = await self.client()
        # The request, its parameters and `data` are three levels themselves.
        data: Any = {}
        for _ in range(125):
            data = {"a": data}
        sent = await client.messages.send(to="peer", data=data, delivery="queue")
        self.assertIn("outbox_id", sent)
        with self.assertRaises(ValueError):
            await client.messages.send(to="peer", data={"a": data}, delivery="queue")
