// Where a reader stands in the log, and whether what comes fits to it. No input, no output.

import { HoleProblem, NotRisingProblem } from "./errors.js";
import { isObject } from "./wire.js";

export class Position {
  /** The highest offset that was ever handed out, or the one before the first wanted. */
  #high = null;
  /** The lowest and the highest that was handed out, and what they were before this connection. */
  #given = [Infinity, -Infinity];
  #givenBefore = this.#given;
  /** Whether every offset must come. */
  #gapFree = false;
  /** A hole that was reported; it is no news the second time. */
  #reported = null;
  /** The offset that comes next on this connection. */
  next = 0;

  /** The last offset handed out since the daemon last said where this reader is. */
  get handed() {
    return Math.max(this.next - 1, 0);
  }

  /** Takes the answer to a subscribe; gives a problem or null. A durable consumer may be taken back, never ahead. */
  onSubscribed(nextOffset, filter) {
    this.next = nextOffset;
    this.#givenBefore = this.#given;
    this.#gapFree = passesAll(filter);
    const before = this.handed;
    this.#high ??= before;
    if (!this.#gapFree || before <= this.#high) return null;
    // The daemon decided so in answer to a clear question: it is not asked again.
    const hole = new HoleProblem(this.#high + 1, nextOffset);
    this.#high = before;
    return hole;
  }

  /** Judges an event that came; marks it where it was handed out before. Gives a problem or null. */
  onEvent(event) {
    const { offset } = event;
    if (offset === null) return null;
    if (offset < this.next) return new NotRisingProblem(this.handed, offset);
    if (offset > this.next && this.#gapFree && this.#reported !== this.next) {
      this.#reported = this.next;
      return new HoleProblem(this.next, offset);
    }
    if (this.#givenBefore[0] <= offset && offset <= this.#givenBefore[1]) event.redelivered = true;
    const [low, high] = this.#given;
    this.#given = [Math.min(low, offset), Math.max(high, offset)];
    this.#high = Math.max(this.#high ?? offset, offset);
    this.next = offset + 1;
    return null;
  }
}

/** Whether a filter lets everything pass, so that offsets have no holes. */
export function passesAll(filter) {
  if (!isObject(filter)) return filter === null || filter === undefined;
  return Object.entries(filter).every(([name, value]) => value === null || value === (name === "include_own"));
}
