"""A home in which nothing is installed, with the tree as the folder to stand in, and how commands are run there."""

import os
import re
import select
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import programs
from processes import until

PATIENCE_S = 120
SITUATIONS = Path(__file__).with_name("situations.sh").read_text()

# `install` reads the manifest and installs what cargo has built already. The benchmarks are the debug build and
# small, and but for `--quick` one part alone: that they run is what is looked at. The rest is cargo itself.
CARGO = '''#!/usr/bin/env python3
import os, pathlib, shutil, sys, tomllib
if sys.argv[1] != "install":
    root = pathlib.Path(os.environ["ROOT"])
    aliases = tomllib.loads((root / ".cargo/config.toml").read_text())["alias"]
    name, *more = sys.argv[1:]
    command, *words = [*aliases.get(name, name).split(), *more]
    if name == "bench-all":
        words.remove("--release")
        words.append("--no-sdk")
        if "--quick" not in words:
            words += ["--quick"] if "--only" in words else ["--quick", "--only", "push"]
    os.execv(os.environ["REAL_CARGO"], ["cargo", command, "--manifest-path", str(root / "Cargo.toml"), *words])
command, locked, flag, folder, *more = sys.argv[1:]
if (command, locked, flag) != ("install", "--locked", "--path"):
    sys.exit(f"no stand-in for {sys.argv[1:]}")
manifest = tomllib.loads(pathlib.Path(folder, "Cargo.toml").read_text())
wanted = set(more[1].split(",")) if more[:1] == ["--features"] else set()
if wanted - set(manifest.get("features", {})):
    sys.exit(f"{folder} has no features {wanted}")
home = pathlib.Path(os.environ["HOME"], ".cargo/bin")
home.mkdir(parents=True, exist_ok=True)
installed = [b["name"] for b in manifest["bin"] if set(b.get("required-features", [])) <= wanted]
for name in installed or sys.exit(f"{folder} installs nothing with {wanted}"):
    (home / name).unlink(missing_ok=True)
    shutil.copy(pathlib.Path(os.environ["BUILT"], name), home / name)
'''

# Runs what the unit says.
SYSTEMCTL = '''#!/usr/bin/env python3
import os, pathlib, re, socket, subprocess, sys, time
words = sys.argv[1:]
if words == ["--user", "daemon-reload"]:
    sys.exit(0)
if words not in (["--user", "enable", "--now", "agentchatd"], ["--user", "start", "agentchatd"]):
    sys.exit(f"no stand-in for {words}")
home = pathlib.Path(os.environ["HOME"])
unit = (home / ".config/systemd/user/agentchatd.service").read_text()
command = re.search(r"^ExecStart=(.*)$", unit, re.M)[1].replace("%h", str(home)).split()
path = os.environ["AGENTCHATD_SOCKET"]
def serves():
    try:
        socket.socket(socket.AF_UNIX).connect(path)
        return True
    except OSError:
        return False
if not serves():
    with open(home / "daemon.log", "a") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    (home / "daemon.pid").write_text(str(process.pid))
    deadline = time.monotonic() + 30
    while not serves():
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit((home / "daemon.log").read_text())
        time.sleep(0.02)
'''

