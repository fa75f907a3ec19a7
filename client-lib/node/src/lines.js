// Lines from the daemon, read when they are asked for and with a bound.

import { connect } from "node:net";
import { BreachError } from "./errors.js";

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Cuts what comes over a socket into lines. The socket is read when a line is asked for: while nobody asks it fills its
 * own buffer, and then the kernel's, and then the daemon waits.
 */
export class LineReader {
  #socket;
  #max;
  #lines = [];
  #parts = [];
  #size = 0;
  #ended = false;
  #error = null;
  #wake = () => {};

  constructor(socket, maxLineBytes) {
    this.#socket = socket;
    this.#max = maxLineBytes;
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    socket.on("readable", () => this.#wake());
    socket.on("end", end);
    socket.on("close", end);
    socket.on("error", (error) => {
      this.#error = error;
      this.#wake();
    });
  }

  /** Whether a whole line is here already. */
  hasLine() {
    return this.#lines.length > 0;
  }

  /**
   * The next line without its end; null where the stream ended. What stands behind the last line's end is no line: the
   * daemon was cut off while it wrote.
   */
  async nextLine() {
    while (this.#lines.length === 0) {
      if (this.#size > this.#max) throw new BreachError(`a line has more than ${this.#max} bytes`);
      const chunk = await this.#chunk();
      if (chunk === null) return null;
      this.#cut(chunk);
    }
    return this.#lines.shift();
  }

  #cut(chunk) {
    let start = 0;
    for (let end; (end = chunk.indexOf(10, start)) >= 0; start = end + 1) {
      this.#parts.push(chunk.subarray(start, end));
      this.#lines.push(this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts));
      this.#parts = [];
      this.#size = 0;
    }
    if (start < chunk.length) {
      this.#parts.push(chunk.subarray(start));
      this.#size += chunk.length - start;
    }
  }

  #chunk() {
    return new Promise((resolve, reject) => {
      this.#wake = () => {
        const chunk = this.#socket.read();
        if (chunk === null && this.#error === null && !this.#ended) return;
        this.#wake = () => {};
        if (chunk !== null) resolve(chunk);
        else if (this.#error !== null) reject(this.#error);
        else resolve(null);
      };
      this.#wake();
    });
  }
}

/** Connects within a bounded time; it takes long only where the daemon accepts nobody. */
export function openSocket(path) {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const timer = setTimeout(() => socket.destroy(new Error("nobody takes the connection")), CONNECT_TIMEOUT_MS);
    const failed = (error) => {
      clearTimeout(timer);
      reject(error);
    };
    socket.once("error", failed);
    socket.once("connect", () => {
      clearTimeout(timer);
      // Whoever takes the socket over looks after its errors; until then none may end the process.
      socket.on("error", () => {});
      socket.off("error", failed);
      resolve(socket);
    });
  });
}

/** Settles as the promise does, or with the signal's reason, whatever comes first. */
export function orAborted(promise, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
