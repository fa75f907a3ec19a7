// Calls, against a daemon that follows a script.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, ConnectError, DeadlineError, DisconnectedError, RpcError } from "../src/index.js";
import { FakeDaemon, range, within } from "./fake.js";

async function connected(t, options = {}) {
  const daemon = await new FakeDaemon().listen();
  t.after(() => daemon.end());
  const client = await Client.connect({ path: daemon.path, ...options });
  t.after(() => client.close());
  return { daemon, client, peer: await daemon.accept() };
}

const rejected = (promise, kind) => within(assert.rejects(promise, kind));

test("calls run side by side and answers find theirs", async (t) => {
  const { client, peer } = await connected(t);
  const calls = range(0, 49).map((n) => client.call("x.y", { n }));
  const requests = [];
  for (const _ of calls) requests.push(await peer.request());
  assert.deepEqual(requests.map(({ params }) => params.n), range(0, 49));
  await peer.notify("something.new", {});
  await peer.raw("\n");
  for (const request of requests.reverse()) await peer.answer(request, request.params.n);
  assert.deepEqual(await within(Promise.all(calls)), range(0, 49));
});

test("a method sends what was given and no more", async (t) => {
  const { client, peer } = await connected(t);
  const call = client.agents.update({ description: null });
  const request = await peer.request();
  assert.deepEqual([request.method, request.params], ["agents.update", { description: null }]);
  await peer.answer(request, null);
  assert.equal(await within(call), null);
});

test("an error keeps its code and data", async (t) => {
  const { client, peer } = await connected(t);
  const call = client.consumers.delete({ name: "a" });
  await peer.refuse(await peer.request(), -32006, { what: "consumer", id: "a" });
  await rejected(call, (error) => {
    assert.ok(error instanceof RpcError);
    assert.deepEqual([error.code, error.kind, error.text, error.data.what], [-32006, "not_found", "no", "consumer"]);
    return true;
  });
});

test("a deadline ends one call and its late answer harms nobody", async (t) => {
  const { client, peer } = await connected(t);
  await rejected(client.daemon.version({}, { deadlineMs: 50 }), DeadlineError);
  const late = await peer.request();
  const call = client.call("x.y");
  const request = await peer.request();
  await peer.answer(late, "late");
  await peer.answer(request, "right");
  assert.equal(await within(call), "right");
});

test("a deadline may be as far away as one likes", async (t) => {
  const { client, peer } = await connected(t);
  for (const deadlineMs of [Infinity, 2 ** 40]) {
    const call = client.call("x.y", {}, { deadlineMs });
    const request = await peer.request();
    await sleep(20);
    await peer.answer(request, "in time");
    assert.equal(await within(call), "in time");
  }
});

test("a call that is given up takes nothing from the others", async (t) => {
  const { client, peer } = await connected(t);
  const limit = new AbortController();
  const calls = range(0, 2).map((n) => client.call("x.y", { n }, n === 1 ? { signal: limit.signal } : {}));
  const requests = [await peer.request(), await peer.request(), await peer.request()];
  limit.abort();
  await rejected(calls[1], { name: "AbortError" });
  for (const request of requests) await peer.answer(request, request.params.n);
  assert.deepEqual(await within(Promise.all([calls[0], calls[2]])), [0, 2]);
});

test("a lost connection is an error and the next call connects anew", async (t) => {
  const { daemon, client, peer } = await connected(t);
  const calls = [client.call("x.y"), client.call("x.y"), client.call("x.y")];
  for (const _ of calls) await peer.request();
  peer.drop();
  for (const call of calls) await rejected(call, DisconnectedError);
  assert.ok(!client.isConnected);
  const again = client.call("x.y");
  const next = await daemon.accept();
  await next.answer(await next.request(), 1);
  assert.equal(await within(again), 1);
  assert.ok(client.isConnected);
});

