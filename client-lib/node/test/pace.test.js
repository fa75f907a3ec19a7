// How fast and how much a subscription reads, what it takes to give a read up, and what it makes of nonsense.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as tick, setTimeout as sleep } from "node:timers/promises";
import { AckProblem, ClosedError, Subscription } from "../src/index.js";
import { FakeDaemon, eventLine, opened, range, subscribed, within } from "./fake.js";

async function take(events, count) {
  const offsets = [];
  for (let taken = 0; taken < count; taken++) offsets.push((await within(events.next())).value.offset);
  return offsets;
}

/** Has the read that goes on in the background take an event: what it counts before comes in one piece with that. */
async function takenAside(events, peer, offset) {
  const before = events.lagged;
  const lagged = { jsonrpc: "2.0", method: "events.lagged", params: { subscription: "s", dropped: 1 } };
  await peer.raw(`${JSON.stringify(lagged)}\n${eventLine(offset)}`);
  await within((async () => { while (events.lagged === before) await tick(); })());
  await tick();
}

const givenUp = (reading) => within(assert.rejects(reading, { name: "TimeoutError" }));

test("auto ack says what the reader is done with and no more", async (t) => {
  const { events, peer } = await opened(t, { autoAck: true });
  await peer.events(1, 2, 3);
  assert.deepEqual(await take(events, 3), [1, 2, 3]);
  // The third is still in the reader's hands; only asking for more says that it is done.
  const reading = take(events, 1);
  let ack = await peer.request();
  while (ack.params.offset !== 3) {
    assert.ok(ack.params.offset < 3);
    ack = await peer.request();
  }
  await peer.answer(ack, { acked_offset: 3 });
  await peer.events(4);
  assert.deepEqual(await reading, [4]);
  assert.equal(events.ackedOffset, 3);
});

test("auto ack says nothing of the event that could not be handled", async (t) => {
  const { events, peer } = await opened(t, { autoAck: true });
  await peer.events(1, 2, 3);
  const handling = (async () => {
    for await (const event of events) if (event.offset === 2) throw new Error("the handler fails");
  })();
  const requests = [await peer.request()];
  while (requests.at(-1).method !== "events.unsubscribe") requests.push(await peer.request());
  assert.deepEqual(requests.map(({ params }) => params.offset), [1, undefined]);
  peer.drop();
  await within(assert.rejects(handling, { message: "the handler fails" }));
});

test("auto ack does not undo that the consumer was moved back", async (t) => {
  const { daemon, events, peer } = await opened(t, { autoAck: true });
  await peer.events(1, 2, 3, 4, 5);
  await take(events, 5);
  await peer.events(3);
  events.next().catch(() => {});
  const again = await daemon.accept();
  assert.equal((await again.request()).method, "events.subscribe", "an acknowledgement would move it forth again");
});

test("auto ack writes far fewer lines than there are events", async (t) => {
  const { events, peer } = await opened(t, { autoAck: true });
  await Promise.all([take(events, 300), peer.events(...range(1, 300))]);
  const reading = take(events, 1);
  let acks = 1;
  while ((await peer.request()).params.offset !== 300) acks += 1;
  await peer.events(301);
  await reading;
  assert.ok(acks < 30, `${acks} acknowledgements for 300 events`);
});

test("auto ack says nothing of an event whose read was given up", async (t) => {
  const { events, peer } = await opened(t, { autoAck: true });
  await peer.events(1);
  assert.deepEqual(await take(events, 1), [1]);
  await givenUp(events.next({ signal: AbortSignal.timeout(50) }));
  const ack = await peer.request();
  await peer.answer(ack, { acked_offset: 1 });
  await takenAside(events, peer, 2);
  const closing = events.close();
  assert.deepEqual([ack.params.offset, (await peer.request()).method], [1, "events.unsubscribe"]);
  await within(closing);
});

test("a slow reader stops the socket and not the memory", async (t) => {
  const { events, peer } = await opened(t);
  const total = 4_000;
  let written = 0;
  // More than the kernel and the reader hold: it can only all be written while somebody reads.
  const writing = (async () => {
    for (const offset of range(1, total)) {
      await peer.raw(eventLine(offset, { payload: { text: "x".repeat(2_000) } }));
      written = offset;
    }
  })();
  for (let before = -1; written > before; await sleep(300)) before = written;
  assert.ok(written < total, "it was all taken although nobody reads");
  assert.deepEqual(await take(events, total), range(1, total));
  await writing;
});

