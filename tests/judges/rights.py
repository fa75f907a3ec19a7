"""Judge: who may do what, by processes of other users. Needs root, which alone can become them.

The daemon runs as an ordinary user. Each caller is a process of its own that has changed its ids for good.
"""

import json
import os
import socket
import stat
import subprocess
import tempfile
import threading
from pathlib import Path

from processes import PATIENCE_S, Daemon, Sandbox, until

# Ids that no account has; the names of groups are those that every Debian has.
OWN, MEMBER, STRANGER, READER, SENDER, ADMIN = range(61001, 61007)
SENDERS_GROUP = 61100
SOCKET_GROUP, SOCKET_GID = "games", 60
SECRET_TEXT = "a text that no log may hold"

def call(path, requests):
    """The answers to requests, one after the other, or that nobody could be reached."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE_S)
        try:
            connection.connect(path)
        except PermissionError:
            return "kept out"
        lines = connection.makefile()
        answers = []
        for number, (method, params) in enumerate(requests):
            request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            connection.sendall(json.dumps(request).encode() + b"\n")
            answers.append(json.loads(lines.readline()))
        return answers


def ask(daemon, uid, *requests, groups=()):
    """The answers that a process of this user gets, or that it was kept out."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        # Whatever happens, this process must not go on as the judge.
        try:
            os.setgroups(groups)
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            told = json.dumps(call(str(daemon.socket), requests))
        except BaseException as error:
            told = json.dumps({"failed": repr(error)})
        os.write(writing, told.encode())
        os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        told = json.loads(pipe.read())
    os.waitpid(child, 0)
    if "failed" in told:
        raise SystemExit(f"    the caller of uid {uid}: {told['failed']}")
    return told


READ = ("daemon.status", {})
SEND = ("messages.send", {"to": "peer", "text": SECRET_TEXT, "delivery": "queue"})
ADMINISTER = ("daemon.set_log_level", {"level": "debug"})


def outcome(answer):
    return answer["error"]["code"] if "error" in answer else "ok"


def expect(what, got, wanted):
    if got != wanted:
        raise SystemExit(f"    {what}: {got}, not {wanted}")


def scope(daemon, what, uid, wanted, groups=()):
    """What a caller reaches: `admin`, `send`, `read`, `nothing` or `kept out`."""
    answers = ask(daemon, uid, READ, SEND, ADMINISTER, groups=groups)
    if answers != "kept out":
        answers = {
            ("ok", "ok", "ok"): "admin", ("ok", "ok", -32004): "send", ("ok", -32004, -32004): "read",
            (-32004, -32004, -32004): "nothing",
        }.get(tuple(map(outcome, answers)), answers)
    expect(what, answers, wanted)
    print(f"    {what}: {wanted}", flush=True)


class Stage:
    """A daemon of an ordinary user, with a configuration of its own."""

    def __init__(self, binary, sandbox, folder, name, config):
        self.folder = folder / name
        self.folder.mkdir(mode=0o755)
        os.chown(self.folder, OWN, OWN)
        self.config = self.folder / "agentchatd.toml"
        self.config.write_text(config)
        self.key = sandbox.agent("judged")
        self.daemon = Daemon(binary, self.folder, sandbox.url, self.key)
        for path in (self.folder / "key", self.config):
            os.chown(path, OWN, OWN)
        self.daemon.socket = self.folder / "run" / "agentchatd.sock"
        command = self.daemon.command
        command[command.index("--socket") + 1] = str(self.daemon.socket)
        command += ["--config", str(self.config)]

    def start(self):
        with self.daemon.log.open("a") as log:
            self.daemon.process = subprocess.Popen(
                self.daemon.command, env=self.daemon.environment, stderr=log, stdout=log, cwd="/", user=OWN, group=OWN,
                extra_groups=[SOCKET_GID])
        self.daemon.until_state(self.daemon.serves)
        return self.daemon

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is not None:
            print(f"    the daemon said:\n{self.daemon.log.read_text()[-4000:]}")
        self.daemon.kill()


def group_of_the_socket(make):
    stage = make("group", f'[socket]\ngroup = "{SOCKET_GROUP}"\nmode = "0660"\n')
    with stage as daemon:
        scope(daemon, "the daemon's own user", OWN, "admin")
        scope(daemon, "root", 0, "admin")
        scope(daemon, "a member of the socket's group", MEMBER, "send", groups=[SOCKET_GID])
        scope(daemon, "a user outside of the group", STRANGER, "kept out")
        file = stage.folder / "note.txt"
        file.write_text("a file that everybody may read")
        by_path = ("attachments.upload", {"path": str(file), "to": "peer"})
        own, = ask(daemon, OWN, by_path)
        expect("a path of the daemon's own user", outcome(own), "ok")
        other, = ask(daemon, MEMBER, by_path, groups=[SOCKET_GID])
        expect("a path of another user", outcome(other), -32004)
        if "data_base64" not in other["error"]["data"].get("hint", ""):
            raise SystemExit(f"    the refusal of a path does not say what helps: {other}")
        print("    paths are for the daemon's own user", flush=True)
        log = daemon.log.read_text()
        for wanted in (f"uid={MEMBER}", "method=messages.send outcome=ok", "method=daemon.set_log_level outcome=-32004", "agentchatd::audit"):
            if wanted not in log:
                raise SystemExit(f"    the audit log lacks {wanted}")
        for secret in (SECRET_TEXT, stage.key):
            if secret in log:
                raise SystemExit("    a body or the key is in the log")
        print("    the audit log tells who called what, and no body", flush=True)
        limits = Path(f"/proc/{daemon.process.pid}/limits").read_text()
        core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        expect("core dumps", core.split()[4:6], ["0", "0"])


