// Is compiled and not run: what a program in TypeScript may rely on, and what is to be refused.

import { Client, RpcError, Subscription, isEvent } from "agentchatd-client";
import type { types } from "agentchatd-client";

export async function program(): Promise<void> {
  const client = await Client.connect({ path: "/run/agentchatd/agentchatd.sock" });
  const sent = await client.messages.send({ to: "@alice", text: "hi" }, { deadlineMs: 5_000 });
  if ("queued" in sent) {
    const id: string = sent.outbox_id;
    console.log(id);
  } else {
    const content: string | undefined = sent.message.content?.text;
    console.log(content, sent.replayed);
  }
  const consumers: types.ConsumerInfo[] = await client.consumers.list();
  const status: types.Status = await client.daemon.status();
  console.log(consumers.length, status.connection.state);
  await client.agents.update({ description: null });

  // @ts-expect-error: `limit` is a number.
  await client.events.fetch({ limit: "1" });
  // @ts-expect-error: `offset` is missing.
  await client.events.ack({ consumer: "c" });
  // @ts-expect-error: there is no such method.
  await client.messages.sent({});
  // @ts-expect-error: there is no such parameter.
  await client.messages.send({ to: "@alice", txt: "hi" });

  try {
    await client.messages.send({ to: "@alice", text: "ho", client_msg_id: "1" });
  } catch (error) {
    if (error instanceof RpcError && error.is("conflict")) {
      const first: types.PlatformMessage | null | undefined = error.data?.message;
      console.log(first?.id, error.retryable);
    }
    // @ts-expect-error: there is no such kind.
    if (error instanceof RpcError) error.is("conflicted");
  }

  const events = new Subscription({ consumer: "c", filter: { types: ["message.new"] }, from: { offset: 7 }, autoAck: false });
  for await (const event of events) {
    if (isEvent(event, "message.new")) {
      const sender: string | undefined = event.payload.sender;
      const offset: number = event.offset;
      console.log(sender, offset, event.redelivered === true);
    } else if (isEvent(event, "connection.state")) {
      const state: types.ConnectionState = event.payload.state;
      console.log(state);
    } else {
      // @ts-expect-error: of another type it is not known what it carries.
      console.log(event.payload.sender);
    }
    await events.ack(event);
  }
  // @ts-expect-error: a start is "now", "earliest", an offset or a time.
  new Subscription({ from: "yesterday" });
  client.close();
}
