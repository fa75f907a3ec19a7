// A daemon whose every line is told by the test.

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Subscription } from "../src/index.js";

/** Far longer than anything here takes; only a failing test waits for it. */
export const PATIENCE_MS = 20_000;

/** A promise with a deadline. */
export async function within(promise, ms = PATIENCE_MS) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`not within ${ms} ms`)), ms); });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A client, as the daemon sees it. */
export class Peer {
  #lines = [];
  #rest = "";
  #wake = () => {};
  #isGone = false;

  constructor(socket) {
    this.socket = socket;
    socket.setEncoding("utf8").on("data", (chunk) => {
      const lines = (this.#rest + chunk).split("\n");
      this.#rest = lines.pop();
      this.#lines.push(...lines);
      this.#wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#isGone = true;
      this.#wake();
    });
  }

  async #until(condition) {
    while (!condition()) await within(new Promise((resolve) => { this.#wake = resolve; }));
  }

  /** The next request, or null where the client is gone. */
  async request() {
    await this.#until(() => this.#lines.length > 0 || this.#isGone);
    return this.#lines.length > 0 ? JSON.parse(this.#lines.shift()) : null;
  }

  /** Waits until the client has closed the connection. */
  gone() {
    return this.#until(() => this.#isGone);
  }

  answer(request, result) {
    return this.say({ jsonrpc: "2.0", id: request.id, result });
  }

  refuse(request, code, data) {
    return this.say({ jsonrpc: "2.0", id: request.id, error: { code, message: "no", data } });
  }

  notify(method, params) {
    return this.say({ jsonrpc: "2.0", method, params });
  }

  async events(...offsets) {
    for (const offset of offsets) await this.raw(eventLine(offset));
  }

  say(value) {
    return this.raw(`${JSON.stringify(value)}\n`);
  }

  /** Writes, and waits while the kernel takes no more. */
  async raw(data) {
    if (!this.socket.write(data)) await once(this.socket, "drain");
  }

  drop() {
    this.socket.destroy();
  }
}

export class FakeDaemon {
  #folder = mkdtempSync(join(tmpdir(), "fake-"));
  #waiting = [];
  #wake = () => {};
  peers = [];
  path = join(this.#folder, "s.sock");

  async listen() {
    this.server = createServer((socket) => {
      const peer = new Peer(socket);
      this.peers.push(peer);
      this.#waiting.push(peer);
      this.#wake();
    });
    this.server.listen(this.path);
    await once(this.server, "listening");
    return this;
  }

  /** Nobody answers from now on; connections that stand go on. */
  away() {
    this.server.close();
    rmSync(this.path, { force: true });
  }

  end() {
    this.away();
    for (const peer of this.peers) peer.drop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** How many connections were not accepted by the test yet. */
  get callers() {
    return this.#waiting.length;
  }

  async accept() {
    while (this.#waiting.length === 0) await within(new Promise((resolve) => { this.#wake = resolve; }));
    return this.#waiting.shift();
  }

  /** Accepts, and opens the subscription that is asked for. */
  async acceptSubscriber(nextOffset) {
    const peer = await this.accept();
    const request = await peer.request();
    if (request.method !== "events.subscribe") throw new Error(`not a subscribe: ${JSON.stringify(request)}`);
    await peer.answer(request, subscribed(request, nextOffset));
    return { peer, request };
  }
}

export function subscribed({ params }, nextOffset) {
  return { subscription: "s", consumer: params.consumer ?? null, next_offset: nextOffset, filter: params.filter ?? null };
}

export function eventLine(offset, more = {}) {
  const result = {
    offset, type: "message.new", received_at: "2026-11-23T12:00:00.123Z", conversation_id: "conv_1",
    message_id: `msg_${offset}`, seq: offset, source: "live", late: false, payload: { id: `msg_${offset}` }, ...more,
  };
  return `${JSON.stringify({ jsonrpc: "2.0", method: "events.event", params: { subscription: "s", result } })}\n`;
}

/** The whole numbers from `first` to `last`. */
export function range(first, last) {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** A subscription of this test that is open, with the connection it reads from. */
export async function opened(t, options = {}, nextOffset = 1) {
  const daemon = await new FakeDaemon().listen();
  const problems = [];
  const onProblem = (problem) => problems.push(problem);
  const events = new Subscription({ path: daemon.path, consumer: "c", onProblem, ...options });
  t.after(async () => {
    daemon.end();
    await events.close();
  });
  const opening = events.open();
  const { peer, request } = await daemon.acceptSubscriber(nextOffset);
  await opening;
  return { daemon, events, peer, problems, params: request.params };
}
