// Subscriptions that lose nothing, against a daemon that follows a script.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ClosedError, ConnectError, GaveUpError, HoleProblem, NotRisingProblem, RpcError, Subscription,
} from "../src/index.js";
import { FakeDaemon, eventLine, opened, range, subscribed, within } from "./fake.js";

const ATTACHED = { consumer: "c", reason: "attached", holder_pid: 1, holder_uid: 1 };
const DONE = { done: true, value: undefined };
const rejected = (promise, kind) => within(assert.rejects(promise, kind));

/** The offsets of the next events, a redelivered one as a negative number. */
async function take(events, count) {
  const offsets = [];
  for (let taken = 0; taken < count; taken++) {
    const { value } = await within(events.next());
    offsets.push(value.redelivered ? -value.offset : value.offset);
  }
  return offsets;
}

test("what nobody was given is not redelivered", async (t) => {
  const { daemon, events, peer } = await opened(t, {}, 6);
  await peer.events(6);
  await take(events, 1);
  await peer.events(1);
  const reading = take(events, 6);
  const { peer: again } = await daemon.acceptSubscriber(1);
  await again.events(...range(1, 6));
  assert.deepEqual(await reading, [1, 2, 3, 4, 5, -6]);
});

test("events come in order and are acked by hand", async (t) => {
  const { events, peer, params } = await opened(t);
  assert.equal(params.consumer, "c");
  await peer.events(1, 2, 3);
  assert.deepEqual(await take(events, 3), [1, 2, 3]);
  await events.ack(2);
  const ack = await peer.request();
  assert.deepEqual([ack.method, ack.params], ["events.ack", { consumer: "c", offset: 2 }]);
  await peer.answer(ack, { acked_offset: 2 });
  await peer.events(4);
  assert.deepEqual(await take(events, 1), [4]);
  assert.equal(events.ackedOffset, 2);
});

test("a hole is reported and the events are asked for again", async (t) => {
  const { daemon, events, peer, problems } = await opened(t, { consumer: undefined });
  await peer.events(1, 3);
  assert.deepEqual(await take(events, 1), [1]);
  const reading = take(events, 2);
  const next = await daemon.acceptSubscriber(2);
  assert.deepEqual(next.request.params.from, { offset: 2 });
  await next.peer.events(2, 3);
  assert.deepEqual(await reading, [2, 3]);
  assert.equal(problems.length, 1);
  assert.ok(problems[0] instanceof HoleProblem);
  assert.deepEqual([problems[0].expected, problems[0].got], [2, 3]);
});

test("a hole that is there again is the log's own", async (t) => {
  const { daemon, events, peer, problems } = await opened(t, { consumer: undefined });
  await peer.events(3);
  const reading = take(events, 1);
  const next = await daemon.acceptSubscriber(1);
  await next.peer.events(3);
  assert.deepEqual(await reading, [3]);
  assert.equal(problems.length, 1);
});

test("an offset that comes twice is handed out once", async (t) => {
  const { daemon, events, peer, problems } = await opened(t, { consumer: undefined });
  await peer.events(1, 2, 2);
  assert.deepEqual(await take(events, 2), [1, 2]);
  const reading = take(events, 1);
  const next = await daemon.acceptSubscriber(3);
  await next.peer.events(3);
  assert.deepEqual(await reading, [3]);
  assert.ok(problems[0] instanceof NotRisingProblem);
});

test("a filter leaves holes that are none", async (t) => {
  const filter = { types: ["message.new"] };
  const { events, peer, problems, params } = await opened(t, { consumer: undefined, filter, from: "earliest" });
  assert.deepEqual([params.filter, params.from], [filter, "earliest"]);
  await peer.events(3, 9);
  assert.deepEqual(await take(events, 2), [3, 9]);
  assert.deepEqual(problems, []);
});

test("live only events pass and dropped ones are counted", async (t) => {
  const { events, peer } = await opened(t);
  await peer.notify("events.lagged", { subscription: "s", dropped: 7 });
  await peer.raw(eventLine(null, { type: "typing.start" }));
  await peer.events(1);
  const { value } = await within(events.next());
  assert.equal(value.type, "typing.start");
  await events.ack(value);
  assert.deepEqual(await take(events, 1), [1]);
  assert.equal(events.lagged, 7);
});

