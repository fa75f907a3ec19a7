import type { Methods } from "./generated/methods.js";
import type * as types from "./generated/types.js";

export type * as types from "./generated/types.js";
export type ErrorKind = keyof types.ErrorDataByKind;

export interface CallOptions {
  /**
   * Within how many milliseconds the answer has to be there. By default as long as the daemon may take (the call's own
   * `timeout_ms` or `wait_ms`) and 30 s more.
   */
  deadlineMs?: number;
  /** Gives the call up. It is not taken back. */
  signal?: AbortSignal;
}

export interface ClientOptions {
  /** The socket; without, where the environment says, else the user's own daemon, else the machine's. */
  path?: string | null;
  /** A longer line ends the connection; 256 MiB by default. */
  maxLineBytes?: number;
}

/**
 * Calls. They run side by side. A connection that broke is made anew by the next call; a call that was under way then
 * fails with DisconnectedError, for nobody can tell whether it was run.
 */
export class Client {
  constructor(options?: ClientOptions);
  /** A client that is connected; ConnectError where nobody answers. */
  static connect(options?: ClientOptions): Promise<Client>;
  readonly path: string | null;
  readonly isConnected: boolean;
  /**
   * Calls a method by its name: for methods that this version does not know. RpcError is the daemon's own answer; after
   * DisconnectedError and DeadlineError it is not known whether the call was run. TypeError and RangeError tell of
   * parameters that are no JSON that the daemon reads.
   */
  call(method: string, params?: object, options?: CallOptions): Promise<unknown>;
  /** Closes the connection; calls under way fail. */
  close(): void;
}
export interface Client extends Methods {}

export interface SubscriptionOptions extends Omit<types.EventsSubscribeParams, "mode"> {
  /** The socket, as for a client. */
  path?: string | null;
  /**
   * Acknowledges an event when the next one is asked for, which says that the reader is done with it. (`ack: "auto"` is
   * less: the daemon acknowledges what it wrote to the socket.)
   */
  autoAck?: boolean;
  /** For how long to try to get back to a daemon that is away; for ever by default. */
  giveUpAfterMs?: number | null;
  /** Is told what happens beside the events and is no end; a warning of the process by default. */
  onProblem?: (problem: Problem) => void;
  /** A longer line breaks the connection; 256 MiB by default. */
  maxLineBytes?: number;
}

/**
 * A stream of events, for `for await`. With a `consumer` the daemon remembers what was acknowledged, also across restarts
 * of everything. Without, it goes on after the last event that it handed out, for as long as this object lives.
 *
 * An event that was handed out before has `redelivered: true`. ClosedError, GaveUpError and RpcError are the end.
 * Leaving the loop closes the subscription. A takeover is asked for once, when it is opened; one that was taken over
 * itself does not fight back.
 */
export class Subscription implements AsyncIterableIterator<types.Event> {
  constructor(options?: SubscriptionOptions);
  /** Makes one and opens it. */
  static open(options?: SubscriptionOptions): Promise<Subscription>;
  /**
   * Connects and subscribes; the first read does it, too. A daemon that is away (ConnectError) or says no (RpcError) is an
   * error here; later it is waited for.
   */
  open(): Promise<this>;
  /** The offset up to which the daemon knows that the reader is done, as far as it has told. */
  readonly ackedOffset: number;
  /** How many live-only events (typing, presence) were dropped because the reader was slow. */
  readonly lagged: number;
  /**
   * Says that the reader is done with all events up to this one. Fulfilled when that is written, or kept for the next
   * connection. That the daemon took it shows in `ackedOffset`.
   */
  ack(upTo: types.Event | number): Promise<void>;
  /** The next event. To give it up with a signal loses none. One read at a time. */
  next(options?: { signal?: AbortSignal }): Promise<IteratorResult<types.Event, undefined>>;
  return(): Promise<IteratorResult<types.Event, undefined>>;
  [Symbol.asyncIterator](): this;
  /**
   * Ends the subscription, waiting a moment for the answers to the last acknowledgements. Gives the offset up to which the
   * daemon knows that the reader is done.
   */
  close(): Promise<number>;
}

/** Whether an event is of this type; its payload is known then. */
export function isEvent<K extends keyof types.EventsByType>(event: types.Event, type: K): event is types.EventsByType[K];

/** Any error of this package. */
export class AgentchatdError extends Error {}

/** Nobody answers at the socket. */
export class ConnectError extends AgentchatdError {
  readonly path: string;
}

/**
 * The connection broke; whether the call was run is not known. What has a `client_msg_id` or an `idempotency_key` can be
 * asked again in safety.
 */
export class DisconnectedError extends AgentchatdError {}

/** No answer in time; whether the call was run is not known. */
export class DeadlineError extends AgentchatdError {
  readonly method: string;
  readonly ms: number;
}

/** The daemon's own answer. */
export class RpcError extends AgentchatdError {
  readonly code: number;
  /** The stable name of the code; null for one that this version does not know. */
  readonly kind: ErrorKind | null;
  /** For people. */
  readonly text: string;
  readonly data: unknown;
  /** Whether it is of this kind; its data is known then. */
  is<K extends ErrorKind>(kind: K): this is RpcError & { kind: K; data: types.ErrorDataByKind[K] | null };
  /** After how long it makes sense to ask again, where the daemon knows. */
  readonly retryAfterMs: number | null;
  /** Whether the same call may well succeed later. Whether it may be run twice is another question. */
  readonly retryable: boolean;
}

/** The subscription has ended for good: `takeover` (another subscription took the consumer) or `deleted`. */
export class ClosedError extends AgentchatdError {
  readonly reason: string;
}

/** The daemon was away for longer than `giveUpAfterMs`. */
export class GaveUpError extends AgentchatdError {
  readonly ms: number;
}

/** Something that the reader of a subscription should know, after which the subscription goes on. */
export class Problem extends AgentchatdError {}

/** Events are missing. They are asked for again; if the same hole is there then, the log itself has it. */
export class HoleProblem extends Problem {
  readonly expected: number;
  readonly got: number;
}

/** An offset did not rise; the event was not handed out. The subscription goes back to the last good place. */
export class NotRisingProblem extends Problem {
  readonly last: number;
  readonly got: number;
}

/** An acknowledgement was refused; the next one is tried again and covers it. */
export class AckProblem extends Problem {
  readonly error: RpcError;
}
