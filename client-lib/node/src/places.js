// Where the daemon's socket is. The same rule as the daemon's own.

import { isAbsolute, join } from "node:path";

const SYSTEM_SOCKET = "/run/agentchatd/agentchatd.sock";

/**
 * Where a client looks, in this order: the one place that it was told, else the user's own daemon, else the machine's.
 * An empty variable counts as not set.
 */
export function clientSockets(environment, isRoot) {
  const told = environment.AGENTCHATD_SOCKET || environment.AGENTCHATD_SOCKET_PATH;
  if (told) return [told];
  const places = [runtimeSocket(environment, isRoot), stateSocket(environment), SYSTEM_SOCKET];
  return [...new Set(places.filter((place) => place !== null))];
}

export function socketsOfThisProcess() {
  return clientSockets(process.env, process.geteuid?.() === 0);
}

function runtimeSocket(environment, isRoot) {
  if (isRoot) return SYSTEM_SOCKET;
  const folder = absolute(environment.XDG_RUNTIME_DIR);
  if (folder !== null) return join(folder, "agentchatd/agentchatd.sock");
  // A system service under a user of its own has no XDG directory, but systemd's.
  return environment.RUNTIME_DIRECTORY ? SYSTEM_SOCKET : null;
}

function stateSocket(environment) {
  const told = environment.AGENTCHATD_STATE_DIR || environment.STATE_DIRECTORY?.split(":")[0];
  if (told) return join(told, "agentchatd.sock");
  const state = absolute(environment.XDG_STATE_HOME);
  if (state !== null) return join(state, "agentchatd/agentchatd.sock");
  const home = absolute(environment.HOME);
  return home === null ? null : join(home, ".local/state/agentchatd/agentchatd.sock");
}

/** The XDG rules: a relative path is passed over. */
function absolute(path) {
  return path && isAbsolute(path) ? path : null;
}
