"""The blocks of commands of a page, with what the comments before them say of how they are run.

    <!-- first: COMMANDS -->       makes the situation that the page speaks of; functions of situations.sh may be used
    <!-- apart -->                 each line is run by itself, with `first` before each
    <!-- terminal -->              run at a terminal, where somebody answers what is asked
    <!-- given: LINE -->           comes by standard input
    <!-- meanwhile: COMMANDS -->   done again and again until the block prints something
    <!-- ends by Ctrl-C -->        what does not end by itself gets one, once it has printed something
    <!-- killed -->               goes on for ever, and is killed once it has printed something twice
    <!-- stays: COMMANDS -->       goes on to the end of the page; it is there once these succeed
    <!-- within: TEXT -->          the program that the block is a part of, with `...` in its place
    <!-- by: FILE -->              not run here: each line stands in this file, which runs it

Where a line has a comment in which Ctrl-C is spoken of, it need not be said.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMENT = r"<!-- (first|apart|terminal|given|meanwhile|ends by Ctrl-C|killed|stays|within|by)(?:: ((?:[^-]|-(?!->))*?))? -->\n"
BLOCK = re.compile(rf"^((?:{COMMENT})*)```(\w*)[^\n]*\n(.*?)^```$", re.M | re.S)
# What is run of a page; the other pages' programs are pieces, or data.
PROGRAMS = {"README.md": {"sh", "python", "js"}}


@dataclass
class Block:
    page: str
    line: int
    language: str
    text: str
    how: dict = field(default_factory=dict)

    @property
    def place(self):
        return f"{self.page}:{self.line}"

    def commands(self):
        """What is run in one piece: the block, or each of its lines with the number that it has in the page."""
        if "apart" not in self.how:
            return [(self.line, self.text)]
        lines = enumerate(self.text.splitlines(), self.line)
        return [(number, line) for number, line in lines if line.strip()]


def blocks(page):
    languages = PROGRAMS.get(page, {"sh"})
    text = (ROOT / page).read_text()
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start(5)) + 1
        how = {name: value for name, value in re.findall(COMMENT, found[1])}
        if found[4] in languages:
            yield Block(page, line, found[4], found[5], how)
        elif how:
            raise SystemExit(f"{page}:{line}: a block of {found[4] or 'no language'} is not run, whatever is said of it")


def stands_elsewhere(block):
    """Each line of a block, without its comment, stands in the file that is said to run it."""
    there = (ROOT / block.how["by"]).read_text()
    for line in block.text.splitlines():
        command = re.sub(r"\s+#.*", "", line).strip()
        if step := re.fullmatch(r"\.ci/run (\w+)", command):
            command = f"\n{step[1]}() {{"
        if command and command not in there:
            raise SystemExit(f"{block.place}: {block.how['by']} has no `{command}`")
