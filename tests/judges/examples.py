"""Judge: an example against the daemon, by hand in docs/examples and with the clients in client-lib. It answers each
message once, whatever is killed meanwhile."""

import os
import signal
import subprocess
import tempfile
from pathlib import Path

from processes import Daemon, Sandbox, http, until

COMMANDS = {
    "answer.py": lambda root: ["python3", root / "docs/examples/answer.py"],
    "answer.mjs": lambda root: ["node", root / "docs/examples/answer.mjs"],
    "answer.sh": lambda root: ["bash", root / "docs/examples/answer.sh"],
    "answer_once.py": lambda root: ["env", f"PYTHONPATH={root / 'client-lib/python/src'}", "python3",
                                    root / "client-lib/python/examples/answer_once.py"],
    "answer_once.mjs": lambda root: ["node", root / "client-lib/node/examples/answer_once.mjs"],
}
CONSUMERS = {"answer.py": "answer-py", "answer.mjs": "answer-node", "answer.sh": "answer-sh",
             "answer_once.py": "answer-once-py", "answer_once.mjs": "answer-once-node"}


class Example:
    """The example's process, with all that it starts."""

    def __init__(self, command, log):
        self.command, self.log, self.process = command, log, None

    def start(self):
        with self.log.open("a") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, start_new_session=True)

    def kill(self):
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


class Peer:
    """The other agent, which writes and reads over plain HTTP."""

    def __init__(self, url, key):
        self.url, self.key, self.sent = url, key, []

    def writes(self, text):
        body = {"to": "judged", "client_msg_id": f"peer-{text}", "content": {"text": text}}
        message = http(self.url, "POST", "/v1/messages", self.key, body)
        self.conversation = message["conversation_id"]
        self.sent.append(message["id"])

    def answers(self):
        path = f"/v1/messages/{self.conversation}?after_seq=0&limit=200"
        rows = http(self.url, "GET", path, self.key)
        return [row["client_msg_id"] for row in rows if row["sender"] == "judged"]

    def waits_for_answers(self, what):
        wanted = [f"answer-{message_id}" for message_id in self.sent]
        until(f"{what}: {len(wanted)} answers", lambda: set(self.answers()) >= set(wanted))
        if self.answers() != wanted:
            raise SystemExit(f"    {what}: answers {self.answers()}, not {wanted}")
        print(f"    {what}", flush=True)


def judge(command, sandbox_binary, daemon_binary):
    consumer = CONSUMERS[Path(command[-1]).name]
    with tempfile.TemporaryDirectory(prefix="judge-") as name, Sandbox(sandbox_binary, form="production") as sandbox:
        folder = Path(name)
        daemon = Daemon(daemon_binary, folder, sandbox.url, sandbox.agent("judged"))
        peer = Peer(sandbox.url, sandbox.agent("peer"))
        example = Example([*command, str(daemon.socket)], folder / "example.log")
        try:
            play(daemon, example, peer, consumer)
        except SystemExit:
            print(f"    the example said:\n{example.log.read_text()[-2000:]}")
            print(f"    the daemon said:\n{daemon.log.read_text()[-4000:]}")
            raise
        finally:
            example.kill()
            daemon.kill()


def play(daemon, example, peer, consumer):
    daemon.start()
    example.start()
    until("the consumer is there", lambda: consumer in str(daemon.call("consumers.list")))
    peer.writes('one: "quoted"\\ \u2028 line\r\n\U0001f600')
    peer.waits_for_answers("answers a message")
    daemon.kill()
    peer.writes("two, while the daemon is dead")
    daemon.start()
    peer.writes("three")
    peer.waits_for_answers("survives SIGKILL of the daemon")
    daemon.stop()
    peer.writes("four, while the daemon is stopped")
    daemon.start()
    peer.waits_for_answers("survives a restart of the daemon")
    example.kill()
    peer.writes("five, while the example is dead")
    example.start()
    peer.waits_for_answers("goes on where it was killed")