def without_a_group(make):
    with make("private", "") as daemon:
        scope(daemon, "another user without a group for the socket", MEMBER, "kept out", groups=[SOCKET_GID])


ACCESS = """
[socket]
mode = "0666"
[access]
read = ["uid:{reader}"]
send = ["gid:{senders}"]
admin = ["uid:{admin}"]
"""


def lists(make):
    config = ACCESS.format(reader=READER, senders=SENDERS_GROUP, admin=ADMIN)
    stage = make("lists", config)
    with stage as daemon:
        daemon.socket.parent.chmod(0o755)
        scope(daemon, "a user who is listed under read", READER, "read")
        scope(daemon, "a process of a group that is listed under send", SENDERS_GROUP, "send")
        scope(daemon, "a user who is listed under admin", ADMIN, "admin")
        scope(daemon, "a user on no list", STRANGER, "nothing")
        stage.config.write_text(config.replace("read = ", "send_ = ").replace("send = ", "read = ").replace("send_", "send"))
        call, = ask(daemon, OWN, ("daemon.reload", {}))
        expect("a reload", outcome(call), "ok")
        scope(daemon, "the reader, after a reload that lets it send", READER, "send")
        scope(daemon, "the sender, after a reload that lets it read", SENDERS_GROUP, "read")


def no_window(make):
    """Looks at the socket without a pause while the daemon is started many times: it never has another mode."""
    stage = make("window", f'[socket]\ngroup = "{SOCKET_GROUP}"\nmode = "0660"\n')
    seen, over = set(), threading.Event()

    def look():
        while not over.is_set():
            try:
                found = os.lstat(stage.daemon.socket)
            except FileNotFoundError:
                continue
            seen.add((stat.S_IMODE(found.st_mode), found.st_gid))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        for _ in range(10):
            stage.start()
            stage.daemon.stop()
    finally:
        over.set()
        watcher.join()
        stage.daemon.kill()
    expect("modes and groups of the socket in ten starts", seen, {(0o660, SOCKET_GID)})
    directory = os.stat(stage.daemon.socket.parent)
    expect("the directory", (stat.S_IMODE(directory.st_mode), directory.st_gid), (0o750, SOCKET_GID))
    print("    the socket had its mode and group from the beginning, ten times", flush=True)


def key_in_the_environment(make):
    stage = make("variable", "")
    position = stage.daemon.command.index("--api-key-file")
    del stage.daemon.command[position:position + 2]
    stage.daemon.environment["AGENTCHAT_API_KEY"] = stage.key
    with stage as daemon:
        proc = Path(f"/proc/{daemon.process.pid}")
        for name in ("environ", "cmdline"):
            if stage.key.encode() in (proc / name).read_bytes():
                raise SystemExit(f"    the key stands in /proc/PID/{name}")
        expect("the program's name", (proc / "comm").read_text().strip(), "agentchatd")
        call, = ask(daemon, OWN, ("daemon.reload", {}))
        expect("a reload", outcome(call), "ok")
        daemon.until_state("ready")
        sent, = ask(daemon, OWN, ("messages.send", {"to": "peer", "text": "x"}))
        expect("a send after the reload", outcome(sent), "ok")
        print("    a key from the environment is gone from there, and known", flush=True)


def key_that_others_can_read(make):
    stage = make("open-key", "")
    key = stage.folder / "key"
    key.chmod(0o640)
    checked = subprocess.run([*stage.daemon.command, "--check-config"], env=stage.daemon.environment, cwd="/", user=OWN,
                             group=OWN, capture_output=True, text=True, timeout=60)
    expect("--check-config with such a key", checked.returncode, 78)
    stage.daemon.serves = "parked"
    with stage as daemon:
        health = until("a verdict", lambda: daemon.call("daemon.health"))
        text = json.dumps(health)
        if str(key) not in text or "0640" not in text:
            raise SystemExit(f"    health does not name the file and its mode: {text}")
        key.chmod(0o600)
        daemon.until_state("ready")
        print("    a key that others can read is refused by name and mode, until that is mended", flush=True)


def judge(sandbox_binary, daemon_binary):
    if os.geteuid() != 0:
        raise SystemExit("    only root can become other users: run it as root")
    with tempfile.TemporaryDirectory(prefix="rights-") as name, Sandbox(sandbox_binary, form="production") as sandbox:
        folder = Path(name)
        folder.chmod(0o755)
        # The programs may lie where other users cannot go.
        program = folder / "agentchatd"
        program.write_bytes(Path(daemon_binary).read_bytes())
        program.chmod(0o755)
        sandbox.agent("peer")

        def make(stage, config):
            return Stage(program, sandbox, folder, stage, config)

        for part in (group_of_the_socket, without_a_group, lists, no_window, key_in_the_environment,
                     key_that_others_can_read):
            part(make)
