// Judge: the official TypeScript SDK against the sandbox. It is told by environment where the sandbox is; the peer and
// the switches are plain HTTP.

import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

import { Caller } from "./every_call.mjs";

const require = createRequire(`${process.env.NODE_HOME}/`);
const sdk = await import(pathToFileURL(require.resolve("agentchatme")).href);
const { default: WebSocket } = await import(pathToFileURL(require.resolve("ws")).href);
const { SANDBOX_URL: BASE, JUDGED_KEY: KEY, PEER_KEY } = process.env;
const PATIENCE_MS = 10_000;

async function http(method, path, body, key = PEER_KEY) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const answer = await fetch(BASE + path, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) fail(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}

const fromPeer = (text) =>
  http("POST", "/v1/messages", { to: "judged", client_msg_id: `peer-${text}`, content: { text } });

function fail(text) {
  console.error(`    ${text}`);
  process.exit(1);
}

function same(what, given, wanted) {
  if (JSON.stringify(given) !== JSON.stringify(wanted)) {
    fail(`${what}: ${JSON.stringify(given)}, not ${JSON.stringify(wanted)}`);
  }
}

async function until(what, condition) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) fail(`${what}: not within ${PATIENCE_MS} ms`);
    await new Promise((resume) => setTimeout(resume, 10));
  }
}

async function sends(client) {
  const { message: first } = await client.sendMessage({ to: "@peer", content: { text: "one" }, client_msg_id: "judge-1" });
  same("sender", first.sender, "judged");
  const { message: again } = await client.sendMessage({ to: "@peer", content: { text: "one" }, client_msg_id: "judge-1" });
  same("id of a replay", again.id, first.id);
  const { message: second } = await client.sendMessage({ to: "peer", content: { text: "two" } });
  same("seq", second.seq, first.seq + 1);
  const history = await client.getMessages(first.conversation_id, { afterSeq: 0 });
  same("history", history.map((row) => row.content.text), ["one", "two"]);
  same("own handle", (await client.getMe()).handle, "judged");
}

async function drains_and_receives(client) {
  const offline = [];
  for (let i = 0; i < 5; i++) offline.push((await fromPeer(`offline ${i}`)).id);
  const got = [];
  const errors = [];
  let connected = false;
  const realtime = new sdk.RealtimeClient({
    apiKey: KEY, baseUrl: BASE.replace("http", "ws"), client, webSocket: WebSocket,
  });
  realtime.on("message.new", (frame) => void got.push(frame.payload.id));
  realtime.onError((error) => errors.push(String(error)));
  realtime.onConnect(() => (connected = true));
  await realtime.connect();
  await until("hello.ok", () => connected);
  await until("offline messages", () => offline.every((id) => got.includes(id)));
  const live = [];
  for (let i = 0; i < 10; i++) live.push((await fromPeer(`live ${i}`)).id);
  await until("live messages", () => live.every((id) => got.includes(id)));
  same("order of live messages", [...new Set(got.filter((id) => live.includes(id)))], live);
  await until("everything settled", async () => (await client.sync()).length === 0);
  same("errors of the realtime client", errors, []);
  realtime.disconnect();
}

async function drains_by_hand(client) {
  const waiting = [];
  for (let i = 0; i < 3; i++) waiting.push((await fromPeer(`waiting ${i}`)).id);
  const rows = await client.sync();
  same("waiting rows", rows.map((row) => row.id), waiting);
  const later = await client.sync({ after: rows[0].delivery_id });
  same("rows after the first", later.map((row) => row.id), waiting.slice(1));
  same("acked", (await client.syncAck(rows[1].delivery_id)).acked, 2);
  same("left", (await client.sync()).map((row) => row.id), waiting.slice(2));
  same("acked at the end", (await client.syncAck(rows[2].delivery_id)).acked, 1);
  same("nothing left", await client.sync(), []);
}

async function raises(wanted, status, code, call) {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof sdk[wanted])) fail(`${code}: ${error} is no ${wanted}`);
    same(`status of ${code}`, error.status, status);
    same(`code of ${wanted}`, error.code, code);
    return error;
  }
  return fail(`${wanted} ${code}: no error`);
}

const fault = (what) => http("POST", "/_sandbox/faults", { http: [{ route: "POST /v1/messages", times: 1, what }] });

