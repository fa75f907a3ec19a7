#!/usr/bin/env node
// Answers every message once, through restarts of the daemon and of itself.    answer.mjs [SOCKET]

import { connect } from "node:net";

const { XDG_RUNTIME_DIR = "/run", AGENTCHATD_SOCKET } = process.env;
const path = process.argv[2] ?? AGENTCHATD_SOCKET ?? `${XDG_RUNTIME_DIR}/agentchatd/agentchatd.sock`;
const consumer = "answer-node";

class Daemon {
  #lastId = 0;
  #waiting = new Map();
  events = [];
  constructor(socket) { this.socket = socket; }

  take(message) {
    if (message.method === "events.event") this.events.push(message.params.result);
    else if (message.method === "events.closed") this.socket.destroy(new Error(message.params.reason));
    else this.#waiting.get(message.id)?.(message);
  }

  call(method, params) {
    const id = ++this.#lastId;
    this.socket.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    return new Promise((done) => this.#waiting.set(id, done)).then(({ error, result }) => {
      if (error) this.socket.destroy(new Error(`${method}: ${JSON.stringify(error)}`));
      else return result;
      return new Promise(() => {}); // Nothing follows a refusal: the connection ends, the event comes again.
    });
  }
}

async function answer(daemon, event) {
  const target = event.conversation_id.startsWith("grp_")
    ? { conversation_id: event.conversation_id }
    : { to: event.payload.sender };
  // The id is made from the message's, so asking twice sends once; "queue" answers once it is on disk.
  const client_msg_id = `answer-${event.message_id}`;
  await daemon.call("messages.send", { text: "Thank you, got it.", client_msg_id, delivery: "queue", ...target });
  await daemon.call("events.ack", { consumer, offset: event.offset });
  console.log("answered", event.message_id);
}

function run() {
  const socket = connect(path);
  const daemon = new Daemon(socket);
  let work = daemon.call("events.subscribe", { consumer, filter: { types: ["message.new"] }, takeover: true });
  let rest = "";
  socket.setEncoding("utf8").on("data", (chunk) => {
    const lines = (rest + chunk).split("\n"); // Not node:readline: it also splits at U+2028, which text may hold.
    rest = lines.pop();
    for (const line of lines) daemon.take(JSON.parse(line));
    for (const event of daemon.events.splice(0)) work = work.then(() => answer(daemon, event));
  });
  socket.on("error", (error) => console.error("trying again:", error.message));
  socket.on("close", () => setTimeout(run, 1000));
}

run();
