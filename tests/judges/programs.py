"""The programs of this project for tests in Python: built by cargo, or taken from folders of $AGENTCHATD_PROGRAMS."""

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "agentchatd": ["agentchatd"],
    "agentchatctl": ["agentchatd-client", "--features", "cli"],
    "agentchat-sandbox": ["agentchatd-tests"],
}


def target():
    """Cargo's target folder, wherever it was put."""
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    metadata = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    return Path(json.loads(metadata)["target_directory"])


def program(name):
    """The path of a program that is there and newly built."""
    for folder in filter(None, os.environ.get("AGENTCHATD_PROGRAMS", "").split(":")):
        if (Path(folder) / name).exists():
            return Path(folder) / name
    subprocess.run(["cargo", "build", "--quiet", "--bin", name, "-p", *PACKAGES[name]], cwd=ROOT, check=True)
    return target() / "debug" / name
