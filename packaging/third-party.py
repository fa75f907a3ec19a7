#!/usr/bin/env python3
"""The licences of the libraries that are in the two programs, each text once; to standard output."""

import json
import subprocess
import sys
from pathlib import Path

COMMAND = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform"]
ROOTS = {"agentchatd", "agentchatd-client"}


def linked(metadata):
    """The packages that the programs are linked with, other than their own."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    packages = {package["id"]: package for package in metadata["packages"]}
    ahead = [id for id, package in packages.items() if package["name"] in ROOTS]
    seen = set(ahead)
    while ahead:
        for dependency in nodes[ahead.pop()]["deps"]:
            normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            if normal and dependency["pkg"] not in seen:
                seen.add(dependency["pkg"])
                ahead.append(dependency["pkg"])
    return [packages[id] for id in seen if packages[id]["source"]]


def texts(folder):
    names = ("license", "licence", "copying", "notice", "copyright")
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name.lower().startswith(names))
    return [path.read_text(errors="replace").strip() for path in files]


def main():
    host = subprocess.run(["rustc", "--print", "host-tuple"], capture_output=True, text=True, check=True).stdout.strip()
    output = subprocess.run([*COMMAND, host, "--features", "agentchatd-client/cli"], capture_output=True, check=True)
    packages = sorted(linked(json.loads(output.stdout)), key=lambda package: (package["name"], package["version"]))
    users = {}
    print("Libraries in agentchatd and agentchatctl\n")
    for package in packages:
        name = f"{package['name']} {package['version']}"
        print(f"{name}: {package['license'] or 'see below'}")
        for text in texts(Path(package["manifest_path"]).parent):
            users.setdefault(text, []).append(name)
    for text, names in users.items():
        print(f"\n{'=' * 80}\n{', '.join(names)}\n{'-' * 80}\n{text}")
    if not packages:
        sys.exit("no libraries were found")


main()
