// Events that lose nothing: connect, read, check, acknowledge, and come back when the connection breaks.
//
// Nothing reads ahead: the socket is read when the reader asks for an event. So a reader that takes its time stops the
// daemon from sending and not its own memory.

import { setTimeout as sleep } from "node:timers/promises";
import { debuglog } from "node:util";
import { delay } from "./backoff.js";
import { AckProblem, ClosedError, ConnectError, GaveUpError, NotRisingProblem, RpcError } from "./errors.js";
import { orAborted } from "./lines.js";
import { Link } from "./link.js";
import { socketsOfThisProcess } from "./places.js";
import { Position } from "./position.js";
import { MAX_LINE_BYTES } from "./wire.js";

/** Shown with NODE_DEBUG=agentchatd. */
const debug = debuglog("agentchatd");
/** Ends after which it makes sense to subscribe again. */
const RESUMABLE = new Set(["storage_error", "shutting_down"]);
const PASSING_KINDS = new Set(["shutting_down", "overloaded", "storage_error", "internal_error"]);
/** How long a consumer that is attached elsewhere is taken for a trace of the connection before. */
const ATTACHED_PATIENCE_MS = 10_000;
const FAREWELL_TIMEOUT_MS = 5_000;
/** With `autoAck`, how many acknowledgements go out for a full window. */
const ACKS_PER_WINDOW = 4;

export class Subscription {
  #path;
  #params;
  #consumer;
  #takeover;
  #acksByHand;
  #autoAck;
  #giveUpAfterMs;
  #onProblem;
  #maxLineBytes;
  #position = new Position();
  #link = null;
  #isOpened = false;
  #closing = new AbortController();
  #ended = false;
  /** The read under way or not fetched yet; it outlives a `next` that is given up. */
  #pending = null;
  #isReading = false;
  /** While an event was taken and not handed out: where the reader really is. */
  // With `autoAck`, up to where the reader asked for more; told in pieces.
  #passed = 0;
  // Somebody else moved the consumer back: what the reader said before counts no more.
  #moved = false;
  // Up to where the reader is done, the daemon said it knows, and it was told at the latest while reconnecting.
  #done = 0;
  #acked = 0;
  #told = 0;
  #lagged = 0;
  #awaySince = null;
  #attempt = 0;
  #toldToWaitMs = 0;

  constructor(options = {}) {
    const { path = null, consumer, from, filter, replace_filter, ack, max_in_flight = 256, takeover = false } = options;
    this.#path = path;
    this.#consumer = consumer ?? null;
    this.#params = { consumer, from, filter, replace_filter, ack, max_in_flight };
    this.#takeover = takeover;
    this.#acksByHand = (ack ?? (this.#consumer === null ? "auto" : "manual")) === "manual";
    this.#autoAck = options.autoAck ?? false;
    this.#giveUpAfterMs = options.giveUpAfterMs ?? null;
    this.#onProblem = options.onProblem ?? ((problem) => process.emitWarning(problem));
    this.#maxLineBytes = options.maxLineBytes ?? MAX_LINE_BYTES;
  }

  static open(options) {
    return new Subscription(options).open();
  }