# What somebody at a terminal answers, by the end of the question.
ANSWERS = {
    "[new/recover]: ": "", "E-mail address: ": "you@example.org", "Handle: ": "your-agent",
    "Display name, if it has one: ": "", "several agents: ": "", "Code from the mail: ": "123456", "[y/N] ": "y",
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


class Terminal:
    """A pseudo-terminal at which somebody answers."""

    def __init__(self):
        self.master, self.slave = os.openpty()

    def attach(self, process, output):
        os.close(self.slave)
        screen, deadline, answered = "", time.monotonic() + PATIENCE_S, 0
        while time.monotonic() < deadline:
            if not select.select([self.master], [], [], 0.05)[0]:
                continue
            try:
                piece = os.read(self.master, 65536)
            except OSError:
                break
            if not piece:
                break
            screen += piece.decode(errors="replace")
            output.write_text(screen)
            for question, answer in ANSWERS.items():
                if screen[answered:].endswith(question):
                    answered = len(screen)
                    os.write(self.master, f"{answer}\n".encode())
        os.close(self.master)


def shell(commands):
    return ["bash", "-euo", "pipefail", "-c", commands]


class Home:
    def __init__(self, folder, url=None):
        self.folder, self.tree = folder, folder / "agentchatd"
        self.replaced = {"8765": free_port(), "7777": free_port(), "/tmp/hub": str(folder / "hub")}
        self.staying = []
        stand_ins, built = folder / "stand-ins", folder / "built"
        for new in (stand_ins, built, self.tree):
            new.mkdir()
        for entry in ("daemon", "systemd", "config", "docs"):
            (self.tree / entry).symlink_to(programs.ROOT / entry)
        # Something is built in here.
        for entry in ("client-lib/python", "client-lib/node"):
            ignored = shutil.ignore_patterns("node_modules", "build", "*.egg-info", "__pycache__")
            shutil.copytree(programs.ROOT / entry, self.tree / entry, ignore=ignored)
        (self.tree / "client-lib/Cargo.toml").symlink_to(programs.ROOT / "client-lib/Cargo.toml")
        for name in ("agentchatd", "agentchatctl"):
            (built / name).symlink_to(programs.program(name).resolve())
        opened = "#!/bin/sh\necho opened >> \"$HOME/browser\"\n"
        for name, text in (("cargo", CARGO), ("systemctl", SYSTEMCTL), ("xdg-open", opened)):
            (stand_ins / name).write_text(text)
            (stand_ins / name).chmod(0o755)
        real = Path.home()
        ours = ("AGENTCHAT", "XDG_")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)} | {
            "HOME": str(folder), "BUILT": str(built), "ROOT": str(programs.ROOT),
            "AGENTCHAT_BASE_URL": url or f"http://127.0.0.1:{self.replaced['8765']}",
            "PATH": f"{stand_ins}:{folder / '.cargo/bin'}:{folder / 'venv/bin'}:{os.environ['PATH']}",
            "AGENTCHATD_SOCKET": str(folder / ("s.sock" if url else "hub/s.sock")),
            "AGENTCHATD_STATE_DIR": str(folder / "state"), "TERM": "xterm",
            # Of the real home: the toolchain, and where packages come from.
            "REAL_CARGO": shutil.which("cargo"), "CARGO_HOME": os.environ.get("CARGO_HOME", str(real / ".cargo")),
            "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(real / ".rustup")),
            "npm_config_userconfig": os.environ.get("npm_config_userconfig", str(real / ".npmrc")),
            "PIP_CONFIG_FILE": os.environ.get("PIP_CONFIG_FILE", str(real / ".config/pip/pip.conf")),
        }
        self.environment["SOCK"] = self.environment["AGENTCHATD_SOCKET"]

    def stands(self, text):
        """The text with what its names mean here."""
        meant = dict(self.replaced)
        names = self.folder / "stands-for"
        if names.exists():
            meant |= dict(line.split(" ", 1) for line in names.read_text().splitlines())
        for name, value in meant.items():
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", value, text)
        return text

    def start(self, command, output, terminal=None, given=None):
        stdin = terminal.slave if terminal else subprocess.PIPE if given else subprocess.DEVNULL
        if terminal:
            # A session of its own, with this terminal.
            process = subprocess.Popen(["setsid", "--ctty", "--wait", *command], cwd=self.tree, env=self.environment,
                                       stdin=stdin, stdout=stdin, stderr=stdin)
        else:
            with output.open("w") as file:
                process = subprocess.Popen(command, cwd=self.tree, env=self.environment, stdin=stdin, stdout=file,
                                           stderr=file, start_new_session=True)
        if given:
            with process.stdin as stdin:
                stdin.write(f"{given}\n".encode())
        return process

    def succeeds(self, commands):
        """Whether they do, with the functions of situations.sh."""
        return subprocess.run(shell(f"{SITUATIONS}\n{commands}"), cwd=self.tree, env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True).returncode == 0

    def prepare(self, commands, where):
        """What comes before, with the same functions."""
        self.run(shell(f"{SITUATIONS}\n{commands}"), commands, f"what comes before {where}", {})

    def run(self, command, text, where, how):
        """Runs to the end, which has to be a good one."""
        output = self.folder / "output"
        output.write_text("")
        terminal = Terminal() if "terminal" in how else None
        process = self.start(command, output, terminal, how.get("given"))
        endless = "ends by Ctrl-C" in how or "killed" in how or "Ctrl-C" in text
        # Where the output goes to a file it is looked for there.
        written = [output, *(self.tree / name for name in re.findall(r">> ?([\w.-]+)", text))][-1]
        sizes = set()

        def printed():
            if process.poll() is not None:
                return True
            if "meanwhile" in how and not self.succeeds(how["meanwhile"]):
                raise SystemExit(f"{where}: {how['meanwhile']} fails")
            if written.exists() and written.stat().st_size:
                sizes.add(written.stat().st_size)
            # What is killed has to come to a second time, past all that it does after the first.
            return len(sizes) >= (2 if "killed" in how else 1)

        try:
            if terminal:
                terminal.attach(process, output)
            elif "meanwhile" in how or endless:
                until(f"{where} prints something", printed, PATIENCE_S)
                if process.poll() is None and endless:
                    os.killpg(process.pid, signal.SIGKILL if "killed" in how else signal.SIGINT)
            status = process.wait(PATIENCE_S)
            if "killed" in how and status == -signal.SIGKILL:
                status = 0
        except subprocess.TimeoutExpired as error:
            status = error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        said = output.read_text(errors="replace")
        # An answer of the local API that is an error is printed by a status of 0.
        if status != 0 or '"error":{' in said:
            raise SystemExit(f"{where} ended with {status}:\n{text}\n{said[-4000:]}")

    def stay(self, command, text, where, there):
        output = self.folder / f"staying-{len(self.staying)}"
        process = self.start(command, output)
        self.staying.append(process)
        with (self.folder / "staying").open("a") as file:
            file.write(f"{process.pid}\n")

        def is_there():
            if process.poll() is not None:
                raise SystemExit(f"{where} ended with {process.returncode}:\n{text}\n{output.read_text()[-4000:]}")
            return self.succeeds(self.stands(there))

        until(f"{where} is there", is_there, PATIENCE_S)

    def block(self, block):
        for number, text in block.commands():
            where = f"{block.page}:{number}"
            if "first" in block.how:
                self.prepare(block.how["first"], where)
            text = self.stands(text)
            command = self.command(block, text, number)
            if "stays" in block.how:
                self.stay(command, text, where, block.how["stays"])
            else:
                self.run(command, text, where, block.how)

    def command(self, block, text, number):
        if block.language == "sh":
            return shell(text)
        program, ending = {"python": ("python3", "py"), "js": ("node", "mjs" if "within" in block.how else "cjs")}[block.language]
        if "within" in block.how:
            before, after = block.how["within"].replace("\\n", "\n").split("...")
            indent = re.search(r"[ ]*$", before)[0]
            text = before.removesuffix(indent) + re.sub(r"^(?=.)", indent, text, flags=re.M) + after
        file = self.tree / f"block-{number}.{ending}"
        file.write_text(text)
        return [program, str(file)]

    def close(self):
        for process in self.staying:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(PATIENCE_S)
        pid = self.folder / "daemon.pid"
        if pid.exists():
            os.kill(int(pid.read_text()), signal.SIGTERM)
            # It is nobody's child here; it is gone when its socket is.
            until("the daemon stops", lambda: not Path(self.environment["AGENTCHATD_SOCKET"]).exists())
