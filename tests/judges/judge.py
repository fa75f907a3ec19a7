"""Runs the judges; `run` looks for the tools and starts it. Standard library only."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import calls
import examples
import rights
from processes import Sandbox, http

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PYTHON_RELEASES = {"1.0.3": "documented103", "1.1.1": "production"}
NODE_PACKAGES = ["agentchatme", "ws"]


@contextmanager
def step(name):
    """Prints what is done and how long it took."""
    print(f"  {name} ...", flush=True)
    begun = time.monotonic()
    yield
    print(f"  {name}: {time.monotonic() - begun:.1f} s", flush=True)


def run(*command, **options):
    """Runs a command; its output is shown only where it fails."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def target_folder():
    """Cargo's target folder, wherever it was put."""
    metadata = run("cargo", "metadata", "--no-deps", "--format-version", "1", cwd=ROOT)
    return Path(json.loads(metadata)["target_directory"])


def build(package, binary, folder):
    with step(f"cargo build of {binary}"):
        run("cargo", "build", "-p", package, "--bin", binary, cwd=ROOT)
    return folder / "debug" / binary


def python_sdk(version, venvs):
    """The Python of a virtual environment that holds one release of the SDK."""
    home = venvs / f"python-sdk-{version}"
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        with step(f"pip install agentchatme=={version}"):
            run(sys.executable, "-m", "venv", home)
            run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"agentchatme=={version}")
            (home / "complete").touch()
    return python


def node_sdk(homes):
    """A folder in which the newest TypeScript SDK is installed."""
    home = homes / "node-sdk"
    if not (home / "complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        (home / "package.json").write_text('{"name": "judge", "private": true}')
        with step(f"npm install {' '.join(NODE_PACKAGES)}"):
            run("npm", "install", "--no-audit", "--no-fund", "--loglevel=error", *NODE_PACKAGES, cwd=home)
            (home / "complete").touch()
    version = json.loads((home / "node_modules/agentchatme/package.json").read_text())["version"]
    return home, version


def judged_by(name, command, sandbox_binary, form, **more):
    with step(name), Sandbox(sandbox_binary, form=form) as sandbox:
        environment = os.environ | more | {
            "SANDBOX_URL": sandbox.url, "SYNC_FORM": form, "JUDGED_KEY": sandbox.agent("judged"),
            "PEER_KEY": sandbox.agent("peer"), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
        }
        done = subprocess.run([str(part) for part in command], env=environment, timeout=120)
        if done.returncode != 0:
            raise SystemExit(f"{name}: the judge ended with {done.returncode}")


def sdks(folder):
    binary = build("agentchatd-tests", "agentchat-sandbox", folder)
    homes = folder / "judges"
    for version, form in PYTHON_RELEASES.items():
        python = python_sdk(version, homes)
        judged_by(f"Python SDK {version}", [python, HERE / "sdk_python.py"], binary, form, SDK_RELEASE=version)
    home, version = node_sdk(homes)
    listed = homes / "calls.json"
    listed.write_text(calls.exported())
    judged_by(f"TypeScript SDK {version}", ["node", HERE / "sdk_node.mjs"], binary, "production", NODE_HOME=str(home),
              CALLS=str(listed))


def compare(folder):
    sandbox = build("agentchatd-tests", "agentchat-sandbox", folder)
    daemon = build("agentchatd", "agentchatd", folder)
    for version, form in PYTHON_RELEASES.items():
        python = python_sdk(version, folder / "judges")
        with step(f"daemon against Python SDK {version}"):
            environment = os.environ | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
            told = run(python, HERE / "compare.py", sandbox, daemon, version, form, env=environment, timeout=120)
            print(told, end="", flush=True)


def scripts(folder):
    sandbox = build("agentchatd-tests", "agentchat-sandbox", folder)
    daemon = build("agentchatd", "agentchatd", folder)
    for name, command in examples.COMMANDS.items():
        with step(f"example {name}"):
            examples.judge([str(part) for part in command(ROOT)], sandbox, daemon)


def other_users(folder):
    sandbox = build("agentchatd-tests", "agentchat-sandbox", folder)
    daemon = build("agentchatd", "agentchatd", folder)
    with step("callers of other users"):
        rights.judge(sandbox, daemon)


def main():
    parts = {"sdks": sdks, "compare": compare, "examples": scripts, "rights": other_users}
    folder = target_folder()
    begun = time.monotonic()
    for part in sys.argv[1:] or parts:
        since = time.monotonic()
        print(part, flush=True)
        parts[part](folder)
        print(f"{part}: {time.monotonic() - since:.1f} s", flush=True)
    print(f"judges: every one is content, {time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
    main()