test("a connection that breaks in mid line loses nothing", async (t) => {
  const { daemon, events, peer } = await opened(t);
  await peer.events(1, 2);
  await peer.raw(eventLine(3).slice(0, 40));
  peer.socket.end();
  assert.deepEqual(await take(events, 2), [1, 2]);
  const reading = take(events, 3);
  const next = await daemon.acceptSubscriber(1);
  await next.peer.events(1, 2, 3);
  assert.deepEqual(await reading, [-1, -2, 3]);
});

test("an acknowledgement from before the break goes first on the new connection", async (t) => {
  const { daemon, events, peer } = await opened(t);
  await peer.events(1, 2);
  assert.deepEqual(await take(events, 2), [1, 2]);
  peer.drop();
  // The write may still find the old connection; either way the daemon has to hear of it again.
  await events.ack(2);
  const reading = take(events, 1);
  const next = await daemon.accept();
  const ack = await next.request();
  assert.deepEqual([ack.method, ack.params], ["events.ack", { consumer: "c", offset: 2 }]);
  await next.answer(ack, { acked_offset: 2 });
  const request = await next.request();
  assert.deepEqual(request.params.from, { offset: 3 });
  await next.answer(request, subscribed(request, 3));
  await next.events(3);
  assert.deepEqual(await reading, [3]);
  assert.equal(events.ackedOffset, 2);
});

/** Reads 1 to 3, acknowledges 1, loses the connection, and acknowledges 2 while the next one is being opened. */
async function ackWhileOpening(t, nextOffset) {
  const { daemon, events, peer } = await opened(t);
  await peer.events(1, 2, 3);
  await take(events, 3);
  await events.ack(1);
  await peer.answer(await peer.request(), { acked_offset: 1 });
  peer.drop();
  const reading = take(events, 2);
  const next = await daemon.accept();
  let request = await next.request();
  if (request.method === "events.ack") {
    await next.answer(request, { acked_offset: 1 });
    request = await next.request();
  }
  // Asked, and not answered yet: too late for what goes before the subscribe.
  await events.ack(2);
  await next.answer(request, subscribed(request, nextOffset));
  return { events, peer: next, reading };
}

test("an acknowledgement made while the connection is opened follows on it", async (t) => {
  const { peer, reading } = await ackWhileOpening(t, 2);
  const ack = await peer.request();
  assert.deepEqual(ack.params, { consumer: "c", offset: 2 });
  await peer.answer(ack, { acked_offset: 2 });
  await peer.events(2, 3);
  assert.deepEqual(await reading, [-2, -3]);
});

test("an acknowledgement from before a step back is dropped", async (t) => {
  const { events, peer, reading } = await ackWhileOpening(t, 1);
  await peer.events(1, 2);
  assert.deepEqual(await reading, [-1, -2]);
  await events.ack(1);
  const ack = await peer.request();
  assert.equal(ack.params.offset, 1, "the first one said on it");
});

test("an ephemeral reader goes on after its last event", async (t) => {
  const { daemon, events, peer } = await opened(t, { consumer: undefined }, 5);
  await peer.events(5, 6);
  assert.deepEqual(await take(events, 2), [5, 6]);
  peer.drop();
  const reading = take(events, 1);
  const next = await daemon.acceptSubscriber(7);
  assert.deepEqual(next.request.params.from, { offset: 7 });
  await next.peer.events(7);
  assert.deepEqual(await reading, [7]);
});

test("a daemon that goes away is left alone for as long as it asked", async (t) => {
  const { daemon, events, peer } = await opened(t);
  await peer.events(1);
  await peer.notify("daemon.going_away", { reason: "stop", retry_in_ms: 700 });
  peer.socket.end();
  assert.deepEqual(await take(events, 1), [1]);
  const reading = take(events, 1);
  const begun = performance.now();
  const refusing = await daemon.accept();
  assert.ok(performance.now() - begun >= 690);
  await refusing.refuse(await refusing.request(), -32009);
  const next = await daemon.acceptSubscriber(2);
  await next.peer.events(2);
  assert.deepEqual(await reading, [2]);
});

