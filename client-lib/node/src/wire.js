// Lines of the protocol: values to lines, and lines to values that can be trusted in their outer shape.

import { BreachError, RpcError } from "./errors.js";

/** A page of a thousand events of the largest size that AgentChat allows has room in it. */
export const MAX_LINE_BYTES = 256 * 1024 * 1024;
/** The daemon's own limit on the nesting of a request. */
export const MAX_DEPTH = 128;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A request as a line. TypeError or RangeError where the parameters are no JSON that the daemon takes: it could not say
 * then which request it refuses.
 */
export function request(id, method, params) {
  const depths = new Map();
  function check(key, value) {
    if (!key.isWellFormed()) throw new TypeError("a member's name holds half of a surrogate pair");
    if (typeof value === "string" && !value.isWellFormed()) throw new TypeError("a text holds half of a surrogate pair");
    if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`${value} is no JSON`);
    if (typeof value === "object" && value !== null) {
      const depth = (depths.get(this) ?? 0) + 1;
      if (depth > MAX_DEPTH) throw new RangeError(`parameters are nested over ${MAX_DEPTH} levels`);
      depths.set(value, depth);
    }
    return value;
  }
  return `${JSON.stringify({ jsonrpc: "2.0", id, method, params }, check)}\n`;
}

/** What a line says: `{method, params}`, `{id, result}` or `{id, error}`; null for a blank one. */
export function read(line) {
  let value;
  try {
    const text = utf8.decode(line);
    if (text.trim() === "") return null;
    value = JSON.parse(text);
  } catch (error) {
    throw new BreachError(`a line is no JSON: ${error.message}`);
  }
  if (!isObject(value)) throw new BreachError("a line is no JSON object");
  if ("method" in value) {
    if (typeof value.method !== "string" || !isObject(value.params)) throw new BreachError("a line is no notification");
    return { method: value.method, params: value.params };
  }
  const id = value.id ?? null;
  if (id !== null && !Number.isSafeInteger(id)) throw new BreachError("an answer has an id that no request had");
  if ("error" in value) return { id, error: rpcError(value.error) };
  if (!("result" in value) || id === null) throw new BreachError("a line is neither a notification nor an answer");
  return { id, result: value.result };
}

export function rpcError(value) {
  if (!isObject(value) || !Number.isSafeInteger(value.code) || typeof value.message !== "string") {
    throw new BreachError("an answer has an error that is none");
  }
  return new RpcError(value.code, value.message, isObject(value.data) ? value.data : null);
}

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Offsets beyond what a number can hold exactly are not to be expected in this universe. */
export function isOffset(value) {
  return Number.isSafeInteger(value) && value >= 0;
}
