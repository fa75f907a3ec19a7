"""Subscriptions that lose nothing, against a daemon that follows a script."""

import asyncio

from agentchatd_client import (
    ClosedError, ConnectError, ConsumerConflictError, GaveUpError, HoleProblem, NotRisingProblem, Subscription,
)

from .fake import PATIENCE_S, Peer, event_line, subscribed
from .reader import Base, following, take

ATTACHED = {"consumer": "c", "reason": "attached", "holder_pid": 1, "holder_uid": 1}


class Order(Base):
    async def test_events_come_in_order_and_are_acked_by_hand(self) -> None:
        events, peer, params = await self.opened()
        self.assertEqual(params["consumer"], "c")
        await peer.events(range(1, 4))
        self.assertEqual(await take(events, 3), [1, 2, 3])
        await events.ack(2)
        ack = await peer.request()
        self.assertEqual((ack["method"], ack["params"]), ("events.ack", {"consumer": "c", "offset": 2}))
        await peer.answer(ack, {"acked_offset": 2})
        await peer.events([4])
        self.assertEqual(await take(events, 1), [4])
        self.assertEqual(events.acked_offset, 2)

    async def test_a_hole_is_reported_and_the_events_are_asked_for_again(self) -> None:
        events, peer, _ = await self.opened(consumer=None)
        await peer.events([1, 3])
        self.assertEqual(await take(events, 1), [1])
        reading = asyncio.create_task(take(events, 2))
        peer, request = await self.daemon.accept_subscriber(2)
        self.assertEqual(request["params"]["from"], {"offset": 2})
        await peer.events([2, 3])
        self.assertEqual(await reading, [2, 3])
        [problem] = self.problems
        assert isinstance(problem, HoleProblem)
        self.assertEqual((problem.expected, problem.got), (2, 3))

    async def test_a_hole_that_is_there_again_is_the_logs_own(self) -> None:
        events, peer, _ = await self.opened(consumer=None)
        await peer.events([3])
        reading = asyncio.create_task(take(events, 1))
        peer, _ = await self.daemon.accept_subscriber(1)
        await peer.events([3])
        self.assertEqual(await reading, [3])
        self.assertEqual(len(self.problems), 1)

    async def test_an_offset_that_comes_twice_is_handed_out_once(self) -> None:
        events, peer, _ = await self.opened(consumer=None)
        await peer.events([1, 2, 2])
        self.assertEqual(await take(events, 2), [1, 2])
        reading = asyncio.create_task(take(events, 1))
        peer, _ = await self.daemon.accept_subscriber(3)
        await peer.events([3])
        self.assertEqual(await reading, [3])
        self.assertIsInstance(self.problems[0], NotRisingProblem)

    async def test_a_filter_leaves_holes_that_are_none(self) -> None:
        events, peer, params = await self.opened(consumer=None, filter={"types": ["message.new"]}, from_="earliest")
        self.assertEqual((params["filter"], params["from"]), ({"types": ["message.new"]}, "earliest"))
        await peer.events([3, 9])
        self.assertEqual(await take(events, 2), [3, 9])
        self.assertEqual(self.problems, [])

    async def test_live_only_events_pass_and_dropped_ones_are_counted(self) -> None:
        events, peer, _ = await self.opened()
        await peer.notify("events.lagged", {"subscription": "s", "dropped": 7})
        await peer.raw(event_line(None, type="typing.start"))
        await peer.events([1])
        live = await following(events)
        self.assertEqual(live["type"], "typing.start")
        await events.ack(live)
        self.assertEqual(await take(events, 1), [1])
        self.assertEqual(events.lagged, 7)


