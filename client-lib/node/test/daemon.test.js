// The client against the real daemon, through its death and its restart.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, ClosedError, RpcError, Subscription, isEvent } from "../src/index.js";
import { range, within } from "./fake.js";
import { Stage } from "./stage.js";

const BURST = 200;
const MESSAGES = { types: ["message.new"] };

async function staged(t) {
  const stage = await Stage.start();
  const open = [];
  t.after(async () => {
    for (const each of open) await each.close();
    await stage.end();
  });
  const kept = (each) => {
    open.push(each);
    return each;
  };
  return {
    stage,
    client: async () => kept(await Client.connect({ path: stage.path })),
    consumer: (options = {}) => kept(new Subscription({ path: stage.path, consumer: "c", from: "earliest", ...options })),
  };
}

async function following(events) {
  return (await within(events.next(), 30_000)).value;
}

/** The text of the next message, and whether it is marked as redelivered. */
async function message(events) {
  const event = await following(events);
  assert.ok(isEvent(event, "message.new"), JSON.stringify(event));
  return [event.payload.content.text, event.redelivered ?? false];
}

test("what is acknowledged does not come again and the rest is marked", async (t) => {
  const { stage, consumer } = await staged(t);
  const first = await consumer({ filter: MESSAGES }).open();
  for (const number of range(0, 2)) await stage.peerSays(`number ${number}`);
  const read = [await following(first), await following(first), await following(first)];
  await first.ack(read[0]);
  assert.equal(await first.close(), read[0].offset);
  await stage.kill();
  await stage.start();
  await stage.peerSays("number 3");
  const second = consumer();
  const again = [await message(second), await message(second), await message(second)];
  assert.deepEqual(again, [["number 1", true], ["number 2", true], ["number 3", false]]);
});

test("nothing is lost when the daemon is killed in a burst", async (t) => {
  const { stage, consumer } = await staged(t);
  const events = await consumer().open();
  const sending = (async () => {
    for (const number of range(0, BURST - 1)) {
      await stage.peerSays(String(number));
      if (number !== BURST / 2) continue;
      await stage.kill();
      await stage.start();
    }
  })();
  const offsets = [];
  while (offsets.at(-1) !== BURST) {
    const event = await following(events);
    if (event.offset === null) continue;
    if (event.offset <= (offsets.at(-1) ?? 0)) assert.ok(event.redelivered, "it came again without the mark");
    else offsets.push(event.offset);
    await events.ack(event);
  }
  await sending;
  assert.deepEqual(offsets, range(1, BURST));
});

test("a stop of the daemon is survived by subscription and client", async (t) => {
  const { stage, client, consumer } = await staged(t);
  const calls = await client();
  const events = await consumer({ filter: MESSAGES }).open();
  await stage.peerSays("before");
  assert.deepEqual(await message(events), ["before", false]);
  const reading = message(events);
  await stage.stop();
  await stage.peerSays("while it is away");
  await stage.start();
  // Nothing was acknowledged: both come, the first with its mark.
  assert.deepEqual([await reading, await message(events)], [["before", true], ["while it is away", false]]);
  assert.equal((await calls.daemon.version()).name, "agentchatd");
});

test("a takeover ends the other reader and is not fought", async (t) => {
  const { stage, client, consumer } = await staged(t);
  const calls = await client();
  const first = await consumer({ takeover: true }).open();
  await assert.rejects(consumer().open(), (error) => error.is("consumer_conflict"));
  const reading = assert.rejects(following(first), (error) => error instanceof ClosedError && error.reason === "takeover");
  const second = await consumer({ takeover: true }).open();
  await within(reading);
  await stage.peerSays("for the second");
  assert.equal((await message(second))[0], "for the second");
  assert.equal((await calls.daemon.status()).subscriptions, 1);
});

test("the same id with another content is a conflict", async (t) => {
  const { stage, client } = await staged(t);
  const calls = await client();
  const send = (text) => calls.messages.send({ to: "@peer", text, client_msg_id: "id-1" });
  assert.deepEqual([(await send("one")).replayed, (await send("one")).replayed], [false, true]);
  await assert.rejects(send("two"), (error) => {
    assert.ok(error.is("conflict") && !error.retryable);
    assert.deepEqual([error.data.client_msg_id, error.data.message.content.text], ["id-1", "one"]);
    return true;
  });
  assert.equal((await stage.messagesOf("peer")).length, 1);
});

