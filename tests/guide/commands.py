#!/usr/bin/env python3
"""Runs every command that the pages for beginners show, in their order, against the sandbox.

    tests/guide/commands.py

A block marked `sh` is run as it stands, in a home of its own, and must succeed. A comment `<!-- first: ... -->` before it
holds what makes the situation that the page speaks of. Where a block says Ctrl-C, it gets one once it has printed
something. `cargo install` and `systemctl --user` are stand-ins: the first reads the manifest and installs what cargo has
built already, the second runs what the unit says. Commands within sentences are held against `--help`.

Needs jq and what builds the programs, or $AGENTCHATD_PROGRAMS. Standard library only.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "judges"))
import programs
from processes import Sandbox, until

PAGES = ["docs/getting-started.md", "docs/faq.md"]
MENTIONS = ["README.md", "SECURITY.md", *sorted(str(page.relative_to(programs.ROOT)) for page in programs.ROOT.glob("docs/*.md"))]
PATIENCE_S = 60

CARGO = '''#!/usr/bin/env python3
import os, pathlib, shutil, sys, tomllib
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
    shutil.copy(pathlib.Path(os.environ["BUILT"], name), home / name)
'''

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


def blocks(page):
    """What is to be run: the preparation, the commands, and the line that they stand in."""
    text = (programs.ROOT / page).read_text()
    for found in re.finditer(r"(?:^<!-- first: ([^\n]*) -->\n)?^```(\w*)\n(.*?)^```$", text, re.M | re.S):
        line = text.count("\n", 0, found.start(3))
        if found[2] != "sh":
            raise SystemExit(f"{page}:{line}: a block that is no `sh` is not run")
        yield found[1], found[3], line


class Home:
    """A home in which nothing is installed, with the tree as the folder to stand in."""

    def __init__(self, folder, url):
        self.folder, self.tree = folder, folder / "agentchatd"
        stand_ins = folder / "stand-ins"
        stand_ins.mkdir()
        self.tree.mkdir()
        for entry in ("daemon", "client-lib", "systemd", "config", "docs"):
            (self.tree / entry).symlink_to(programs.ROOT / entry)
        built = folder / "built"
        built.mkdir()
        for name in ("agentchatd", "agentchatctl"):
            (built / name).symlink_to(programs.program(name).resolve())
        for name, text in (("cargo", CARGO), ("systemctl", SYSTEMCTL)):
            (stand_ins / name).write_text(text)
            (stand_ins / name).chmod(0o755)
        ours = ("AGENTCHAT", "XDG_", "CARGO")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)} | {
            "HOME": str(folder), "BUILT": str(built), "AGENTCHAT_BASE_URL": url,
            "PATH": f"{stand_ins}:{folder / '.cargo/bin'}:{os.environ['PATH']}",
            "AGENTCHATD_SOCKET": str(folder / "s.sock"), "AGENTCHATD_STATE_DIR": str(folder / "state"),
        }

    def run(self, commands, where):
        output = self.folder / "output"
        with output.open("w") as file:
            process = subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", commands], cwd=self.tree, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
            )
        try:
            if "Ctrl-C" in commands:
                until(f"{where} prints something", lambda: output.stat().st_size or process.poll() is not None)
                os.killpg(process.pid, signal.SIGINT)
            status = process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            status = f"nothing within {PATIENCE_S} s"
        if status != 0:
            raise SystemExit(f"{where} ended with {status}:\n{commands}\n{output.read_text()[-4000:]}")

    def close(self):
        pid = self.folder / "daemon.pid"
        if pid.exists():
            os.kill(int(pid.read_text()), signal.SIGTERM)
            # It is nobody's child here; it is gone when its socket is.
            until("the daemon stops", lambda: not Path(self.environment["AGENTCHATD_SOCKET"]).exists())


def mentions(ctl):
    """Commands within sentences are there, with the flags that they are said to have."""
    helps, count = {}, 0

    def help_of(words):
        if words not in helps:
            done = subprocess.run([ctl, *words, "--help"], capture_output=True, text=True)
            helps[words] = done.stdout if done.returncode == 0 else None
        return helps[words]

    for page in MENTIONS:
        text = re.sub(r"^```.*?^```$", "", (programs.ROOT / page).read_text(), flags=re.M | re.S)
        for code in re.findall(r"`agentchatctl ([^`…]+)`", text):
            words = ()
            for word in code.split():
                if not re.fullmatch(r"[a-z][a-z-]*", word) or not re.search(rf"^  {word}\b", help_of(words) or "", re.M):
                    break
                words += (word,)
            known = help_of(words)
            flags = re.findall(r"(?<!\S)--?[a-z][a-z-]*", code)
            missing = [flag for flag in flags if not re.search(rf"(?<![\w-]){flag}(?![\w-])", known or "")]
            if known is None or missing or not (words or flags):
                raise SystemExit(f"{page}: `agentchatctl {code}`: there is no such command or flag {missing}")
            count += 1
    print(f"    {count} commands in sentences are there", flush=True)


def main():
    begun = time.monotonic()
    mentions(programs.program("agentchatctl"))
    sandbox = Sandbox(programs.program("agentchat-sandbox"), form="production")
    sandbox.command += ["--echo", "--unlimited"]
    with tempfile.TemporaryDirectory(prefix="guide-") as name, sandbox:
        Path(name).chmod(0o700)
        home = Home(Path(name), sandbox.url)
        try:
            for page in PAGES:
                count = 0
                for first, commands, line in blocks(page):
                    if first:
                        home.run(first, f"what comes before {page}:{line}")
                    home.run(commands, f"{page}:{line}")
                    count += sum(1 for command in commands.splitlines() if command.strip())
                print(f"    {page}: {count} commands work", flush=True)
        finally:
            home.close()
    print(f"guide: all that is shown works, {time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
    main()