class Resuming(Base):
    async def test_a_connection_that_breaks_in_mid_line_loses_nothing(self) -> None:
        events, peer, _ = await self.opened()
        await peer.events([1, 2])
        await peer.raw(event_line(3)[:40])
        peer.drop()
        self.assertEqual(await take(events, 2), [1, 2])
        reading = asyncio.create_task(take(events, 3))
        peer, _ = await self.daemon.accept_subscriber(1)
        await peer.events([1, 2, 3])
        self.assertEqual(await reading, [-1, -2, 3])

    async def test_an_acknowledgement_from_before_the_break_goes_first_on_the_new_connection(self) -> None:
        events, peer, _ = await self.opened()
        await peer.events([1, 2])
        self.assertEqual(await take(events, 2), [1, 2])
        peer.drop()
        # The write may still find the old connection; either way the daemon has to hear of it again.
        await events.ack(2)
        reading = asyncio.create_task(take(events, 1))
        peer = await self.daemon.accept()
        ack = await peer.request()
        self.assertEqual((ack["method"], ack["params"]), ("events.ack", {"consumer": "c", "offset": 2}))
        await peer.answer(ack, {"acked_offset": 2})
        request = await peer.request()
        self.assertEqual(request["params"]["from"], {"offset": 3})
        await peer.answer(request, subscribed(request, 3))
        await peer.events([3])
        self.assertEqual(await reading, [3])
        self.assertEqual(events.acked_offset, 2)

    async def ack_while_opening(self, next_offset: int) -> tuple[Subscription, Peer]:
        """Reads 1 to 3, acknowledges 1, loses the connection, and acknowledges 2 while the next one is being opened."""
        events, peer, _ = await self.opened()
        await peer.events(range(1, 4))
        await take(events, 3)
        await events.ack(1)
        await peer.answer(await peer.request(), {"acked_offset": 1})
        peer.drop()
        self.reading = asyncio.create_task(take(events, 2))
        peer = await self.daemon.accept()
        request = await peer.request()
        if request["method"] == "events.ack":
            await peer.answer(request, {"acked_offset": 1})
            request = await peer.request()
        # Asked, and not answered yet: too late for what goes before the subscribe.
        await events.ack(2)
        await peer.answer(request, subscribed(request, next_offset))
        return events, peer

    async def test_an_acknowledgement_made_while_the_connection_is_opened_follows_on_it(self) -> None:
        events, peer = await self.ack_while_opening(2)
        ack = await peer.request()
        self.assertEqual(ack["params"], {"consumer": "c", "offset": 2})
        await peer.answer(ack, {"acked_offset": 2})
        await peer.events([2, 3])
        self.assertEqual(await self.reading, [-2, -3])

    async def test_an_acknowledgement_from_before_a_step_back_is_dropped(self) -> None:
        events, peer = await self.ack_while_opening(1)
        await peer.events([1, 2])
        self.assertEqual(await self.reading, [-1, -2])
        await events.ack(1)
        ack = await peer.request()
        self.assertEqual(ack["params"]["offset"], 1, "the first one said on it")

    async def test_an_ephemeral_reader_goes_on_after_its_last_event(self) -> None:
        events, peer, _ = await self.opened(5, consumer=None)
        await peer.events([5, 6])
        self.assertEqual(await take(events, 2), [5, 6])
        peer.drop()
        reading = asyncio.create_task(take(events, 1))
        peer, request = await self.daemon.accept_subscriber(7)
        self.assertEqual(request["params"]["from"], {"offset": 7})
        await peer.events([7])
        self.assertEqual(await reading, [7])

    async def test_a_daemon_that_goes_away_is_left_alone_for_as_long_as_it_asked(self) -> None:
        events, peer, _ = await self.opened()
        await peer.events([1])
        await peer.notify("daemon.going_away", {"reason": "stop", "retry_in_ms": 700})
        peer.drop()
        self.assertEqual(await take(events, 1), [1])
        reading = asyncio.create_task(take(events, 1))
        loop = asyncio.get_running_loop()
        begun = loop.time()
        peer = await self.daemon.accept()
        self.assertGreaterEqual(loop.time() - begun, 0.69)
        await peer.refuse(await peer.request(), -32009)
        peer, _ = await self.daemon.accept_subscriber(2)
        await peer.events([2])
        self.assertEqual(await reading, [2])

    async def test_waits_grow_while_nobody_lets_it_in(self) -> None:
        events, peer, _ = await self.opened()
        peer.drop()
        reading = asyncio.create_task(take(events, 1))
        for _ in range(3):
            (await self.daemon.accept()).drop()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        peer = await self.daemon.accept()
        # The fourth try comes 0.2 to 0.4 s after the third, less what accepting took.
        self.assertGreater(loop.time() - begun, 0.1)
        request = await peer.request()
        await peer.answer(request, subscribed(request, 1))
        await peer.events([1])
        self.assertEqual(await reading, [1])

    async def test_after_a_break_a_consumer_that_still_looks_attached_is_waited_for(self) -> None:
        events, peer, _ = await self.opened()
        peer.drop()
        reading = asyncio.create_task(take(events, 1))
        peer = await self.daemon.accept()
        await peer.refuse(await peer.request(), -32005, ATTACHED)
        peer, _ = await self.daemon.accept_subscriber(1)
        await peer.events([1])
        self.assertEqual(await reading, [1])

    async def test_a_daemon_that_stays_away_is_given_up_if_so_wished(self) -> None:
        events, peer, _ = await self.opened(give_up_after=0.2)
        self.daemon.away()
        peer.drop()
        with self.assertRaises(GaveUpError):
            await following(events)
        with self.assertRaises(StopAsyncIteration):
            await following(events)