test("waits grow while nobody lets it in", async (t) => {
  const { daemon, events, peer } = await opened(t);
  peer.drop();
  const reading = take(events, 1);
  for (let tries = 0; tries < 3; tries++) (await daemon.accept()).drop();
  const begun = performance.now();
  const next = await daemon.accept();
  // The fourth try comes 0.2 to 0.4 s after the third, less what accepting took.
  assert.ok(performance.now() - begun > 100);
  const request = await next.request();
  await next.answer(request, subscribed(request, 1));
  await next.events(1);
  assert.deepEqual(await reading, [1]);
});

test("after a break a consumer that still looks attached is waited for", async (t) => {
  const { daemon, events, peer } = await opened(t);
  peer.drop();
  const reading = take(events, 1);
  const refusing = await daemon.accept();
  await refusing.refuse(await refusing.request(), -32005, ATTACHED);
  const next = await daemon.acceptSubscriber(1);
  await next.peer.events(1);
  assert.deepEqual(await reading, [1]);
});

test("a daemon that stays away is given up if so wished", async (t) => {
  const { daemon, events, peer } = await opened(t, { giveUpAfterMs: 200 });
  daemon.away();
  peer.drop();
  await rejected(events.next(), GaveUpError);
  assert.deepEqual(await within(events.next()), DONE);
});

test("a takeover is final and a stop of the daemon is not", async (t) => {
  const { daemon, events, peer } = await opened(t, {}, 5);
  await peer.events(5);
  await peer.notify("events.closed", { subscription: "s", reason: "shutting_down" });
  assert.deepEqual(await take(events, 1), [5]);
  const reading = take(events, 1);
  const next = await daemon.acceptSubscriber(2);
  await next.peer.events(2);
  await next.peer.notify("events.closed", { subscription: "other", reason: "takeover" });
  await next.peer.notify("events.closed", { subscription: "s", reason: "takeover" });
  assert.deepEqual(await reading, [2]);
  await rejected(events.next(), (error) => error instanceof ClosedError && error.reason === "takeover");
  assert.deepEqual(await within(events.next()), DONE);
  await rejected(events.ack(2), ClosedError);
  await next.peer.gone();
  assert.equal(daemon.callers, 0);
});

test("a takeover is asked for once", async (t) => {
  const { daemon, events, peer, params } = await opened(t, { takeover: true });
  assert.ok(params.takeover);
  peer.drop();
  const reading = take(events, 1);
  const next = await daemon.acceptSubscriber(1);
  assert.ok(!("takeover" in next.request.params));
  await next.peer.events(1);
  assert.deepEqual(await reading, [1]);
});

test("a first refusal is an error at once", async (t) => {
  const daemon = await new FakeDaemon().listen();
  t.after(() => daemon.end());
  const opening = assert.rejects(Subscription.open({ path: daemon.path, consumer: "c" }), (error) => {
    return error.is("consumer_conflict") && error.data.holder_pid === 1;
  });
  const peer = await daemon.accept();
  await peer.refuse(await peer.request(), -32005, ATTACHED);
  await within(opening);
});

test("nobody at first is an error at once", async () => {
  await rejected(Subscription.open({ path: "/nowhere/s.sock", consumer: "c" }), ConnectError);
});

test("a refusal that stands ends it", async (t) => {
  const { daemon, events, peer } = await opened(t);
  peer.drop();
  const reading = rejected(events.next(), (error) => error instanceof RpcError && error.is("consumer_conflict"));
  const refusing = await daemon.accept();
  await refusing.refuse(await refusing.request(), -32005, { ...ATTACHED, reason: "filter_differs" });
  await reading;
});

test("closing waits for the last acknowledgement", async (t) => {
  const { events, peer } = await opened(t);
  await peer.events(1);
  assert.deepEqual(await take(events, 1), [1]);
  await events.ack(1);
  const closing = events.close();
  const ack = await peer.request();
  const unsubscribe = await peer.request();
  assert.equal(unsubscribe.method, "events.unsubscribe");
  await peer.events(2);
  await peer.answer(unsubscribe, true);
  await peer.answer(ack, { acked_offset: 1 });
  assert.equal(await within(closing), 1);
  await peer.gone();
});
