"""Where the daemon's socket is. The same rule as the daemon's own."""

from __future__ import annotations

import os
from collections.abc import Mapping

SYSTEM_SOCKET = "/run/agentchatd/agentchatd.sock"


def client_sockets(environment: Mapping[str, str], *, root: bool) -> list[str]:
    """Where a client looks, in this order: the one place that it was told, else the user's own daemon, else the
    machine's. An empty variable counts as not set."""
    for name in ("AGENTCHATD_SOCKET", "AGENTCHATD_SOCKET_PATH"):
        if environment.get(name):
            return [environment[name]]
    places = [_runtime_socket(environment, root), _state_socket(environment), SYSTEM_SOCKET]
    return list(dict.fromkeys(place for place in places if place is not None))


def sockets_of_this_process() -> list[str]:
    """`client_sockets` for this process."""
    return client_sockets(os.environ, root=os.geteuid() == 0)


def _runtime_socket(environment: Mapping[str, str], root: bool) -> str | None:
    if root:
        return SYSTEM_SOCKET
    if folder := _absolute(environment, "XDG_RUNTIME_DIR"):
        return os.path.join(folder, "agentchatd/agentchatd.sock")
    # A system service under a user of its own has no XDG directory, but systemd's.
    return SYSTEM_SOCKET if environment.get("RUNTIME_DIRECTORY") else None


def _state_socket(environment: Mapping[str, str]) -> str | None:
    told = environment.get("AGENTCHATD_STATE_DIR") or environment.get("STATE_DIRECTORY", "").split(":")[0]
    if told:
        return os.path.join(told, "agentchatd.sock")
    if folder := _absolute(environment, "XDG_STATE_HOME"):
        return os.path.join(folder, "agentchatd/agentchatd.sock")
    if folder := _absolute(environment, "HOME"):
        return os.path.join(folder, ".local/state/agentchatd/agentchatd.sock")
    return None


def _absolute(environment: Mapping[str, str], name: str) -> str | None:
    """The XDG rules: a relative path is passed over."""
    path = environment.get(name, "")
    return path if os.path.isabs(path) else None