test("calls side by side keep the order of sends", async (t) => {
  const { stage } = await staged(t);
  // Not connected yet: the order holds through that, too.
  const calls = new Client({ path: stage.path });
  t.after(() => calls.close());
  const texts = range(0, 39).map(String);
  await Promise.all(texts.map((text) => calls.messages.send({ to: "peer", text })));
  assert.deepEqual((await stage.messagesOf("peer")).map(({ content }) => content.text), texts);
});

test("errors are mapped with what they tell", async (t) => {
  const { client } = await staged(t);
  const calls = await client();
  const cases = [
    [() => calls.consumers.delete({ name: "nobody" }), "not_found", { what: "consumer", id: "nobody" }],
    [() => calls.events.fetch({ limit: 0 }), "invalid_params", { path: "/limit" }],
    [() => calls.messages.send({ to: "nobody.at.all", text: "x" }), "api_error", { status: 404, class: "NotFoundError" }],
    [() => calls.call("no.such"), "method_not_found", {}],
  ];
  for (const [call, kind, data] of cases) {
    await assert.rejects(call(), (error) => {
      assert.ok(error instanceof RpcError);
      assert.deepEqual([error.kind, { ...error.data, ...data }], [kind, { ...error.data }]);
      return true;
    });
  }
});

test("text comes back as it was sent", async (t) => {
  const { stage, client, consumer } = await staged(t);
  const calls = await client();
  const text = 'quotes "\\" \u2028\u2029 \r\n\t é e\u0301 \u{1f600} \u{1f469}\u200d\u{1f680} \u202eabc \ufeff \x7f \uffff';
  await calls.messages.send({ to: "peer", text });
  assert.equal((await stage.messagesOf("peer"))[0].content.text, text);
  await stage.peerSays(text);
  assert.deepEqual(await message(consumer({ filter: MESSAGES })), [text, false]);
});

test("large messages pass and one over the limit is refused", async (t) => {
  const { stage, client, consumer } = await staged(t);
  const calls = await client();
  const text = "é".repeat(15_000);
  assert.ok("message" in (await calls.messages.send({ to: "peer", text })));
  await stage.peerSays(text, { count: 100 });
  const events = consumer({ filter: MESSAGES });
  for (let count = 0; count < 100; count++) assert.deepEqual(await message(events), [text, false]);
  assert.equal((await calls.events.fetch({ limit: 1000, from: "earliest" })).events.length, 101);
  await assert.rejects(calls.messages.send({ to: "peer", text: "x".repeat(9 << 20) }), (error) => {
    assert.deepEqual([error.kind, error.data], ["invalid_request", { limit_bytes: 8 << 20 }]);
    return true;
  });
  assert.equal((await calls.daemon.version()).api, 1);
});

test("a message of any depth does not stop a reader", async (t) => {
  const { stage, consumer } = await staged(t);
  const events = await consumer({ filter: MESSAGES }).open();
  await stage.peerSays(undefined, { raw: `{"data":{"a":${"[".repeat(5_000)}${"]".repeat(5_000)}}}` });
  await stage.peerSays(undefined, { raw: `{"data":{"a":${"9".repeat(6_000)}}}` });
  await stage.peerSays("after them");
  await following(events);
  await following(events);
  assert.deepEqual(await message(events), ["after them", false]);
});

test("the deepest request that is let out is taken", async (t) => {
  const { client } = await staged(t);
  const calls = await client();
  // The request, its parameters and `data` are three levels themselves.
  let data = {};
  for (let depth = 0; depth < 125; depth++) data = { a: data };
  assert.ok("outbox_id" in (await calls.messages.send({ to: "peer", data, delivery: "queue" })));
  await assert.rejects(calls.messages.send({ to: "peer", data: { a: data }, delivery: "queue" }), RangeError);
});
