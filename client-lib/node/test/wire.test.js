// Lines, errors, waiting times: what needs no connection.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { delay } from "../src/backoff.js";
import { patienceMs } from "../src/client.js";
import { BreachError } from "../src/errors.js";
import { ERRORS } from "../src/generated/methods.js";
import * as index from "../src/index.js";
import { MAX_DEPTH, read, request, rpcError } from "../src/wire.js";

const error = (code, data) => rpcError({ code, message: "no", data });

test("every code of the contract has a kind", () => {
  assert.equal(Object.keys(ERRORS).length, 16);
  assert.equal(error(-32010).kind, "conflict");
  assert.equal(error(-32602).kind, "invalid_params");
  assert.ok(error(-32006).is("not_found"));
  assert.deepEqual([error(-1).code, error(-1).kind], [-1, null]);
});

test("what may succeed later is retryable", () => {
  const passing = [
    error(-32002), error(-32007), error(-32008), error(-32009), error(-32001, { status: 429 }), error(-32001, { status: 503 }),
  ];
  const standing = [
    error(-32602), error(-32603), error(-32010), error(-32011), error(-32005), error(-32001, { status: 404 }), error(-1),
    error(-32001, { status: 429, class: "RecipientBackloggedError" }), error(-32001, { status: 429, class: "AwaitingReplyError" }),
  ];
  for (const each of passing) assert.ok(each.retryable, String(each));
  for (const each of standing) assert.ok(!each.retryable, String(each));
  assert.equal(error(-32008, { retry_after_ms: 250 }).retryAfterMs, 250);
  for (const wrong of [null, "250", true, -1, 2.5]) assert.equal(error(-32008, { retry_after_ms: wrong }).retryAfterMs, null);
});

test("a call waits as long as the daemon may take and a little more", () => {
  assert.equal(patienceMs({}), 60_000);
  assert.equal(patienceMs({ timeout_ms: null }), 60_000);
  assert.equal(patienceMs({ timeout_ms: 5_000 }), 35_000);
  assert.equal(patienceMs({ wait_ms: 60_000 }), 90_000);
  assert.equal(patienceMs({ timeout_ms: 10 ** 12 }), 24 * 3_600_000 + 30_000);
});

test("waits grow up to a bound and are never all the same", () => {
  const attempts = Array.from({ length: 20 }, (_, attempt) => attempt);
  const longest = attempts.map((attempt) => delay(attempt, 0, () => 0));
  const shortest = attempts.map((attempt) => delay(attempt, 0, () => 1));
  assert.deepEqual(longest.slice(0, 4), [50, 100, 200, 400]);
  assert.equal(Math.max(...longest), 5_000);
  assert.deepEqual(longest.map((each) => each / 2), shortest);
  assert.ok(new Set(attempts.map(() => delay(9, 0))).size > 1);
  assert.ok(delay(0, 2_000) >= 2_000);
  assert.ok(delay(0, 1e9) <= 61_000);
});

test("json of any depth and size of number is read", () => {
  let value = read(Buffer.from(`{"id":1,"result":${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}}`)).result;
  for (let depth = 0; depth < 20_000; depth++) value = value.a;
  assert.equal(value, 1);
  assert.equal(read(Buffer.from(`{"id":1,"result":${"9".repeat(5_000)}}`)).result, Infinity);
});

test("what is no protocol is a breach", () => {
  const lines = [
    "x", "[]", "1", "null", "{}", '{"id":1}', '{"result":1}', '{"id":"1","result":1}', '{"id":true,"result":1}', '{"method":1}',
    '{"method":"x"}', '{"id":1,"error":1}', '{"id":1,"error":{"code":"1","message":""}}', '{"id":1,"result":NaN}',
  ].map((line) => Buffer.from(line));
  lines.push(Buffer.from([0xff]), Buffer.concat([Buffer.from('{"id":1,"result":"'), Buffer.from([0xff]), Buffer.from('"}')]));
  for (const line of lines) assert.throws(() => read(line), BreachError, String(line));
  assert.equal(read(Buffer.from(" \r")), null);
});

test("parameters that the daemon could not read are refused here", () => {
  let nested = 1;
  for (let depth = 0; depth < MAX_DEPTH; depth++) nested = [nested];
  const circle = {};
  circle.self = circle;
  for (const params of [{ text: "\ud800" }, { "\udfff": 1 }, { n: NaN }, { n: Infinity }, { data: nested }, { n: 1n }, circle]) {
    assert.throws(() => request(1, "messages.send", params), (thrown) => /^(Type|Range)Error$/.test(thrown.name));
  }
});

test("what is exported is declared", () => {
  const declared = readFileSync(new URL("../src/index.d.ts", import.meta.url), "utf8");
  const names = [...declared.matchAll(/^export (?:class|function) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(names.sort(), Object.keys(index).sort());
});
