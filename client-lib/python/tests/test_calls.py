"""Calls, against a daemon that follows a script."""

import asyncio
import os
import unittest
from typing import Any
from unittest import mock

from agentchatd_client import Client, ConnectError, DeadlineError, DisconnectedError, RpcError
from agentchatd_client.connection import Connection
from agentchatd_client.errors import AgentchatdError

from .fake import PATIENCE_S, FakeDaemon, Peer


class Calls(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.daemon = await self.enterAsyncContext(FakeDaemon())

    async def connected(self, **options: Any) -> tuple[Client, Peer]:
        client = await self.enterAsyncContext(Client(self.daemon.path, **options))
        return client, await self.daemon.accept()

    async def test_closing_while_it_connects_leaves_nothing_behind(self) -> None:
        client = Client(self.daemon.path)
        call = asyncio.create_task(client.call("x.y"))
        real = Connection.open

        async def late(path: str, max_line_bytes: int) -> Connection:
            connection = await real(path, max_line_bytes)
            await client.close()
            return connection

        with mock.patch.object(Connection, "open", late):
            with self.assertRaises(DisconnectedError):
                await asyncio.wait_for(call, PATIENCE_S)
        await (await self.daemon.accept()).gone()
        self.assertFalse(client.is_connected)

    async def test_calls_run_side_by_side_and_answers_find_theirs(self) -> None:
        client, peer = await self.connected()
        calls = [asyncio.create_task(client.call("x.y", {"n": number})) for number in range(50)]
        requests = [await peer.request() for _ in calls]
        self.assertEqual([request["params"]["n"] for request in requests], list(range(50)))
        await peer.notify("something.new", {})
        await peer.raw(b"\n")
        for request in reversed(requests):
            await peer.answer(request, request["params"]["n"])
        self.assertEqual(await asyncio.gather(*calls), list(range(50)))

    async def test_a_method_sends_what_was_given_and_no_more(self) -> None:
        client, peer = await self.connected()
        call = asyncio.create_task(client.agents.update(description=None))
        request = await peer.request()
        self.assertEqual((request["method"], request["params"]), ("agents.update", {"description": None}))
        await peer.answer(request, None)
        self.assertIsNone(await call)

    async def test_an_error_keeps_its_code_and_data(self) -> None:
        client, peer = await self.connected()
        call = asyncio.create_task(client.consumers.delete(name="a"))
        await peer.refuse(await peer.request(), -32006, {"what": "consumer", "id": "a"})
        with self.assertRaises(RpcError) as caught:
            await call
        found = caught.exception
        self.assertEqual((found.code, found.kind, found.message, found.data["what"]), (-32006, "not_found", "no", "consumer"))

    async def test_a_deadline_ends_one_call_and_its_late_answer_harms_nobody(self) -> None:
        client, peer = await self.connected()
        with self.assertRaises(DeadlineError):
            await asyncio.wait_for(client.daemon.version(deadline=0.05), PATIENCE_S)
        late = await peer.request()
        call = asyncio.create_task(client.call("x.y"))
        request = await peer.request()
        await peer.answer(late, "late")
        await peer.answer(request, "right")
        self.assertEqual(await call, "right")

    async def test_a_call_that_is_given_up_takes_nothing_from_the_others(self) -> None:
        client, peer = await self.connected()
        calls = [asyncio.create_task(client.call("x.y", {"n": number})) for number in range(3)]
        requests = [await peer.request() for _ in calls]
        calls[1].cancel()
        for request in requests:
            await peer.answer(request, request["params"]["n"])
        self.assertEqual([await calls[0], await calls[2]], [0, 2])
        with self.assertRaises(asyncio.CancelledError):
            await calls[1]

    async def test_a_lost_connection_is_an_error_and_the_next_call_connects_anew(self) -> None:
        client, peer = await self.connected()
        calls = [asyncio.create_task(client.call("x.y")) for _ in range(3)]
        for _ in calls:
            await peer.request()
        peer.drop()
        for call in calls:
            with self.assertRaises(DisconnectedError):
                await call
        self.assertFalse(client.is_connected)
        again = asyncio.create_task(client.call("x.y"))
        peer = await self.daemon.accept()
        await peer.answer(await peer.request(), 1)
        self.assertEqual(await again, 1)
        self.assertTrue(client.is_connected)

    async def test_calls_made_while_connecting_share_one_connection_in_their_order(self) -> None:
        client = Client(self.daemon.path)
        self.addAsyncCleanup(client.close)
        calls = [asyncio.create_task(client.call("x.y", {"n": number})) for number in range(20)]
        peer = await self.daemon.accept()
        for number in range(20):
            request = await peer.request()
            self.assertEqual(request["params"], {"n": number})
            await peer.answer(request, number)
        self.assertEqual(await asyncio.gather(*calls), list(range(20)))
        self.assertEqual(self.daemon.callers, 0)

    async def test_nobody_at_the_socket_is_said_with_its_path(self) -> None:
        with self.assertRaisesRegex(ConnectError, "/nowhere/s.sock"):
            await Client.connect("/nowhere/s.sock")

    async def test_a_client_that_was_told_nothing_looks_where_the_environment_says(self) -> None:
        with mock.patch.dict(os.environ, {"AGENTCHATD_SOCKET": self.daemon.path}):
            client = await self.enterAsyncContext(Client())
        self.assertEqual(client.path, self.daemon.path)

    async def test_parameters_that_cannot_be_sent_leave_the_connection_alone(self) -> None:
        client, peer = await self.connected()
        with self.assertRaises(ValueError):
            await client.messages.send(to="a", text="\ud800")
        with self.assertRaises(ValueError):
            await client.call("events.subscribe")
        call = asyncio.create_task(client.call("x.y"))
        await peer.answer(await peer.request(), 1)
        self.assertEqual(await call, 1)

    async def test_an_answer_without_an_id_belongs_to_the_only_call(self) -> None:
        client, peer = await self.connected()
        call = asyncio.create_task(client.call("x.y"))
        await peer.request()
        await peer.refuse({"id": None}, -32600, {"limit_bytes": 8})
        with self.assertRaises(RpcError) as caught:
            await call
        self.assertEqual(caught.exception.data, {"limit_bytes": 8})
        # The daemon closes the connection after it: the next call must not be lost with it.
        self.assertFalse(client.is_connected)

    async def test_an_answer_without_an_id_among_several_calls_ends_the_connection(self) -> None:
        client, peer = await self.connected()
        calls = [asyncio.create_task(client.call("x.y")) for _ in range(2)]
        for _ in calls:
            await peer.request()
        await peer.refuse({"id": None}, -32700)
        for call in calls:
            with self.assertRaises(DisconnectedError):
                await call

    async def test_a_closed_client_stays_closed(self) -> None:
        client, peer = await self.connected()
        call = asyncio.create_task(client.call("x.y"))
        await peer.request()
        await client.close()
        for each in (call, client.call("x.y")):
            with self.assertRaises(DisconnectedError):
                await each


class Hostile(unittest.IsolatedAsyncioTestCase):
    async def fails(self, data: bytes, close: bool = False, **options: Any) -> AgentchatdError:
        """What a call ends with where the daemon answers with these bytes."""
        async with FakeDaemon() as daemon, Client(daemon.path, **options) as client:
            peer = await daemon.accept()
            call = asyncio.create_task(client.call("x.y", deadline=15))
            await peer.request()
            peer.writer.write(data)
            if close:
                peer.drop()
            with self.assertRaises(DisconnectedError) as caught:
                await call
            self.assertFalse(client.is_connected)
            return caught.exception

    async def test_a_line_of_garbage_ends_the_connection(self) -> None:
        for line in [b"garbage\n", b"[]\n", b'{"id":1}\n', b"\xff\xfe\n", b'{"id":1,"error":7}\n']:
            await self.fails(line)

    async def test_a_line_that_is_too_long_ends_the_connection(self) -> None:
        found = await self.fails(b'{"id":1,"result":"' + b"x" * 300_000, max_line_bytes=100_000)
        self.assertIn("100000", str(found))

    async def test_half_a_line_is_no_answer(self) -> None:
        await self.fails(b'{"jsonrpc":"2.0","id":1,"result":1}', close=True)