  async open() {
    if (this.#ended) throw new ClosedError("it was closed");
    if (this.#isOpened) return this;
    const params = this.#takeover ? { ...this.#params, takeover: true } : this.#params;
    let first = null;
    for (const path of this.#path === null ? socketsOfThisProcess() : [this.#path]) {
      try {
        this.#link = await Link.open(path, null, params, this.#maxLineBytes);
        this.#path = path;
        break;
      } catch (error) {
        if (error instanceof RpcError) throw error;
        first ??= new ConnectError(path, error);
      }
    }
    if (this.#link === null) throw first;
    if (this.#ended) {
      this.#end();
      throw new ClosedError("it was closed");
    }
    this.#isOpened = true;
    this.#position.onSubscribed(this.#link.nextOffset, this.#link.filter);
    this.#done = this.#acked = this.#told = this.#position.handed;
    return this;
  }

  get ackedOffset() {
    return this.#acked;
  }

  get lagged() {
    return this.#lagged;
  }

  async ack(upTo) {
    if (this.#ended || !this.#isOpened) throw new ClosedError("it is not open");
    const offset = typeof upTo === "number" ? upTo : upTo?.offset;
    if (offset !== null && !(Number.isSafeInteger(offset) && offset >= 0)) {
      throw new TypeError("an event, or the offset of one");
    }
    this.#done = Math.max(this.#done, offset ?? 0);
    for (let link; (link = this.#link) !== null; ) {
      this.#pushAck(link);
      if (link.isFlushed) return;
      try {
        await link.flush();
      } catch (error) {
        if (link === this.#link) this.#lose(error.message);
      }
    }
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  async next({ signal } = {}) {
    if (this.#isReading) throw new TypeError("another read of this subscription is under way");
    this.#isReading = true;
    try {
      signal?.throwIfAborted();
      this.#pending ??= this.#read();
      this.#pending.catch(() => {});
      const event = await (signal === undefined ? this.#pending : orAborted(this.#pending, signal)).catch((error) => {
        if (error !== signal?.reason) this.#pending = null;
        throw error;
      });
      this.#pending = null;
      return event === null ? { done: true, value: undefined } : { done: false, value: event };
    } finally {
      this.#isReading = false;
    }
  }

  async return() {
    await this.close();
    return { done: true, value: undefined };
  }

  async [Symbol.asyncDispose ?? Symbol.for("asyncDispose")]() {
    await this.close();
  }

  async close() {
    // Not the last one: whoever comes here by an error is not done with it.
    if (this.#autoAck && !this.#ended) this.#done = Math.max(this.#done, this.#passed);
    this.#ended = true;
    this.#closing.abort();
    const link = this.#link;
    this.#link = null;
    if (link === null) return this.#acked;
    const timer = setTimeout(() => link.cut(), FAREWELL_TIMEOUT_MS);
    try {
      await this.#farewell(link);
    } catch {
      // What is not acknowledged is delivered once more.
    } finally {
      clearTimeout(timer);
      link.cut();
    }
    return this.#acked;
  }

  async #farewell(link) {
    await link.flush();
    this.#pushAck(link);
    link.queue("events.unsubscribe", { subscription: link.subscription });
    await link.flush();
    // Where a read is under way it has the lines; the daemon has the acknowledgement.
    while (this.#pending === null && link.ackSent > this.#acked) {
      const { acked, refused } = await link.incoming();
      if (refused !== undefined) return;
      if (acked !== undefined) this.#acked = Math.max(this.#acked, acked);
    }
  }

  /** The next event; null at the end. */
  async #read() {
    try {
      await this.open();
    } catch (error) {
      if (this.#ended && error instanceof ClosedError) return null;
      throw error;
    }
    while (!this.#ended) {
      this.#noteDone();
      const link = this.#link;
      if (link === null) {
        await this.#comeBack();
        continue;
      }
      this.#pushAck(link);
      let incoming;
      try {
        incoming = await link.incoming();
      } catch (error) {
        if (link === this.#link) this.#lose(error.message);
        continue;
      }
      const event = this.#take(incoming);
      if (event !== null) return event;
    }
    return null;
  }

  /**
   * Writes an acknowledgement as far as the reader is done, unless an earlier one is still being written: it goes out
   * after that, and swallows those in between.
   */
  #pushAck(link) {
    if (this.#acksByHand && this.#done > this.#acked && this.#done !== link.ackSent && link.isFlushed) {
      link.ackSent = this.#done;
      link.queue("events.ack", this.#ackOf(link.subscription));
    }
  }

  #ackOf(subscription) {
    const of = this.#consumer === null ? { subscription } : { consumer: this.#consumer };
    return { ...of, offset: this.#done };
  }

  /**
   * With `autoAck`, asking for an event says that the reader is done with those before. It is told when nothing more is at
   * hand, or when a good part of the window is used up.
   */
  #noteDone() {
    const { handed } = this.#position;
    if (!this.#autoAck || this.#moved || handed <= this.#done) return;
    this.#passed = handed;
    const enough = handed - this.#done >= Math.max(Math.floor(this.#params.max_in_flight / ACKS_PER_WINDOW), 1);
    if (enough || this.#link === null || !this.#link.lines.hasLine()) this.#done = handed;
  }

  #take({ event, ended, dropped, goingAwayMs, acked, refused }) {
    if (event !== undefined) {
      const problem = this.#position.onEvent(event);
      if (problem === null) {
        if (!event.redelivered) this.#attempt = 0;
        return event;
      }
      if (problem instanceof NotRisingProblem) [this.#moved, this.#done, this.#passed] = [true, this.#acked, 0];
      this.#lose(problem.message);
      this.#onProblem(problem);
    } else if (RESUMABLE.has(ended)) {
      this.#lose(ended);
    } else if (ended !== undefined) {
      this.#end();
      throw new ClosedError(ended);
    } else if (dropped !== undefined) {
      this.#lagged += dropped;
    } else if (goingAwayMs !== undefined) {
      this.#toldToWaitMs = goingAwayMs;
    } else if (acked !== undefined) {
      this.#acked = Math.max(this.#acked, acked);
    } else if (refused !== undefined) {
      this.#onProblem(new AckProblem(refused));
    }
    return null;
  }

  #end() {
    this.#ended = true;
    this.#link?.cut();
    this.#link = null;
  }

  #lose(reason) {
    debug("subscription lost, coming back: %s", reason);
    this.#link?.cut();
    this.#link = null;
    this.#awaySince ??= performance.now();
  }

  /** Waits, and opens anew what comes after the last event that was handed out, or after the acked one. */
  async #comeBack() {
    const ms = delay(this.#attempt, this.#toldToWaitMs);
    this.#attempt += 1;
    this.#toldToWaitMs = 0;
    await sleep(ms, undefined, { signal: this.#closing.signal }).catch(() => {});
    if (this.#ended) return;
    this.#told = Math.max(this.#done, this.#acked);
    const isDue = this.#consumer !== null && this.#acksByHand && this.#done > this.#acked;
    // With a consumer it counts only where that was deleted meanwhile: it loses nothing then either.
    const offset = this.#consumer === null ? this.#position.next : this.#done + 1;
    const params = { ...this.#params, from: { offset } };
    try {
      const link = await Link.open(this.#path, isDue ? this.#ackOf("") : null, params, this.#maxLineBytes);
      this.#onOpened(link);
    } catch (error) {
      this.#onOpenFailed(error);
    }
  }

  #onOpened(link) {
    if (this.#ended) {
      link.cut();
      return;
    }
    this.#awaySince = null;
    this.#moved = false;
    this.#link = link;
    const problem = this.#position.onSubscribed(link.nextOffset, link.filter);
    const before = this.#position.handed;
    // Where the daemon goes on before what it was told, its word on where this reader stands holds: it was moved, or
    // refused the acknowledgement. Else what the reader said since the daemon was told is still to be said.
    this.#done = this.#acksByHand && before >= this.#told ? Math.max(this.#done, before) : before;
    this.#acked = before;
    if (problem !== null) this.#onProblem(problem);
  }

  /** Lets it be tried again, unless the daemon's answer stands or it has been away for too long. */
  #onOpenFailed(error) {
    debug("not let in: %s", error.message);
    const away = performance.now() - (this.#awaySince ?? performance.now());
    if (error instanceof RpcError && !passesByItself(error, away)) {
      this.#end();
      throw error;
    }
    if (this.#giveUpAfterMs !== null && away >= this.#giveUpAfterMs) {
      this.#end();
      throw new GaveUpError(this.#giveUpAfterMs);
    }
  }
}

/**
 * Whether a refusal is a matter of time. A consumer that is still attached may be this one: the daemon has not seen yet
 * that the connection before is gone.
 */
function passesByItself(error, awayMs) {
  if (error.kind === "consumer_conflict") return awayMs < ATTACHED_PATIENCE_MS && error.data?.reason === "attached";
  return PASSING_KINDS.has(error.kind);
}
