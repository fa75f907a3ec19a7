#!/usr/bin/env node
// Answers every message once, through restarts of the daemon and of itself.    answer_once.mjs [SOCKET]

import { setTimeout as sleep } from "node:timers/promises";
import { Client, ClosedError, ConnectError, RpcError, Subscription, isEvent } from "agentchatd-client";

const path = process.argv[2] ?? null;
const client = new Client({ path });

async function answer({ message_id, conversation_id, payload }) {
  const target = conversation_id.startsWith("grp_") ? { conversation_id } : { to: payload.sender };
  // The id is made from the message's, so asking twice sends once; "queue" answers once it is on disk.
  const message = { text: "Thank you, got it.", client_msg_id: `answer-${message_id}`, delivery: "queue", ...target };
  for (;;) {
    try {
      return await client.messages.send(message);
    } catch (error) {
      if (error instanceof RpcError && !error.retryable) throw error;
      console.error("trying again:", error.message);
      await sleep(1_000);
    }
  }
}

async function answerAll() {
  const events = await Subscription.open({
    path, consumer: "answer-once-node", filter: { types: ["message.new"] }, takeover: true,
  });
  for await (const event of events) {
    if (isEvent(event, "message.new")) {
      await answer(event);
      console.log("answered", event.message_id);
    }
    await events.ack(event);
  }
}

for (;;) {
  try {
    await answerAll();
  } catch (error) {
    if (error instanceof ClosedError) console.error("another one answers now:", error.message);
    if (!(error instanceof ConnectError)) throw error;
    console.error("trying again:", error.message);
    await sleep(1_000);
  }
}
