"""The processes that the judges start: the sandbox and the daemon. Standard library only."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request

PATIENCE_S = 30


def until(what, condition, patience=PATIENCE_S):
    """Waits for a condition and gives what it gave."""
    deadline = time.monotonic() + patience
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise SystemExit(f"    {what}: not within {patience} s")
        time.sleep(0.02)
    return found


def http(url, method, path, key=None, body=None):
    """One request without any SDK."""
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
    data = None if body is None else json.dumps(body).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url + path, data, headers, method=method), timeout=PATIENCE_S) as answer:
        return json.loads(answer.read() or b"null")


class Daemon:
    """agentchatd on temporary paths; `kill` is the hard way, `stop` the gentle one. Without a key it waits for one."""

    def __init__(self, binary, folder, url, key=None, settings=None):
        self.socket, self.log = folder / "daemon.sock", folder / "daemon.log"
        self.command = [str(binary), "--socket", str(self.socket), "--state-dir", str(folder / "state")]
        if key is not None:
            key_file = folder / "key"
            key_file.touch(mode=0o600)
            key_file.write_text(key)
            self.command += ["--api-key-file", str(key_file)]
        self.serves = "ready" if key is not None else "disconnected"
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("AGENTCHAT")}
        self.environment |= {"AGENTCHAT_BASE_URL": url} | (settings or {})
        self.process = None

    def start(self):
        with self.log.open("a") as log:
            self.process = subprocess.Popen(self.command, env=self.environment, stderr=log, stdout=log)
        self.until_state(self.serves)

    def until_state(self, state):
        until(f"the daemon is {state}", lambda: self.state() == state)

    def state(self):
        if self.process.poll() is not None:
            raise SystemExit(f"    the daemon ended with {self.process.returncode}:\n{self.log.read_text()[-4000:]}")
        status = self.call("daemon.status")
        return status and status["connection"]["state"]

    def call(self, method, **params):
        """The result of one call, or None where the daemon does not serve."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(PATIENCE_S)
                connection.connect(str(self.socket))
                connection.sendall(json.dumps(request).encode() + b"\n")
                answer = json.loads(connection.makefile().readline() or "null")
        except (OSError, ValueError):
            return None
        if answer is not None and "error" in answer:
            raise SystemExit(f"    {method}: {answer['error']}")
        return answer and answer["result"]

    def end(self, how):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(PATIENCE_S)

    def kill(self):
        self.end(signal.SIGKILL)

    def stop(self):
        self.end(signal.SIGTERM)
        if self.process.returncode != 0:
            raise SystemExit(f"    the daemon stopped with {self.process.returncode}")


class Sandbox:
    """agentchat-sandbox in a process of its own."""

    def __init__(self, binary, form):
        flag = {"production": "production", "documented103": "1.0.3"}[form]
        self.command = [str(binary), "--form", flag]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        self.url = json.loads(self.process.stdout.readline())["base_url"]
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def agent(self, handle):
        """Makes an agent; its key."""
        return http(self.url, "POST", "/_sandbox/agents", body={"handle": handle})["key"]