class Ends(Base):
    async def test_a_takeover_is_final_and_a_stop_of_the_daemon_is_not(self) -> None:
        events, peer, _ = await self.opened(5)
        await peer.events([5])
        await peer.notify("events.closed", {"subscription": "s", "reason": "shutting_down"})
        self.assertEqual(await take(events, 1), [5])
        reading = asyncio.create_task(take(events, 1))
        peer, _ = await self.daemon.accept_subscriber(2)
        await peer.events([2])
        await peer.notify("events.closed", {"subscription": "other", "reason": "takeover"})
        await peer.notify("events.closed", {"subscription": "s", "reason": "takeover"})
        self.assertEqual(await reading, [2])
        with self.assertRaises(ClosedError) as caught:
            await following(events)
        self.assertEqual(caught.exception.reason, "takeover")
        with self.assertRaises(StopAsyncIteration):
            await following(events)
        with self.assertRaises(ClosedError):
            await events.ack(2)
        await peer.gone()
        self.assertEqual(self.daemon.callers, 0)

    async def test_a_takeover_is_asked_for_once(self) -> None:
        events, peer, params = await self.opened(takeover=True)
        self.assertTrue(params["takeover"])
        peer.drop()
        reading = asyncio.create_task(take(events, 1))
        peer, request = await self.daemon.accept_subscriber(1)
        self.assertNotIn("takeover", request["params"])
        await peer.events([1])
        self.assertEqual(await reading, [1])

    async def test_a_first_refusal_is_an_error_at_once(self) -> None:
        opening = asyncio.create_task(Subscription(self.daemon.path, consumer="c").open())
        peer = await self.daemon.accept()
        await peer.refuse(await peer.request(), -32005, ATTACHED)
        with self.assertRaises(ConsumerConflictError) as caught:
            await opening
        assert caught.exception.data is not None
        self.assertEqual(caught.exception.data["holder_pid"], 1)

    async def test_nobody_at_first_is_an_error_at_once(self) -> None:
        with self.assertRaisesRegex(ConnectError, "/nowhere/s.sock"):
            await Subscription("/nowhere/s.sock", consumer="c").open()

    async def test_a_refusal_that_stands_ends_it(self) -> None:
        events, peer, _ = await self.opened()
        peer.drop()
        reading = asyncio.create_task(take(events, 1))
        peer = await self.daemon.accept()
        await peer.refuse(await peer.request(), -32005, ATTACHED | {"reason": "filter_differs"})
        with self.assertRaises(ConsumerConflictError):
            await reading

    async def test_closing_waits_for_the_last_acknowledgement(self) -> None:
        events, peer, _ = await self.opened()
        await peer.events([1])
        self.assertEqual(await take(events, 1), [1])
        await events.ack(1)
        closing = asyncio.create_task(events.close())
        ack, unsubscribe = await peer.request(), await peer.request()
        self.assertEqual(unsubscribe["method"], "events.unsubscribe")
        await peer.events([2])
        await peer.answer(unsubscribe, True)
        await peer.answer(ack, {"acked_offset": 1})
        self.assertEqual(await closing, 1)
        await peer.gone()


    async def test_closing_ends_a_read_that_is_under_way(self) -> None:
        events, peer, _ = await self.opened()
        await peer.events([1])
        self.assertEqual(await take(events, 1), [1])
        reading = asyncio.create_task(events.__anext__())
        await asyncio.sleep(0)
        await events.ack(1)
        await asyncio.wait_for(events.close(), PATIENCE_S)
        with self.assertRaises(StopAsyncIteration):
            await asyncio.wait_for(asyncio.gather(reading, return_exceptions=False), PATIENCE_S)
        self.assertEqual((await peer.request())["method"], "events.ack")
