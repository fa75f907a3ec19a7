// What can go wrong. The daemon's own answers are RpcError, told apart by their `kind`.

import { ERRORS } from "./generated/methods.js";

/** Statuses of AgentChat after which the daemon itself tries a send again. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Refusals that time alone does not lift, whatever their status. */
const STANDING = new Set(["RecipientBackloggedError", "AwaitingReplyError"]);
const PASSING_KINDS = new Set(["upstream_unavailable", "overloaded", "storage_error", "shutting_down"]);

export class AgentchatdError extends Error {
  get name() {
    return this.constructor.name;
  }
}

export class ConnectError extends AgentchatdError {
  constructor(path, cause) {
    super(`cannot connect to the daemon at ${path}: ${cause?.message ?? cause}`, { cause });
    this.path = path;
  }
}

export class DisconnectedError extends AgentchatdError {
  constructor(reason) {
    super(`the connection to the daemon is lost: ${reason?.message ?? reason}`, { cause: reason });
  }
}

export class DeadlineError extends AgentchatdError {
  constructor(method, ms) {
    super(`the daemon gave no answer to ${method} within ${ms} ms`);
    this.method = method;
    this.ms = ms;
  }
}

export class RpcError extends AgentchatdError {
  constructor(code, text, data) {
    const kind = ERRORS[code] ?? null;
    super(`${text} (${code}${kind === null ? "" : `, ${kind}`})`);
    this.code = code;
    this.kind = kind;
    this.text = text;
    this.data = data;
  }

  is(kind) {
    return this.kind === kind;
  }

  get retryAfterMs() {
    const value = this.data?.retry_after_ms;
    return Number.isSafeInteger(value) && value >= 0 ? value : null;
  }

  get retryable() {
    if (this.kind === "api_error") return PASSING.has(this.data?.status) && !STANDING.has(this.data?.class);
    return PASSING_KINDS.has(this.kind);
  }
}

export class ClosedError extends AgentchatdError {
  constructor(reason) {
    super(`the daemon ended the subscription: ${reason}`);
    this.reason = reason;
  }
}

export class GaveUpError extends AgentchatdError {
  constructor(ms) {
    super(`the daemon has been away for ${ms} ms`);
    this.ms = ms;
  }
}

export class Problem extends AgentchatdError {}

export class HoleProblem extends Problem {
  constructor(expected, got) {
    super(`events are missing: ${got} follows where ${expected} should`);
    this.expected = expected;
    this.got = got;
  }
}

export class NotRisingProblem extends Problem {
  constructor(last, got) {
    super(`offsets do not rise: ${got} follows ${last}`);
    this.last = last;
    this.got = got;
  }
}

export class AckProblem extends Problem {
  constructor(error) {
    super(`the daemon refused an acknowledgement: ${error.message}`, { cause: error });
    this.error = error;
  }
}

/** The other side does not speak the protocol. */
export class BreachError extends AgentchatdError {}
