// One connection for calls: requests go out in the order of the calls, answers find theirs by id.

import { BreachError, DisconnectedError } from "./errors.js";
import { LineReader, openSocket, orAborted } from "./lines.js";
import { read, request } from "./wire.js";

/** Open until it breaks; a broken one stays so. */
export class Connection {
  #socket;
  #waiting = new Map();
  #lastId = 0;
  #writing = Promise.resolve();
  /** Called when it breaks, by the writer that waits for room. */
  #hurry = () => {};
  /** Why it is broken; null while it stands. */
  lost = null;

  static async open(path, maxLineBytes) {
    const connection = new Connection();
    connection.#socket = await openSocket(path);
    connection.#readAll(new LineReader(connection.#socket, maxLineBytes));
    return connection;
  }

  /** The result of a call. To give it up does not take it back: its answer is passed over when it comes. */
  async exchange(method, params, signal) {
    const id = ++this.#lastId;
    const line = request(id, method, params);
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject, written: false }));
    try {
      return await orAborted(Promise.all([answer, this.#write(id, line, signal)]).then(([result]) => result), signal);
    } finally {
      this.#waiting.delete(id);
    }
  }

  /** One after the other, so that lines wait with their callers and not in a buffer. */
  async #write(id, line, signal) {
    const before = this.#writing;
    let free;
    this.#writing = new Promise((resolve) => { free = resolve; });
    try {
      await before;
      if (signal.aborted) return;
      if (this.lost !== null) throw new DisconnectedError(this.lost);
      this.#waiting.get(id).written = true;
      if (this.#socket.write(line)) return;
      await new Promise((resolve) => {
        this.#hurry = resolve;
        this.#socket.once("drain", resolve);
      });
    } finally {
      free();
    }
  }

  async #readAll(lines) {
    try {
      for (let line; (line = await lines.nextLine()) !== null; ) this.#take(read(line));
      this.lose("the daemon closed it");
    } catch (error) {
      this.lose(error);
    }
  }

  #take(said) {
    if (said === null || said.method !== undefined) return;
    if (said.id === null) this.#takeUnread(said);
    const entry = this.#waiting.get(said.id);
    if (said.error) entry?.reject(said.error);
    else entry?.resolve(said.result);
  }

  /**
   * The daemon could not read which request this is the answer to. One alone can be meant, else it is not known which of
   * them will have no other. Either way the connection is of no more use: after a request that is too long the daemon
   * closes it.
   */
  #takeUnread({ error }) {
    const written = [...this.#waiting.values()].filter((entry) => entry.written);
    if (written.length === 1) written[0].reject(error);
    throw new BreachError(`the daemon could not read a request: ${error.message}`);
  }

  /** Ends it; whoever waits hears of it. */
  lose(reason) {
    this.lost ??= reason;
    this.#socket.destroy();
    this.#hurry();
    for (const { reject } of this.#waiting.values()) reject(new DisconnectedError(reason));
  }
}