async function sees_typed_errors(client) {
  const send = (more) => client.sendMessage({ to: "peer", content: { text: "x" }, ...more });
  const stranger = new sdk.AgentChatClient({ apiKey: "ac_nobody_knows_this_key", baseUrl: BASE });
  const unknown = await raises("NotFoundError", 404, "AGENT_NOT_FOUND", send({ to: "nobody-here" }));
  if (!unknown.requestId) fail("an error has no request id");
  const invalid = await raises("ValidationError", 400, "VALIDATION_ERROR", send({ content: {} }));
  if (!invalid.details?.fieldErrors?.content) fail("a validation error has no fields");
  await raises("UnauthorizedError", 401, "UNAUTHORIZED", stranger.getMe());
  await raises("ForbiddenError", 403, "FORBIDDEN", client.getMessages("conv_unknown"));
  await http("POST", "/v1/contacts/judged/block");
  await raises("BlockedError", 403, "BLOCKED", send());
  await http("DELETE", "/v1/contacts/judged/block");
  const { group } = await client.createGroup({ name: "short-lived" });
  await client.deleteGroup(group.id);
  const gone = await raises("GroupDeletedError", 410, "GROUP_DELETED", client.getGroup(group.id));
  same("deleted group", [gone.groupId, gone.deletedByHandle], [group.id, "judged"]);
  await fault({ error: { status: 429, code: "RATE_LIMITED", retry_after: "7" } });
  same("Retry-After", (await raises("RateLimitedError", 429, "RATE_LIMITED", send())).retryAfterMs, 7000);
  const details = { recipient_handle: "peer", undelivered_count: 10000 };
  await fault({ error: { status: 429, code: "RECIPIENT_BACKLOGGED", details } });
  const full = await raises("RecipientBackloggedError", 429, "RECIPIENT_BACKLOGGED", send());
  same("backlog", [full.recipientHandle, full.undeliveredCount], ["peer", 10000]);
  await fault({ error: { status: 403, code: "SUSPENDED", extra: { reason: "community_enforcement" } } });
  await raises("SuspendedError", 403, "SUSPENDED", send());
  await fault({ error: { status: 403, code: "AWAITING_REPLY", details: { recipient_handle: "peer" } } });
  same("waiting", (await raises("AwaitingReplyError", 403, "AWAITING_REPLY", send())).recipientHandle, "peer");
  await fault({ html: 502 });
  await raises("ServerError", 502, "INTERNAL_ERROR", send());
  await send();
}

async function calls_every_method() {
  const names = { me: "judge-n", peer: "judge-peer-n", other: "judge-other-n", new: "judge-new-n",
    new_email: "n@people.test", tag: "n" };
  const keys = {};
  for (const who of ["me", "peer", "other"]) {
    keys[who] = (await http("POST", "/_sandbox/agents", { handle: names[who] })).key;
  }
  const steps = JSON.parse(await readFile(process.env.CALLS, "utf8"));
  await new Caller({ sdk, base: BASE, names, keys, steps, fail }).run();
}

async function uses_the_rest_of_the_socket(client) {
  const got = [];
  let gone = false;
  const realtime = new sdk.RealtimeClient({
    apiKey: KEY, baseUrl: BASE.replace("http", "ws"), client, webSocket: WebSocket,
  });
  realtime.onDisconnect(() => (gone = true));
  realtime.on("message.new", (frame) => void got.push(frame.payload.id));
  let ready = false;
  realtime.onConnect(() => (ready = true));
  await realtime.connect();
  await until("a connection", () => ready);
  const sent = await fromPeer("to be read");
  await until("the message", () => got.includes(sent.id));
  const payload = { conversation_id: sent.conversation_id, through_seq: sent.seq };
  realtime.send({ type: "message.read_ack", payload });
  realtime.sendTypingStart(sent.conversation_id);
  realtime.sendTypingStop(sent.conversation_id);
  await realtime.drainOfflineEnvelopes();
  await until("read by frame", async () => {
    const rows = await http("GET", `/v1/messages/${sent.conversation_id}?limit=200`, undefined, KEY);
    return rows.find((row) => row.id === sent.id).status === "read";
  });
  await http("POST", "/_sandbox/cut", { agent: "judged", cut: "reset" });
  await until("the end of the connection", () => gone);
  realtime.disconnect();
}

const retry = { maxRetries: 0, baseDelayMs: 1, maxDelayMs: 1 };
const client = new sdk.AgentChatClient({ apiKey: KEY, baseUrl: BASE, retry });
const steps = [
  sends, drains_and_receives, drains_by_hand, uses_the_rest_of_the_socket, calls_every_method, sees_typed_errors,
];
for (const step of steps) {
  await step(client);
  console.log(`    ${step.name.replaceAll("_", " ")}`);
}
process.exit(0);