test("a read that is given up loses no event", async (t) => {
  const { events, peer } = await opened(t);
  const line = eventLine(1);
  await peer.raw(line.slice(0, 50));
  await givenUp(events.next({ signal: AbortSignal.timeout(50) }));
  await peer.raw(line.slice(50));
  assert.deepEqual(await take(events, 1), [1]);
  await givenUp(events.next({ signal: AbortSignal.timeout(10) }));
  await takenAside(events, peer, 2);
  assert.deepEqual(await take(events, 1), [2]);
});

test("reads that are given up do not keep it from coming back", async (t) => {
  const { daemon, events, peer } = await opened(t);
  peer.drop();
  let next = null;
  const accepting = daemon.acceptSubscriber(1).then((found) => { next = found; });
  while (next === null) await givenUp(events.next({ signal: AbortSignal.timeout(10) }));
  await accepting;
  await next.peer.events(1);
  assert.deepEqual(await take(events, 1), [1]);
});

test("closing while it opens leaves nothing behind, and it stays closed", async (t) => {
  const daemon = await new FakeDaemon().listen();
  t.after(() => daemon.end());
  const events = new Subscription({ path: daemon.path, consumer: "c" });
  const reading = events.next();
  const peer = await daemon.accept();
  const request = await peer.request();
  await events.close();
  await peer.answer(request, subscribed(request, 1));
  assert.deepEqual(await within(reading), { done: true, value: undefined });
  await peer.gone();
  await within(assert.rejects(events.open(), ClosedError));
  assert.equal(daemon.callers, 0);
});

test("what is no offset is not acknowledged", async (t) => {
  const { events } = await opened(t);
  for (const wrong of [NaN, "1", -1, 1.5, undefined, {}]) await within(assert.rejects(events.ack(wrong), TypeError));
});

test("two reads at a time are refused", async (t) => {
  const { events, peer } = await opened(t);
  const reading = events.next();
  await within(assert.rejects(events.next(), TypeError));
  await peer.events(1);
  assert.equal((await within(reading)).value.offset, 1);
});

test("closing ends a read that is under way", async (t) => {
  const { events, peer } = await opened(t);
  await peer.events(1);
  assert.deepEqual(await take(events, 1), [1]);
  const reading = events.next();
  await events.ack(1);
  await within(events.close());
  assert.ok((await within(reading)).done);
  assert.equal((await peer.request()).method, "events.ack");
});

test("leaving the loop closes the subscription", async (t) => {
  const { events, peer } = await opened(t);
  await peer.events(1, 2);
  for await (const event of events) {
    assert.equal(event.offset, 1);
    break;
  }
  assert.equal((await peer.request()).method, "events.unsubscribe");
  await peer.gone();
});

test("a refused acknowledgement is reported and the stream goes on", async (t) => {
  const { events, peer, problems } = await opened(t);
  await peer.events(1);
  await take(events, 1);
  await events.ack(1);
  await peer.refuse(await peer.request(), -32007, { reason: "full" });
  await peer.events(2);
  assert.deepEqual(await take(events, 1), [2]);
  assert.ok(problems[0] instanceof AckProblem);
  await events.ack(2);
  assert.equal((await peer.request()).params.offset, 2);
});

async function resumesAfter(t, data, options = {}) {
  const { daemon, events, peer } = await opened(t, options);
  await peer.events(1);
  assert.deepEqual(await take(events, 1), [1]);
  const reading = take(events, 1);
  peer.socket[String(data).endsWith("\n") ? "write" : "end"](data);
  const next = await daemon.acceptSubscriber(2);
  await next.peer.events(2);
  assert.deepEqual(await reading, [2]);
}

test("a line of garbage breaks the connection and not the subscription", async (t) => {
  const wrong = [eventLine("2"), eventLine(-1), eventLine(2, { type: null }), eventLine(true), eventLine(2 ** 63)];
  for (const line of ["garbage\n", "[]\n", Buffer.from([0xff, 10]), ...wrong]) await resumesAfter(t, line);
});

test("a line that is too long breaks the connection and not the subscription", async (t) => {
  await resumesAfter(t, `{"x":"${"x".repeat(300_000)}`, { maxLineBytes: 100_000 });
});

test("half a line is no event", async (t) => {
  await resumesAfter(t, eventLine(2).slice(0, -1));
});

test("an answer that opens nothing is tried again", async (t) => {
  const { daemon, events, peer } = await opened(t);
  peer.drop();
  const reading = take(events, 1);
  for (const result of ["x", {}, { subscription: "s" }, { subscription: "s", next_offset: "1" }]) {
    const refusing = await daemon.accept();
    await refusing.answer(await refusing.request(), result);
  }
  const next = await daemon.acceptSubscriber(1);
  await next.peer.events(1);
  assert.deepEqual(await reading, [1]);
});
