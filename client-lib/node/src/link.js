// One connection of a subscription, from the subscribe line to its end.

import { BreachError, RpcError } from "./errors.js";
import { LineReader, openSocket } from "./lines.js";
import { isObject, isOffset, read, request } from "./wire.js";

/** How long the daemon may take to open a subscription. */
const OPEN_TIMEOUT_MS = 10_000;
/** How long it may take to read one line of ours. */
const FLUSH_TIMEOUT_MS = 10_000;

export class Link {
  #socket;
  #lastId = 0;
  #written = Promise.resolve();
  lines;
  ackSent = 0;
  subscription = "";
  /** Where the daemon goes on, and with which filter. */
  nextOffset = 0;
  filter = null;

  /**
   * Connects, acknowledges what could not be acknowledged before, and subscribes. RpcError where the daemon says no, any
   * other error where it is not the daemon that answers.
   */
  static async open(path, ack, params, maxLineBytes) {
    const link = new Link();
    link.#socket = await openSocket(path);
    link.lines = new LineReader(link.#socket, maxLineBytes);
    const timer = setTimeout(() => link.#socket.destroy(new Error("it took too long")), OPEN_TIMEOUT_MS);
    try {
      // One after the other: requests of a connection run side by side, and the subscription is to start after what is
      // acknowledged here. If it is refused, the events come once more.
      if (ack !== null) await link.#exchange("events.ack", ack).catch((error) => {
        if (!(error instanceof RpcError)) throw error;
      });
      link.#subscribed(await link.#exchange("events.subscribe", params));
      return link;
    } catch (error) {
      link.cut();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #exchange(method, params) {
    this.queue(method, params);
    for (let line; (line = await this.lines.nextLine()) !== null; ) {
      const said = read(line);
      if (said?.error) throw said.error;
      if (said?.id === this.#lastId) return said.result;
    }
    throw new Error("the daemon closed it");
  }

  #subscribed(answer) {
    if (!isObject(answer) || typeof answer.subscription !== "string") {
      throw new BreachError("the answer to a subscribe names no subscription");
    }
    if (!isOffset(answer.next_offset)) throw new BreachError("the answer to a subscribe has no offset");
    this.subscription = answer.subscription;
    this.nextOffset = answer.next_offset;
    this.filter = answer.filter ?? null;
  }

  /** Whether nothing is left to be written. */
  get isFlushed() {
    return this.#socket.writableLength === 0;
  }

  /** Writes as much as the socket takes, and the rest as soon as it can. */
  queue(method, params) {
    const line = request(++this.#lastId, method, params);
    this.#written = new Promise((resolve, reject) => {
      this.#socket.write(line, (error) => (error ? reject(error) : resolve()));
    });
    // Who reads hears of it, too.
    this.#written.catch(() => {});
  }

  /** Waits until everything is written. */
  async flush() {
    const timer = setTimeout(() => this.#socket.destroy(new Error("the daemon does not read")), FLUSH_TIMEOUT_MS);
    try {
      await this.#written;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * What the next line says: `{event}`, `{ended}`, `{dropped}`, `{goingAwayMs}`, `{acked}` or `{refused}`, or nothing that
   * matters here. An error where the connection ended or the line makes no sense.
   */
  async incoming() {
    const line = await this.lines.nextLine();
    if (line === null) throw new Error("the daemon closed it");
    const said = read(line);
    if (said === null) return {};
    if (said.method !== undefined) return this.#notified(said);
    if (said.error) return { refused: said.error };
    // Of the requests after the subscribe only an acknowledgement has an object as its result.
    const acked = isObject(said.result) ? said.result.acked_offset : null;
    return isOffset(acked) ? { acked } : {};
  }

  #notified({ method, params }) {
    if (method === "daemon.going_away") return { goingAwayMs: isOffset(params.retry_in_ms) ? params.retry_in_ms : 0 };
    if (params.subscription !== this.subscription) return {};
    if (method === "events.event") return { event: eventOf(params.result) };
    if (method === "events.closed") return { ended: String(params.reason) };
    if (method === "events.lagged") return { dropped: isOffset(params.dropped) ? params.dropped : 0 };
    return {};
  }

  /** Ends the connection at once. */
  cut() {
    this.#socket.destroy();
  }
}

/** An event whose envelope is one; its payload is AgentChat's own. */
function eventOf(value) {
  if (!isObject(value) || typeof value.type !== "string" || !("payload" in value)) {
    throw new BreachError("a notification has an event that is none");
  }
  value.offset ??= null;
  if (value.offset !== null && !isOffset(value.offset)) throw new BreachError("an event has an offset that is none");
  return value;
}
