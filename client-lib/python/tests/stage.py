"""The real daemon with the sandbox behind it. Binaries: `TEST_AGENTCHATD` and `TEST_SANDBOX`, else those of a debug build."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
BUILT = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
DAEMON = os.environ.get("TEST_AGENTCHATD", str(BUILT / "agentchatd"))
SANDBOX = os.environ.get("TEST_SANDBOX", str(BUILT / "agentchat-sandbox"))
PATIENCE_S = 30.0


class Stage:
    """A sandbox with the agents `me` and `peer`, and a daemon for `me`; `with` starts and ends both."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="stage-")
        folder = Path(self._folder.name)
        self.path, self._log = str(folder / "d.sock"), folder / "log"
        (folder / "key").touch(mode=0o600)
        (folder / "key").write_text("ac_sandbox_me")
        self._command = [DAEMON, "--socket", self.path, "--state-dir", str(folder / "state"), "--api-key-file",
                         str(folder / "key")]
        self._daemon: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Stage:
        command = [SANDBOX, "--unlimited", "--agent", "me", "--agent", "peer"]
        self._sandbox = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._sandbox.stdout is not None
        self._url = json.loads(self._sandbox.stdout.readline())["base_url"]
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._sandbox.kill()
        self._sandbox.wait()
        assert self._sandbox.stdout is not None
        self._sandbox.stdout.close()
        self._folder.cleanup()

    def start(self) -> None:
        """Starts the daemon and waits until it is connected."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AGENTCHAT")}
        environment |= {"AGENTCHAT_BASE_URL": self._url, "XDG_CONFIG_HOME": self._folder.name}
        with self._log.open("ab") as log:
            self._daemon = subprocess.Popen(self._command, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_S
        while self._state() != "ready":
            if time.monotonic() > deadline or self._daemon.poll() is not None:
                raise AssertionError(f"the daemon is not ready:\n{self._log.read_text()[-4000:]}")
            time.sleep(0.02)

    def _state(self) -> Any:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(PATIENCE_S)
                connection.connect(self.path)
                connection.sendall(b'{"jsonrpc":"2.0","id":1,"method":"daemon.status"}\n')
                with connection.makefile("rb") as lines:
                    return json.loads(lines.readline())["result"]["connection"]["state"]
        except (OSError, ValueError):
            return None

    def kill(self) -> None:
        """SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._daemon is not None:
            self._daemon.send_signal(how)
            self._daemon.wait(PATIENCE_S)
            self._daemon = None

    def peer_says(self, text: str | None = None, **order: Any) -> Any:
        """A message of `peer` to the agent of the daemon."""
        return self._post("/_sandbox/send", {"from": "peer", "to": "me"} | ({"text": text} if text else {}) | order)

    def messages_of(self, handle: str) -> Any:
        """What the platform has for an agent, as one list."""
        with self._open(self._url + f"/_sandbox/messages/{handle}") as answer:
            return [row for rows in json.load(answer).values() for row in rows]

    def _post(self, path: str, body: Any) -> Any:
        headers = {"content-type": "application/json"}
        with self._open(urllib.request.Request(self._url + path, json.dumps(body).encode(), headers)) as answer:
            return json.load(answer)

    @staticmethod
    def _open(request: Any) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return opener.open(request, timeout=PATIENCE_S)
