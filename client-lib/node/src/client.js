// Typed calls. Events do not belong on this connection: a Subscription has one of its own, so that neither waits behind
// the other.

import { Connection } from "./connection.js";
import { ConnectError, DeadlineError, DisconnectedError } from "./errors.js";
import { METHODS } from "./generated/methods.js";
import { orAborted } from "./lines.js";
import { socketsOfThisProcess } from "./places.js";
import { MAX_LINE_BYTES } from "./wire.js";

/** How much longer than the daemon the client waits, so that it is the daemon's answer that comes. */
const ANSWER_GRACE_MS = 30_000;
/** How long the daemon takes at most where a call says nothing of it (local-api: `timeout_ms`). */
const DAEMON_TIMEOUT_MS = 30_000;
/** A day, the longest `timeout_ms`, and the grace. */
const LONGEST_CALL_MS = 24 * 3_600_000 + ANSWER_GRACE_MS;
const SUBSCRIPTIONS = new Set(["events.subscribe", "events.unsubscribe"]);

export class Client {
  #maxLineBytes;
  #connection = null;
  #turn = Promise.resolve();
  #closed = false;

  constructor({ path = null, maxLineBytes = MAX_LINE_BYTES } = {}) {
    this.path = path;
    this.#maxLineBytes = maxLineBytes;
    for (const [space, verbs] of Object.entries(METHODS)) {
      const call = (verb) => (params, options) => this.call(`${space}.${verb}`, params, options);
      this[space] = Object.freeze(Object.fromEntries(verbs.map((verb) => [verb, call(verb)])));
    }
  }

  static async connect(options) {
    const client = new Client(options);
    await client.#connected();
    return client;
  }

  get isConnected() {
    return this.#connection !== null && this.#connection.lost === null;
  }

  async call(method, params = {}, { deadlineMs = patienceMs(params), signal } = {}) {
    if (SUBSCRIPTIONS.has(method)) {
      throw new TypeError(`${method} is for a Subscription, which has a connection of its own`);
    }
    signal?.throwIfAborted();
    const limit = new AbortController();
    const expire = () => limit.abort(new DeadlineError(method, deadlineMs));
    // A longer one, without an end for example, counts as a moment there.
    const timer = setTimeout(expire, Math.min(deadlineMs, 2 ** 31 - 1));
    const abort = () => limit.abort(signal.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const connection = await orAborted(this.#connected(), limit.signal);
      return await connection.exchange(method, params, limit.signal);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** One call after the other, so that none overtakes another while the connection is made. */
  #connected() {
    const turn = this.#turn.then(() => {
      if (this.#closed) throw new DisconnectedError("closed by this program");
      return this.isConnected ? this.#connection : this.#connect();
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #connect() {
    let first = null;
    for (const path of this.path === null ? socketsOfThisProcess() : [this.path]) {
      try {
        const connection = await Connection.open(path, this.#maxLineBytes);
        if (this.#closed) connection.lose("closed by this program");
        this.#connection = connection;
        this.path = path;
        return connection;
      } catch (error) {
        first ??= new ConnectError(path, error);
      }
    }
    throw first;
  }

  close() {
    this.#closed = true;
    this.#connection?.lose("closed by this program");
  }

  [Symbol.dispose ?? Symbol.for("dispose")]() {
    this.close();
  }
}

/** How long to wait for the answer to a call with these parameters. */
export function patienceMs(params) {
  const told = [params?.timeout_ms, params?.wait_ms].find(Number.isSafeInteger) ?? DAEMON_TIMEOUT_MS;
  return Math.min(Math.max(told, 0) + ANSWER_GRACE_MS, LONGEST_CALL_MS);
}
