#!/usr/bin/env python3
"""Manual pages out of what is written elsewhere.

    docs/man/pages.py FOLDER VERSION DATE

agentchatd.toml(5) is config/agentchatd.toml, agentchatd-protocol(7) is docs/protocol.md, and
agentchatd(8) lies beside this file; version and date go into all of them. agentchatctl(1) is made by
`agentchatctl man`.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def escaped(text):
    """Text that troff takes for text: hyphens that can be copied, no requests, no escapes."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    text = text.replace("^", "\\(ha").replace("~", "\\(ti")
    return "".join(char if ord(char) < 128 else f"\\[u{ord(char):04X}]" for char in text)


def inline(text):
    """One run of Markdown: code and strong text are bold, a link is its words."""
    out = []
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)
    for part in re.split(r"(``.*?``|`[^`]*`|\*\*.*?\*\*)", text):
        bare = re.fullmatch(r"`+ ?(.*?) ?`+|\*\*(.*?)\*\*", part)
        if bare:
            words = bare.group(1) if bare.group(1) is not None else bare.group(2).strip("`")
            out.append(f"\\fB{escaped(words)}\\fR")
        else:
            out.append(escaped(part))
    return "".join(out)


def paragraph(text):
    line = inline(text)
    return "\\&" + line if line[:1] in (".", "'") else line


def literal(lines):
    # An empty line stays one; a first dot is no request.
    return [".PP", ".RS 4", ".nf", *("\\&" + escaped(line) for line in lines), ".fi", ".RE"]


def table(rows):
    """A row a paragraph: what fits no terminal as columns can be read as a list."""
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))] for row in rows]
    out = []
    for row in cells[2:]:
        first, *rest = [cell.replace("\\|", "|") for cell in row]
        out += [".TP", paragraph(first) or "\\&"]
        out.append(paragraph("; ".join(cell for cell in rest if cell)) or "\\&")
    return out


def markdown(text):
    """The part of Markdown that docs/protocol.md uses."""
    out, lines, at = [], text.splitlines(), 0
    fresh = True
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith("```"):
            end = next(index for index in range(at, len(lines)) if lines[index].startswith("```"))
            out += literal(lines[at:end])
            at, fresh = end + 1, True
        elif heading := re.match(r"(##+) (.*)", line):
            macro = ".SH" if heading.group(1) == "##" else ".SS"
            title = heading.group(2).replace("`", "")
            out.append(f'{macro} "{escaped(title.upper() if macro == ".SH" else title)}"')
            fresh = False
        elif line.startswith("# "):
            continue
        elif line.startswith("|"):
            begin = at - 1
            while at < len(lines) and lines[at].startswith("|"):
                at += 1
            out += table(lines[begin:at])
            fresh = True
        elif item := re.match(r"[-*] (.*)", line):
            whole = [item.group(1)]
            while at < len(lines) and lines[at].startswith("  "):
                whole.append(lines[at].strip())
                at += 1
            out += [".IP \\(bu 2", paragraph(" ".join(whole))]
            fresh = True
        elif not line.strip():
            fresh = True
        else:
            whole = [line]
            while at < len(lines) and lines[at].strip() and not re.match(r"[-*|#] ?|```", lines[at]):
                whole.append(lines[at])
                at += 1
            if fresh:
                out.append(".PP")
            out.append(paragraph(" ".join(whole)))
            fresh = False
    return out


def settings(text):
    """The annotated configuration: its head, then a section each with its keys."""
    out, comment, in_head = [], [], True
    for line in text.splitlines():
        section = re.fullmatch(r"\[(\w+)\]", line)
        key = re.fullmatch(r"(?:# )?((\w+) = .*)", line)
        if in_head and not section:
            words = line.lstrip("# ").rstrip()
            out += [".PP"] if not words else [paragraph(words)]
        elif section:
            in_head = False
            out.append(f'.SH "[{section.group(1)}]"')
        elif key:
            default = key.group(1) if not line.startswith("#") else f"{key.group(2)} (no fixed default)"
            out += [".TP", f"\\fB{escaped(default)}\\fR", *(paragraph(words) for words in comment or [""])]
            if line.startswith("#"):
                out += [".br", paragraph("For example: " + key.group(1))]
            comment = []
        elif line.startswith("#"):
            comment.append(line.lstrip("# "))
    return out


def page(name, section, title, body, see):
    return [
        f'.TH {name.upper()} {section} "@DATE@" "agentchatd @VERSION@"',
        ".SH NAME",
        f"{escaped(name)} \\- {escaped(title)}",
        *body,
        '.SH "SEE ALSO"',
        see,
    ]


def main():
    folder, version, date = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    folder.mkdir(parents=True, exist_ok=True)
    config = [".SH DESCRIPTION", *settings((ROOT / "config/agentchatd.toml").read_text())]
    protocol = [".SH DESCRIPTION", *markdown((ROOT / "docs/protocol.md").read_text())]
    pages = {
        "agentchatd.8": (HERE / "agentchatd.8").read_text().splitlines(),
        "agentchatd.toml.5": page(
            "agentchatd.toml", 5, "configuration of agentchatd", config, ".BR agentchatd (8)"
        ),
        "agentchatd-protocol.7": page(
            "agentchatd-protocol", 7, "the local API of agentchatd", protocol,
            ".BR agentchatd (8),\n.BR agentchatctl (1)",
        ),
    }
    for name, lines in pages.items():
        text = "\n".join(lines) + "\n"
        (folder / name).write_text(text.replace("@DATE@", date).replace("@VERSION@", version))


main()