test("calls made while connecting share one connection in their order", async (t) => {
  const daemon = await new FakeDaemon().listen();
  t.after(() => daemon.end());
  const client = new Client({ path: daemon.path });
  t.after(() => client.close());
  const calls = range(0, 19).map((n) => client.call("x.y", { n }));
  const peer = await daemon.accept();
  for (const n of range(0, 19)) {
    const request = await peer.request();
    assert.deepEqual(request.params, { n });
    await peer.answer(request, n);
  }
  assert.deepEqual(await within(Promise.all(calls)), range(0, 19));
  assert.equal(daemon.callers, 0);
});

test("nobody at the socket is said with its path", async () => {
  await rejected(Client.connect({ path: "/nowhere/s.sock" }), (error) => {
    return error instanceof ConnectError && error.message.includes("/nowhere/s.sock");
  });
});

test("a client that was told nothing looks where the environment says", async (t) => {
  const daemon = await new FakeDaemon().listen();
  t.after(() => daemon.end());
  const before = process.env.AGENTCHATD_SOCKET;
  process.env.AGENTCHATD_SOCKET = daemon.path;
  t.after(() => before === undefined ? delete process.env.AGENTCHATD_SOCKET : (process.env.AGENTCHATD_SOCKET = before));
  const client = await Client.connect();
  t.after(() => client.close());
  assert.equal(client.path, daemon.path);
});

test("parameters that cannot be sent leave the connection alone", async (t) => {
  const { client, peer } = await connected(t);
  await rejected(client.messages.send({ to: "a", text: "\ud800" }), TypeError);
  await rejected(client.call("events.subscribe"), TypeError);
  const call = client.call("x.y");
  await peer.answer(await peer.request(), 1);
  assert.equal(await within(call), 1);
});

test("an answer without an id belongs to the only call", async (t) => {
  const { client, peer } = await connected(t);
  const call = client.call("x.y");
  await peer.request();
  await peer.refuse({ id: null }, -32600, { limit_bytes: 8 });
  await rejected(call, (error) => error instanceof RpcError && error.data.limit_bytes === 8);
  // The daemon closes the connection after it: the next call must not be lost with it.
  assert.ok(!client.isConnected);
});

test("an answer without an id among several calls ends the connection", async (t) => {
  const { client, peer } = await connected(t);
  const calls = [client.call("x.y"), client.call("x.y")];
  for (const _ of calls) await peer.request();
  await peer.refuse({ id: null }, -32700);
  for (const call of calls) await rejected(call, DisconnectedError);
});

test("a closed client stays closed", async (t) => {
  const { client, peer } = await connected(t);
  const call = client.call("x.y");
  await peer.request();
  client.close();
  await rejected(call, DisconnectedError);
  await rejected(client.call("x.y"), DisconnectedError);
});

/** What a call ends with where the daemon answers with these bytes. */
async function fails(t, data, { close = false, ...options } = {}) {
  const { client, peer } = await connected(t, options);
  const call = client.call("x.y", {}, { deadlineMs: 15_000 });
  await peer.request();
  peer.socket[close ? "end" : "write"](data);
  let found;
  await rejected(call, (error) => {
    found = error;
    return error instanceof DisconnectedError;
  });
  assert.ok(!client.isConnected);
  return found;
}

test("a line of garbage ends the connection", async (t) => {
  for (const line of ["garbage\n", "[]\n", '{"id":1}\n', Buffer.from([0xff, 0xfe, 10]), '{"id":1,"error":7}\n']) {
    await fails(t, line);
  }
});

test("a line that is too long ends the connection", async (t) => {
  const found = await fails(t, `{"id":1,"result":"${"x".repeat(300_000)}`, { maxLineBytes: 100_000 });
  assert.match(found.message, /100000/);
});

test("half a line is no answer", async (t) => {
  await fails(t, '{"jsonrpc":"2.0","id":1,"result":1}', { close: true });
});
