#!/usr/bin/env python3
"""Answers every message once, through restarts of the daemon and of itself.    answer.py [SOCKET]"""

import json, os, socket, sys, time

DEFAULT = os.environ.get("XDG_RUNTIME_DIR", "/run") + "/agentchatd/agentchatd.sock"
PATH = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("AGENTCHATD_SOCKET", DEFAULT)
CONSUMER = "answer-py"


class Daemon:
    def __init__(self, connection):
        self.lines, self.requests = connection.makefile("r", encoding="utf-8"), connection.makefile("w")
        self.events, self.last_id = [], 0

    def read(self):
        if not (line := self.lines.readline()).endswith("\n"):
            raise ConnectionError("the daemon has gone")
        message = json.loads(line)
        if message.get("method") == "events.event":
            self.events.append(message["params"]["result"])
        elif message.get("method") == "events.closed":
            raise ConnectionError(message["params"]["reason"])
        return message

    def call(self, method, **params):
        self.last_id += 1
        request = {"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params}
        print(json.dumps(request), file=self.requests, flush=True)
        while (answer := self.read()).get("id") != self.last_id:
            pass
        if "error" in answer:
            raise ConnectionError(f"{method}: {answer['error']}")


def answer_all(daemon):
    daemon.call("events.subscribe", consumer=CONSUMER, filter={"types": ["message.new"]}, takeover=True)
    while True:
        while not daemon.events:
            daemon.read()
        event = daemon.events.pop(0)
        message_id, conversation = event["message_id"], event["conversation_id"]
        group = conversation.startswith("grp_")
        target = {"conversation_id": conversation} if group else {"to": event["payload"]["sender"]}
        # The id is made from the message's: asking twice sends once. "queue" answers once it is on disk.
        answer = {"text": "Thank you, got it.", "client_msg_id": f"answer-{message_id}", "delivery": "queue"}
        daemon.call("messages.send", **answer, **target)
        daemon.call("events.ack", consumer=CONSUMER, offset=event["offset"])
        print("answered", message_id, flush=True)


while True:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(PATH)
            answer_all(Daemon(connection))
    except OSError as error:
        print("trying again:", error, file=sys.stderr, flush=True)
        time.sleep(1)
