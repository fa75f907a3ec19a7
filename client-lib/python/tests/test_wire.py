"""Lines, errors, waiting times: what needs no connection."""

import json
import unittest
from typing import Any

from agentchatd_client import backoff, deep, wire
from agentchatd_client.client import patience
from agentchatd_client.errors import ERRORS, RpcError


def error(code: int, **data: Any) -> RpcError:
    return wire.rpc_error({"code": code, "message": "no", "data": data})


class Errors(unittest.TestCase):
    def test_every_code_of_the_contract_has_a_class_and_a_kind(self) -> None:
        kinds = {code: of_code.kind for code, of_code in ERRORS.items()}
        self.assertEqual(len(kinds), 16)
        self.assertEqual(kinds[-32010], "conflict")
        self.assertEqual(kinds[-32602], "invalid_params")
        self.assertIs(type(error(-32006)), ERRORS[-32006])
        unknown = error(-1)
        self.assertIs(type(unknown), RpcError)
        self.assertEqual((unknown.code, unknown.kind), (-1, None))

    def test_what_may_succeed_later_is_retryable(self) -> None:
        passing = [error(-32002), error(-32007), error(-32008), error(-32009), error(-32001, status=429),
                   error(-32001, status=503)]
        standing = [error(-32602), error(-32603), error(-32010), error(-32011), error(-32005), error(-32001, status=404),
                    error(-32001, status=429, **{"class": "RecipientBackloggedError"}),
                    error(-32001, status=429, **{"class": "AwaitingReplyError"}), error(-1)]
        self.assertTrue(all(each.retryable for each in passing), passing)
        self.assertFalse(any(each.retryable for each in standing), standing)
        self.assertEqual(error(-32008, retry_after_ms=250).retry_after_ms, 250)
        for wrong in (None, "250", True, -1, 2.5):
            self.assertIsNone(error(-32008, retry_after_ms=wrong).retry_after_ms)


class Waiting(unittest.TestCase):
    def test_a_call_waits_as_long_as_the_daemon_may_take_and_a_little_more(self) -> None:
        self.assertEqual(patience({}), 60)
        self.assertEqual(patience({"timeout_ms": None}), 60)
        self.assertEqual(patience({"timeout_ms": 5_000}), 35)
        self.assertEqual(patience({"wait_ms": 60_000}), 90)
        self.assertEqual(patience({"timeout_ms": 10**12}), 24 * 3600 + 30)

    def test_waits_grow_up_to_a_bound_and_are_never_all_the_same(self) -> None:
        longest = [backoff.delay(attempt, 0, lambda: 0.0) for attempt in range(20)]
        shortest = [backoff.delay(attempt, 0, lambda: 1.0) for attempt in range(20)]
        self.assertEqual(longest[:4], [0.05, 0.1, 0.2, 0.4])
        self.assertEqual(max(longest), 5.0)
        self.assertEqual([each / 2 for each in longest], shortest)
        self.assertGreater(len({backoff.delay(9, 0) for _ in range(20)}), 1)
        self.assertGreaterEqual(backoff.delay(0, 2.0), 2.0)
        self.assertLessEqual(backoff.delay(0, 1e9), 61.0)


class Lines(unittest.TestCase):
    def test_numbers_and_text_come_as_they_were_sent(self) -> None:
        text = '{"n":12345678901234567890,"f":1.5,"s":"\\u2028 \\ud83d\\ude00 é","b":[true,null]}'
        expected = {"n": 12345678901234567890, "f": 1.5, "s": "\u2028 \U0001f600 é", "b": [True, None]}
        self.assertEqual(wire.decode(text.encode()), expected)

    def test_json_of_any_depth_and_size_of_number_is_read(self) -> None:
        value = wire.decode(b'{"a":' * 20_000 + b"1" + b"}" * 20_000)
        for _ in range(20_000):
            value = value["a"]
        self.assertEqual(value, 1)
        self.assertEqual(wire.decode(b'{"n":' + b"9" * 5_000 + b"}"), {"n": float("inf")})

    def test_the_reader_of_deep_json_says_the_same_as_the_usual_one(self) -> None:
        right = ['{"a":[1,-2.5,1e3,"x\\n\\u00e9",true,false,null,{}],"b":{"c":[[],[[]]]}}', " [ 1 , { } ] ", '"x"', "0", "{}",
                 '{"a":1,"a":2}']
        for text in right:
            self.assertEqual(deep.parse(text, int), json.loads(text))
        for text in ["", "[", "[1", "[1,]", '{"a"}', '{"a":}', '{"a":1,}', "{1:2}", "[1]]", "tru", "01", "[1 2]", '"x', "nul", "NaN",
                     "]", '{"a":1]']:
            with self.assertRaises(ValueError, msg=text):
                deep.parse(text, int)

    def test_what_is_no_protocol_is_a_breach(self) -> None:
        for line in [b"x", b"[]", b"1", b"null", b"{}", b'{"id":1}', b'{"result":1}', b'{"id":"1","result":1}', b'{"id":true,"result":1}',
                     b'{"method":1}', b'{"method":"x"}', b'{"id":1,"error":1}', b'{"id":1,"error":{"code":"1","message":""}}',
                     b'{"id":1,"result":NaN}', b"\xff", b'{"id":1,"result":"' + b"\xff" + b'"}']:
            with self.assertRaises(wire.BreachError, msg=line):
                wire.read(line)
        self.assertIsNone(wire.read(b" \r"))

    def test_parameters_that_the_daemon_could_not_read_are_refused_here(self) -> None:
        nested: Any = 1
        for _ in range(wire.MAX_DEPTH):
            nested = [nested]
        wrong: list[dict[Any, Any]] = [{"text": "\ud800"}, {"\udfff": 1}, {"n": float("nan")}, {"n": float("inf")}, {"data": nested}, {"x": {1, 2}}]
        for params in wrong:
            with self.assertRaises((ValueError, TypeError), msg=str(params)[:40]):
                wire.request(1, "messages.send", params)
