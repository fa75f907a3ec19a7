"""How fast and how much a subscription reads, what it says by itself, what it takes to give a read up, and what it makes of
nonsense."""

import asyncio
from typing import Any

from agentchatd_client import AckProblem, ClosedError, Subscription

from .fake import PATIENCE_S, event_line, subscribed
from .reader import Base, following, take


class Pace(Base):
    async def test_auto_ack_says_what_the_reader_is_done_with_and_no_more(self) -> None:
        events, peer, _ = await self.opened(auto_ack=True)
        await peer.events(range(1, 4))
        self.assertEqual(await take(events, 3), [1, 2, 3])
        # The third is still in the reader's hands; only asking for more says that it is done.
        reading = asyncio.create_task(take(events, 1))
        ack = await peer.request()
        while ack["params"]["offset"] != 3:
            self.assertLess(ack["params"]["offset"], 3)
            ack = await peer.request()
        await peer.answer(ack, {"acked_offset": 3})
        await peer.events([4])
        self.assertEqual(await reading, [4])
        self.assertEqual(events.acked_offset, 3)

    async def test_auto_ack_says_nothing_of_the_event_that_could_not_be_handled(self) -> None:
        events, peer, _ = await self.opened(auto_ack=True)
        await peer.events(range(1, 4))
        with self.assertRaises(KeyError):
            async with events:
                async for event in events:
                    if event["offset"] == 2:
                        raise KeyError("the handler fails")
        requests = [await peer.request()]
        while requests[-1]["method"] != "events.unsubscribe":
            requests.append(await peer.request())
        self.assertEqual([each["params"].get("offset") for each in requests], [1, None])

    async def test_auto_ack_does_not_undo_that_the_consumer_was_moved_back(self) -> None:
        events, peer, _ = await self.opened(auto_ack=True)
        await peer.events(range(1, 6))
        await take(events, 5)
        await peer.events([3])
        reading = asyncio.create_task(take(events, 1))
        peer = await self.daemon.accept()
        request = await peer.request()
        self.assertEqual(request["method"], "events.subscribe", "an acknowledgement would move it forth again")
        reading.cancel()
        await asyncio.wait([reading])

    async def test_what_nobody_was_given_is_not_redelivered(self) -> None:
        events, peer, _ = await self.opened(next_offset=6)
        await peer.events([6])
        await take(events, 1)
        await peer.events([1])
        reading = asyncio.create_task(take(events, 6))
        again, _ = await self.daemon.accept_subscriber(1)
        await again.events(range(1, 7))
        self.assertEqual(await reading, [1, 2, 3, 4, 5, -6])

    async def test_closing_while_it_comes_back_opens_nothing_more(self) -> None:
        events, peer, _ = await self.opened()
        peer.drop()
        reading = asyncio.ensure_future(anext(events, None))
        again = await self.daemon.accept()
        await again.request()
        await asyncio.wait_for(events.close(), PATIENCE_S)
        self.assertIsNone(await asyncio.wait_for(reading, PATIENCE_S))
        await again.gone()
        with self.assertRaises(ClosedError):
            await events.open()

    async def test_closing_while_it_opens_leaves_nothing_behind(self) -> None:
        events = Subscription(self.daemon.path, consumer="c")
        reading = asyncio.ensure_future(anext(events, None))
        peer = await self.daemon.accept()
        request = await peer.request()
        await events.close()
        await peer.answer(request, subscribed(request, 1))
        self.assertIsNone(await asyncio.wait_for(reading, PATIENCE_S))
        await peer.gone()
        self.assertEqual(self.daemon.callers, 0)

    async def test_auto_ack_writes_far_fewer_lines_than_there_are_events(self) -> None:
        events, peer, _ = await self.opened(auto_ack=True)
        await asyncio.gather(take(events, 300), peer.events(range(1, 301)))
        reading = asyncio.create_task(take(events, 1))
        acks = 1
        while (await peer.request())["params"]["offset"] != 300:
            acks += 1
        await peer.events([301])
        await reading
        self.assertLess(acks, 30)

    async def test_a_slow_reader_stops_the_socket_and_not_the_memory(self) -> None:
        events, peer, _ = await self.opened()
        total, written, before = 4_000, 0, -1

        async def write() -> None:
            nonlocal written
            for offset in range(1, total + 1):
                await peer.raw(event_line(offset, payload={"text": "x" * 2_000}))
                written = offset

        # More than the kernel and the reader hold: it can only all be written while somebody reads.
        writing = asyncio.create_task(write())
        while written > before:
            before = written
            await asyncio.sleep(0.3)
        self.assertLess(written, total, "it was all taken although nobody reads")
        self.assertEqual(await take(events, total), list(range(1, total + 1)))
        await writing

    async def test_a_read_that_is_given_up_loses_no_event(self) -> None:
        events, peer, _ = await self.opened()
        line = event_line(1)
        await peer.raw(line[:50])
        with self.assertRaises(TimeoutError):
            await asyncio.wait_for(anext(events), 0.05)
        await peer.raw(line[50:])
        self.assertEqual(await take(events, 1), [1])

    async def test_reads_that_are_given_up_do_not_keep_it_from_coming_back(self) -> None:
        events, peer, _ = await self.opened()
        peer.drop()
        accepting = asyncio.create_task(self.daemon.accept_subscriber(1))
        while not accepting.done():
            try:
                await asyncio.wait_for(anext(events), 0.01)
            except TimeoutError:
                pass
        peer, _ = accepting.result()
        await peer.events([1])
        self.assertEqual(await take(events, 1), [1])

    async def test_two_readers_at_a_time_are_refused(self) -> None:
        events, peer, _ = await self.opened()
        reading = asyncio.create_task(events.__anext__())
        await asyncio.sleep(0)
        with self.assertRaises(RuntimeError):
            await following(events)
        await peer.events([1])
        self.assertEqual((await reading)["offset"], 1)

    async def test_a_refused_acknowledgement_is_reported_and_the_stream_goes_on(self) -> None:
        events, peer, _ = await self.opened()
        await peer.events([1])
        await take(events, 1)
        await events.ack(1)
        await peer.refuse(await peer.request(), -32007, {"reason": "full"})
        await peer.events([2])
        self.assertEqual(await take(events, 1), [2])
        self.assertIsInstance(self.problems[0], AckProblem)
        await events.ack(2)
        self.assertEqual((await peer.request())["params"]["offset"], 2)


