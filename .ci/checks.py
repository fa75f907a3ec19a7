#!/usr/bin/env python3
"""Rules of the tree that no compiler knows: sizes, rooms, directions, words."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

LIMIT = 500
SHOWN = 10
# Who may depend on whom inside the workspace.
ALLOWED = {
    "agentchatd-client": set(),
    "agentchatd-engine": {"agentchatd-client"},
    "agentchatd": {"agentchatd-client", "agentchatd-engine", "agentchatd-tests"},
    "agentchatd-tests": {"agentchatd-client", "agentchatd-engine"},
}
ENGINE_MAY_USE = {"thiserror", "serde", "agentchatd-client"}
# Modules of the daemon that do not know each other.
STRANGERS = [
    ("upstream", "store"), ("upstream", "rpc"), ("store", "upstream"), ("store", "rpc"), ("rpc", "upstream"), ("calls", "rpc"), ("calls", "store"),
    ("calls", "driver"),
]
DELIVERY = Path("docs/delivery.md")
FAQ = Path("docs/faq.md")
CLIENTS = Path("docs/clients.md")
PITFALLS = [f"{number:02}" for number in range(1, 67)]


def tracked(*patterns):
    listing = subprocess.run(["git", "ls-files", *patterns], capture_output=True, text=True, check=True)
    return [Path(line) for line in listing.stdout.splitlines()]


def sizes(problems):
    # What a program writes is not read as a file.
    written = [path for path in tracked("*.rs", "*.py", "*.js", "*.mjs", "*.sh") if "generated" not in path.parts]
    lines = {path: path.read_text().count("\n") for path in written}
    worst = sorted(lines.items(), key=lambda item: -item[1])[:SHOWN]
    print("longest files:", ", ".join(f"{path} {count}" for path, count in worst))
    problems += [f"{path} has {count} lines, over {LIMIT}" for path, count in lines.items() if count > LIMIT]


def rooms(problems):
    for path in tracked("*/mod.rs"):
        if re.search(r"^\s*(pub(\(\w+\))? )?(async )?fn ", path.read_text(), re.M):
            problems.append(f"{path} holds a function; a mod.rs holds docs, declarations and re-exports")


def directions(problems):
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps"]
    metadata = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    for package in metadata["packages"]:
        name = package["name"]
        for dependency in package["dependencies"]:
            other = dependency["name"]
            if other in ALLOWED and other not in ALLOWED[name]:
                problems.append(f"{name} depends on {other}")
            if other == "agentchatd-tests" and dependency["kind"] != "dev":
                problems.append(f"{name} depends on {other} outside of tests")
            if name == "agentchatd-engine" and dependency["kind"] is None and other not in ENGINE_MAY_USE:
                problems.append(f"the engine depends on {other}")
    for module, stranger in STRANGERS:
        for path in tracked(f"daemon/src/{module}/*.rs", f"daemon/src/{module}/**/*.rs"):
            if re.search(rf"crate::({stranger}\b|\{{[^;]*\b{stranger}\b)", path.read_text()):
                problems.append(f"{path} knows {stranger}")
    for path in tracked("daemon/engine/src/*.rs"):
        for word in (".await", "Instant::now", "SystemTime", "rusqlite", "HashMap"):
            if word in path.read_text():
                problems.append(f"{path} has {word}")


def reasons(problems):
    """Each dependency stands under a comment that says why, alone or in a group."""
    for path in tracked("*/Cargo.toml"):
        section, explained = "", False
        for line in path.read_text().splitlines():
            if line.startswith("["):
                section, explained = line.strip("[]"), False
            elif line.startswith("#"):
                explained = True
            elif not line.strip():
                explained = False
            elif section.endswith("dependencies") and re.match(r"^[a-z]", line) and not explained:
                problems.append(f"{path}: no reason beside {re.split('[. ]', line)[0]}")


def pitfalls(problems):
    """Each pitfall of the platform has a row in the page about delivery: its tests, all of them and each where it stands, or
    why it cannot be met. A name with five words or more in that page is a test's, and there is such a function."""
    functions = {str(path): set(re.findall(r"\bfn (\w+)", path.read_text())) for path in tracked("*.rs")}
    known = set().union(*functions.values())
    page = DELIVERY.read_text()
    for name in sorted(set(re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+){4,})`", page))):
        if name not in known:
            problems.append(f"{DELIVERY} names {name}, and there is no such test")
    rows = dict(re.findall(r"^\| (\d\d) \|.*\| (.*) \|$", page, re.M))
    for number in PITFALLS:
        tests = {name for name in known if name.startswith(f"pitfall_{number}_")}
        row = rows.get(number, "")
        named, file = set(), ""
        for word in re.findall(r"`([^`]*)`", row):
            if word.endswith(".rs"):
                file = re.sub(r"^engine/", "daemon/engine/tests/engine/", word)
            elif word.startswith("pitfall_"):
                named.add(word)
                if word not in functions.get(file, ()):
                    problems.append(f"{DELIVERY}: {word} does not stand in {file}")
        if row.startswith("does not apply: "):
            if tests:
                problems.append(f"{DELIVERY}: pitfall {number} is said not to apply, and has tests")
        elif not tests:
            problems.append(f"pitfall {number} has no test, and {DELIVERY} does not say that it does not apply")
        elif named != tests:
            problems.append(f"{DELIVERY}: the row of pitfall {number} lacks or misnames {', '.join(sorted(tests ^ named))}")


def plain(markdown):
    """A page without its blocks of code, which hold no links and no headings."""
    return re.sub(r"^(```+|~~~+).*?^\1\s*$", "", markdown, flags=re.M | re.S)


def anchors(markdown):
    """The names of a page's headings, as a browser is sent to them."""
    found = set()
    for heading in re.findall(r"^#+ +(.*?)\s*#*$", plain(markdown), re.M):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        count = 0
        while name + (f"-{count}" if count else "") in found:
            count += 1
        found.add(name + (f"-{count}" if count else ""))
    return found


def links(problems):
    """Links between pages lead somewhere: to a file of the tree, and to a heading of it."""
    files = set(tracked())
    folders = {folder for path in files for folder in path.parents}
    count = 0
    for page in tracked("*.md"):
        if page.parts[0] == "fuzz" or "fixtures" in page.parts:
            continue
        text = re.sub(r"`[^`\n]*`", "", plain(page.read_text()))
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", link):
                continue
            count += 1
            name, _, anchor = link.partition("#")
            path = Path(os.path.normpath(page.parent / name)) if name else page
            if path not in files and path not in folders:
                problems.append(f"{page}: {link} leads nowhere")
            elif anchor and path.suffix == ".md" and anchor not in anchors(path.read_text()):
                problems.append(f"{page}: {link}: there is no such heading")
    contents = Path("docs/README.md").read_text()
    for page in tracked("docs/*.md"):
        if page.name != "README.md" and f"({page.name})" not in contents:
            problems.append(f"docs/README.md does not name {page.name}")
    print("links between pages:", count)


def faq(problems):
    """What the page about errors quotes in its headings is what the programs say."""
    sources = [path.read_text() for path in tracked("daemon/src/**.rs", "daemon/engine/src/**.rs", "client-lib/src/**.rs")]
    said = re.sub(r"\\\n\s*", "", "\n".join(sources))
    for quoted in re.findall(r"^### `(.*)`$", FAQ.read_text(), re.M):
        for piece in filter(None, (piece.strip() for piece in quoted.split("…"))):
            if piece not in said:
                problems.append(f"{FAQ} quotes {piece!r}, which no program says")


def clients(problems):
    """Each test that the page about clients names, by the language of its column, is there."""
    kinds = [(r"\bfn (\w+)", ["*.rs"]), (r"\bdef (test_\w+)", ["client-lib/python/tests/*.py"]),
             (r"^test\(\"([^\"]+)\"", ["client-lib/node/test/*.js"])]
    known = [{name for path in tracked(*where) for name in re.findall(pattern, path.read_text(), re.M)}
             for pattern, where in kinds]
    rows = re.findall(r"^\| .* \|$", CLIENTS.read_text().split("## Behaviour by language")[1], re.M)[2:]
    for row in rows:
        behaviour, *cells = row.strip("| ").split(" | ")
        if len(cells) != len(kinds):
            problems.append(f"{CLIENTS}: {behaviour} has {len(cells)} cells")
        for cell, names in zip(cells, known):
            problems += [f"{CLIENTS} names {name}, and there is no such test"
                         for name in re.findall(r"`([^`]+(?:[_ ][^`]+){3,})`", cell) if name not in names]
        for cell in cells[1:]:
            if "`" not in cell:
                problems.append(f"{CLIENTS}: {behaviour} has no test in each of Python and Node")


def main():
    problems = []
    sizes(problems)
    rooms(problems)
    directions(problems)
    reasons(problems)
    pitfalls(problems)
    links(problems)
    faq(problems)
    clients(problems)
    for problem in problems:
        print("PROBLEM:", problem)
    sys.exit(1 if problems else 0)


main()
