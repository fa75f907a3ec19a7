#!/usr/bin/env python3
"""Runs every command that the README and the book show, in their order, against the sandbox.

    tests/guide/commands.py [PAGE...]

A block marked `sh` is run as it stands, in a home of its own, and must succeed; so are the programs of the README. Comments
before a block say what it needs (pages.py). `cargo install`, `systemctl --user` and a browser are stand-ins (home.py).
Commands within sentences are held against `--help`.

Needs curl, jq, man and OpenBSD's nc, pip and npm with their registries, and cargo. Standard library only.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "judges"))
import programs
from home import Home
from pages import blocks, stands_elsewhere
from processes import Sandbox

# What is read in one sitting, each in a home of its own. The README begins with a sandbox by itself.
SITTINGS = [["docs/getting-started.md", "docs/faq.md"],
            ["docs/agentchatctl.md", "docs/metrics.md", "docs/openrpc.md", "docs/clients.md", "docs/benchmarks.md"], ["README.md"]]
# Pages that another test runs as a whole.
ELSEWHERE = {"docs/http.md": "tests/http/document.rs", "docs/operations.md": ".ci/trial.py"}
MENTIONS = ["README.md", "SECURITY.md", *sorted(str(page.relative_to(programs.ROOT)) for page in programs.ROOT.glob("docs/*.md"))]
AGENTS = ["me", "alice", "bob", "carol", "mallory"]


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


def nothing_is_left_out():
    """A page with commands is run here or by the test that is named."""
    for page in MENTIONS:
        if page in ELSEWHERE:
            assert page in (programs.ROOT / ELSEWHERE[page]).read_text(), f"{ELSEWHERE[page]} does not read {page}"
        elif list(blocks(page)) and not any(page in pages for pages in SITTINGS):
            raise SystemExit(f"{page} shows commands and is not run")


def sitting(pages, url):
    with tempfile.TemporaryDirectory(prefix="guide-") as name:
        Path(name).chmod(0o700)
        home = Home(Path(name), url)
        try:
            for page in pages:
                count, elsewhere = 0, 0
                for block in blocks(page):
                    lines = sum(1 for line in block.text.splitlines() if line.strip())
                    if "by" in block.how:
                        stands_elsewhere(block)
                        elsewhere += lines
                    else:
                        home.block(block)
                        count += lines
                print(f"    {page}: {count} lines work, {elsewhere} stand where they are run", flush=True)
        finally:
            home.close()


def main():
    begun = time.monotonic()
    nothing_is_left_out()
    mentions(programs.program("agentchatctl"))
    chosen = sys.argv[1:]
    for pages in SITTINGS:
        if chosen and not any(page in pages for page in chosen):
            continue
        if pages == ["README.md"]:
            sitting(pages, None)
            continue
        sandbox = Sandbox(programs.program("agentchat-sandbox"), form="production")
        sandbox.command += ["--echo", "--unlimited", *(f"--agent={handle}" for handle in AGENTS)]
        with sandbox:
            sitting(pages, sandbox.url)
    print(f"guide: all that is shown works, {time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
    main()