class Hostile(Base):
    async def resumes_after(self, data: bytes, **options: Any) -> None:
        events, peer, _ = await self.opened(**options)
        await peer.events([1])
        self.assertEqual(await take(events, 1), [1])
        reading = asyncio.create_task(take(events, 1))
        peer.writer.write(data)
        if not data.endswith(b"\n"):
            peer.writer.close()
        peer, _ = await self.daemon.accept_subscriber(2)
        await peer.events([2])
        self.assertEqual(await reading, [2])

    async def test_a_line_of_garbage_breaks_the_connection_and_not_the_subscription(self) -> None:
        for line in [b"garbage", b"[]", b"\xff", event_line("2"), event_line(-1), event_line(2, type=None),
                     event_line(True), event_line(2**63)]:
            with self.subTest(line=line[:90]):
                await self.resumes_after(line.rstrip(b"\n") + b"\n")

    async def test_a_line_that_is_too_long_breaks_the_connection_and_not_the_subscription(self) -> None:
        await self.resumes_after(b'{"x":"' + b"x" * 300_000, max_line_bytes=100_000)

    async def test_half_a_line_is_no_event(self) -> None:
        await self.resumes_after(event_line(2)[:-1])

    async def test_an_answer_that_opens_nothing_is_tried_again(self) -> None:
        events, peer, _ = await self.opened()
        peer.drop()
        reading = asyncio.create_task(take(events, 1))
        for result in ["x", {}, {"subscription": "s"}, {"subscription": "s", "next_offset": "1"}]:
            peer = await self.daemon.accept()
            await peer.answer(await peer.request(), result)
        peer, _ = await self.daemon.accept_subscriber(1)
        await peer.events([1])
        self.assertEqual(await reading, [1])
