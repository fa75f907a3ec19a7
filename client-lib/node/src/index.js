// The local API of agentchatd: typed calls, and subscriptions that lose nothing.

export { Client } from "./client.js";
export {
  AckProblem,
  AgentchatdError,
  ClosedError,
  ConnectError,
  DeadlineError,
  DisconnectedError,
  GaveUpError,
  HoleProblem,
  NotRisingProblem,
  Problem,
  RpcError,
} from "./errors.js";
export { Subscription } from "./subscription.js";

/** Whether an event is of this type; a type checker knows its payload then. */
export function isEvent(event, type) {
  return event.type === type;
}
