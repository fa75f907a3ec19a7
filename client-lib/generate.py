#!/usr/bin/env python3
"""Writes the types and methods of the Python and the Node client, out of the daemon's OpenRPC document.

    client-lib/generate.py                      # asks target/debug/agentchatd
    client-lib/generate.py --daemon BINARY      # asks this one
    client-lib/generate.py --document FILE      # reads the answer to `rpc.discover`
    client-lib/generate.py --check              # writes nothing; fails where a file would change

The document is made from the declarations that serve the calls, so what is written here cannot tell another thing than
the daemon does. Standard library only.
"""

import argparse
import difflib
import json
import keyword
import os
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

HERE = Path(__file__).resolve().parent
PYTHON = HERE / "python/src/agentchatd_client/generated"
NODE = HERE / "node/src/generated"
NOTE = "Written by client-lib/generate.py; do not edit."
WIDTH = 118
PATIENCE_S = 20
# A subscription has a connection of its own; on that of the calls its events would have no reader.
NOT_CALLED = {"events.subscribe", "events.unsubscribe"}
REF = "#/components/schemas/"


# A type, whatever the language: ("ref", name), ("literal", [value]), ("list", type), ("tuple", [type]),
# ("union", [type]), ("plain", "string" and so on), ("object",), ("any",).
Type = tuple[Any, ...]


@dataclass
class Member:
    name: str
    type: Type
    required: bool
    about: str


@dataclass
class Shape:
    """A named type: an object with its members, or another name for `alias`."""

    about: str
    members: list[Member] = field(default_factory=list)
    alias: Type | None = None


@dataclass
class Method:
    name: str
    about: str
    params: list[Member]
    params_type: Type
    result: Type

    @property
    def space(self) -> str:
        return self.name.split(".")[0]

    @property
    def verb(self) -> str:
        return self.name.split(".")[1]


class Api:
    """What the document says, as far as clients need it."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.shapes: dict[str, Shape] = {}
        for name, schema in document["components"]["schemas"].items():
            self.define(name, schema)
        self.methods = [self.method(method) for method in document["methods"] if method["name"] not in NOT_CALLED]
        self.errors = []
        for kind, error in sorted(document["components"]["errors"].items(), key=lambda item: -item[1]["code"]):
            data = self.type(error["data"], pascal(kind) + "Data") if "data" in error else None
            self.errors.append((kind, error["code"], sentence(error["message"]), data))
        self.events = [(event["name"], self.type(event["schema"], "")) for event in document["x-events"]]

    def define(self, name: str, schema: dict[str, Any]) -> None:
        shape = Shape(sentence(schema.get("description", "")))
        self.shapes[name] = shape
        merged = self.merged(schema)
        if merged.get("type") == "object" and "properties" in merged:
            required = merged.get("required", [])
            for member, inner in merged["properties"].items():
                found = self.type(inner, name + pascal(member))
                shape.members.append(Member(member, found, member in required, sentence(inner.get("description", ""))))
        else:
            shape.alias = self.type(schema, name)

    def merged(self, schema: dict[str, Any]) -> dict[str, Any]:
        """An envelope with a narrower form of some members is one object with these members."""
        parts = schema.get("allOf", [])
        if len(parts) < 2 or "$ref" not in parts[0]:
            return schema
        base: dict[str, Any] = DOCUMENT["components"]["schemas"][parts[0]["$ref"].removeprefix(REF)]
        narrowed = {name: base["properties"][name] | inner if "$ref" not in inner else inner
                    for name, inner in parts[1]["properties"].items()}
        return base | {"properties": base["properties"] | narrowed}

    def type(self, schema: Any, name: str) -> Type:
        """The type of a schema; an object that has members and no name gets `name`."""
        if "$ref" in schema:
            return ("ref", schema["$ref"].removeprefix(REF))
        for choice in ("anyOf", "oneOf"):
            if choice in schema and "properties" not in schema:
                return union([self.type(part, name + "Object") for part in schema[choice]])
        if len(schema.get("allOf", [])) == 1 and "type" not in schema:
            return self.type(schema["allOf"][0], name)
        if "const" in schema:
            return ("literal", [schema["const"]])
        if "enum" in schema:
            return ("literal", schema["enum"])
        kinds = schema.get("type", "any")
        if isinstance(kinds, str):
            kinds = [kinds]
        return union([self.plain(kind, schema, name) for kind in kinds])

    def plain(self, kind: str, schema: dict[str, Any], name: str) -> Type:
        if kind == "array":
            items = schema.get("items", {})
            if isinstance(items, list):
                return ("tuple", [self.type(item, name) for item in items])
            return ("list", self.type(items, name + "Item"))
        if kind == "object":
            if not schema.get("properties"):
                return ("object",)
            self.define(name, schema | {"type": "object"})
            return ("ref", name)
        return ("any",) if kind == "any" else ("plain", kind)

    def method(self, method: dict[str, Any]) -> Method:
        base = pascal(method["name"])
        params = [Member(param["name"], self.type(param["schema"], base + pascal(param["name"])), param["required"],
                         sentence(param["schema"].get("description", ""))) for param in method["params"]]
        about = [method.get("description") or method["summary"]]
        about.append(f"Needs the scope `{method['x-scope']}`.")
        errors = [error["$ref"].split("/")[-1] for error in method["errors"]]
        about.append(f"Errors: {', '.join(errors)}.")
        result = method["result"]["schema"]
        found = self.type(result, base + "Result")
        if found[0] != "ref" and found[0] != "plain":
            self.shapes[base + "Result"] = Shape(f"Result of `{method['name']}`.", alias=found)
            found = ("ref", base + "Result")
        return Method(method["name"], "\n\n".join(about), params, self.type(method["x-params"], base + "Params"), found)

    def spaces(self) -> dict[str, list[Method]]:
        spaces: dict[str, list[Method]] = {}
        for method in self.methods:
            spaces.setdefault(method.space, []).append(method)
        return dict(sorted(spaces.items()))


def union(types: list[Type]) -> Type:
    flat: list[Type] = []
    for part in types:
        for inner in part[1] if part[0] == "union" else [part]:
            if inner not in flat:
                flat.append(inner)
    return flat[0] if len(flat) == 1 else ("union", flat)


def pascal(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in name.replace(".", "_").split("_"))


def sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if not text or text[-1] in ".!?`" else ".")


def comment(text: str, indent: int, first: str, each: str, last: str) -> list[str]:
    """A comment of a language, wrapped; paragraphs and list items stay apart."""
    lines: list[str] = []
    for part in text.split("\n"):
        width = WIDTH - indent - len(each) - len(last)
        lines += textwrap.wrap(part, width, break_long_words=False, break_on_hyphens=False) or [""]
    pad = " " * indent
    if len(lines) == 1:
        return [f"{pad}{first}{lines[0]}{last}"]
    body = [f"{pad}{each}{line}".rstrip() for line in lines[1:]]
    return [f"{pad}{first}{lines[0]}".rstrip(), *body, f"{pad}{last.strip()}" if each == "" else f"{pad} {last.strip()}"]


# ---- Python


def py(kind: Type, module: str = "") -> str:
    match kind:
        case ("ref", name):
            return f"{module}{name}"
        case ("literal", values):
            return f"Literal[{', '.join(json.dumps(value) if isinstance(value, str) else repr(value) for value in values)}]"
        case ("list", inner):
            # Of `builtins`, because a method may be called `list`.
            return f"{'builtins.' if module else ''}list[{py(inner, module)}]"
        case ("tuple", inner):
            return f"tuple[{', '.join(py(part, module) for part in inner)}]"
        case ("union", inner):
            return " | ".join(py(part, module) for part in inner)
        case ("plain", name):
            return {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}[name]
        case ("object",):
            return "dict[str, Any]"
    return "Any"


def py_doc(text: str, indent: int) -> list[str]:
    return comment(text.replace("\\", "\\\\"), indent, '"""', "", '"""') if text else []


def py_types(api: Api) -> str:
    lines = [f'"""Types of the local API. {NOTE}"""', "", "from __future__ import annotations", "",
             "from typing import Any, Literal, NotRequired, TypeAlias, TypedDict", "",
             *py_exported(sorted(api.shapes))]
    for name, shape in sorted(api.shapes.items()):
        if shape.alias is not None:
            text = py(shape.alias)
            # Quoted where it names what may stand further below.
            lines += ["", f"{name}: TypeAlias = {text if text.startswith('Literal') and '|' not in text else repr(text)}"]
            lines += py_doc(shape.about, 0)
        elif any(keyword.iskeyword(member.name) for member in shape.members):
            lines += ["", "", f"{name} = TypedDict("] + [f'    "{name}",', "    {"]
            for member in shape.members:
                lines += comment(member.about, 8, "# ", "# ", "") if len(member.about) < 90 else []
                text = py(member.type) if member.required else f"NotRequired[{py(member.type)}]"
                lines.append(f"        {json.dumps(member.name)}: {json.dumps(text)},")
            lines += ["    },", ")", *py_doc(shape.about, 0)]
        else:
            lines += ["", "", f"class {name}(TypedDict):", *py_doc(shape.about, 4), ""]
            for member in shape.members:
                text = py(member.type) if member.required else f"NotRequired[{py(member.type)}]"
                lines += [f"    {member.name}: {text}", *py_doc(member.about, 4)]
            if not shape.members and not shape.about:
                lines.append("    pass")
    return "\n".join(lines) + "\n"


def py_errors(api: Api) -> str:
    lines = [f'"""Errors of the local API, a class each. {NOTE}"""', "", "from __future__ import annotations", "",
             "from . import types", "from ..failure import RpcError"]
    lines += ["", *py_exported([*(py_error(kind) for kind, *_ in api.errors), "ERRORS"])]
    for kind, code, about, data in api.errors:
        lines += ["", "", f"class {py_error(kind)}(RpcError):", *py_doc(about, 4), ""]
        lines.append(f'    kind = "{kind}"')
        if data is not None:
            lines.append(f"    data: {py(data, 'types.')} | None")
    lines += ["", "", "#: Which class stands for which code.", "ERRORS: dict[int, type[RpcError]] = {"]
    lines += [f"    {code}: {py_error(kind)}," for kind, code, _, _ in api.errors]
    return "\n".join([*lines, "}"]) + "\n"


def py_exported(names: list[str]) -> list[str]:
    return ["__all__ = [", *(f'    "{name}",' for name in names), "]"]


def py_error(kind: str) -> str:
    return pascal(kind).removesuffix("Error") + "Error"


def py_methods(api: Api) -> str:
    lines = [f'"""The methods of the local API. {NOTE}"""', "", "from __future__ import annotations", "",
             "import builtins", "from collections.abc import Awaitable, Callable", "from typing import Any, Literal, cast",
             "", "from . import types", "from ..omitted import OMITTED, Omitted, given", "",
             "#: Makes a call: its method, its parameters, and within how many seconds the answer has to be there.",
             "Call = Callable[[str, dict[str, Any], float | None], Awaitable[Any]]"]
    for space, methods in api.spaces().items():
        lines += ["", "", f"class {pascal(space)}Methods:", f'    """`{space}.…`"""', "",
                  "    def __init__(self, call: Call) -> None:", "        self._call = call"]
        for method in methods:
            lines += ["", f"    async def {method.verb}(", "        self,", "        *,"]
            for param in method.params:
                text = py(param.type, "types.")
                lines.append(f"        {py_name(param.name)}: {text}," if param.required
                             else f"        {py_name(param.name)}: {text} | Omitted = OMITTED,")
            result = py(method.result, "types.")
            lines += ["        deadline: float | None = None,", f"    ) -> {result}:"]
            told = [f"{py_name(param.name)}: {param.about}" for param in method.params if param.about]
            about = method.about + ("\n\n" + "\n".join(told) if told else "")
            lines += py_doc(about, 8)
            lines.append("        params = given(")
            lines += [f'            ("{param.name}", {py_name(param.name)}),' for param in method.params]
            lines += ["        )", f'        return cast("{result.replace(chr(34), chr(39))}", '
                      f'await self._call("{method.name}", params, deadline))']
    lines += ["", "", "class Methods:", '    """All methods, by the part of their name before the dot."""', "",
              "    def __init__(self, call: Call) -> None:"]
    lines += [f"        self.{space} = {pascal(space)}Methods(call)" for space in api.spaces()]
    return "\n".join(lines) + "\n"


def py_name(name: str) -> str:
    if name == "deadline":
        raise SystemExit("a parameter is called deadline: the clients need another name for theirs")
    return name + "_" if keyword.iskeyword(name) else name


def py_events(api: Api) -> str:
    lines = [f'"""Which type of event has which shape. {NOTE}"""', "", "from __future__ import annotations", "",
             "from typing import Any, Literal, TypeGuard, overload", "", "from . import types"]
    for name, kind in api.events:
        lines += ["", "", "@overload",
                  f'def is_event(event: types.Event, type: Literal["{name}"]) -> TypeGuard[{py(kind, "types.")}]: ...']
    lines += ["", "", "def is_event(event: types.Event, type: str) -> Any:",
              '    """Whether an event is of this type; a type checker knows its payload then."""', "",
              '    return event["type"] == type']
    return "\n".join(lines) + "\n"


# ---- TypeScript and JavaScript


def ts(kind: Type) -> str:
    match kind:
        case ("ref", name):
            return f"{name}"
        case ("literal", values):
            return " | ".join(json.dumps(value) for value in values)
        case ("list", inner):
            text = ts(inner)
            return f"({text})[]" if "|" in text else f"{text}[]"
        case ("tuple", inner):
            return f"[{', '.join(map(ts, inner))}]"
        case ("union", inner):
            return " | ".join(map(ts, inner))
        case ("plain", name):
            return "number" if name == "integer" else str(name)
        case ("object",):
            return "Record<string, unknown>"
    return "unknown"


def js_doc(text: str, indent: int) -> list[str]:
    return comment(text.replace("*/", "* /"), indent, "/** ", " * ", " */") if text else []


def ts_types(api: Api) -> str:
    lines = [f"// Types of the local API. {NOTE}"]
    for name, shape in sorted(api.shapes.items()):
        lines += ["", *js_doc(shape.about, 0)]
        if shape.alias is not None:
            lines.append(f"export type {name} = {ts(shape.alias)};")
            continue
        lines.append(f"export interface {name} {{")
        for member in shape.members:
            lines += [*js_doc(member.about, 2), f"  {member.name}{'' if member.required else '?'}: {ts(member.type)};"]
        lines.append("}")
    lines += ["", "/** The shape of an event by its type. */", "export interface EventsByType {"]
    lines += [f"  {json.dumps(name)}: {ts(kind)};" for name, kind in api.events]
    lines += ["}", "", "/** The data of an error by its kind. */", "export interface ErrorDataByKind {"]
    for kind, _, about, data in api.errors:
        lines += [*js_doc(about, 2), f"  {kind}: {'undefined' if data is None else ts(data)};"]
    return "\n".join([*lines, "}"]) + "\n"


def ts_methods(api: Api) -> str:
    lines = [f"// The methods of the local API. {NOTE}", "", 'import type * as types from "./types.js";',
             'import type { CallOptions } from "../index.js";', "", "/** The codes of errors, and what they are called. */",
             "export const ERRORS: Readonly<Record<number, keyof types.ErrorDataByKind>>;", "",
             "/** The names of all methods, by the part before the dot. */",
             "export const METHODS: Readonly<Record<string, readonly string[]>>;", "", "export interface Methods {"]
    for space, methods in api.spaces().items():
        lines.append(f"  {space}: {{")
        for method in methods:
            optional = "" if any(param.required for param in method.params) else "?"
            params, result = ts_qualified(method.params_type), ts_qualified(method.result)
            lines += [*js_doc(method.about, 4),
                      f"    {method.verb}(params{optional}: {params}, options?: CallOptions): Promise<{result}>;"]
        lines.append("  };")
    return "\n".join([*lines, "}"]) + "\n"


def ts_qualified(kind: Type) -> str:
    return f"types.{kind[1]}" if kind[0] == "ref" else ts(kind)


def js_methods(api: Api) -> str:
    lines = [f"// The methods of the local API. {NOTE}", "", "export const ERRORS = Object.freeze({"]
    lines += [f'  "{code}": "{kind}",' for kind, code, _, _ in api.errors]
    lines += ["});", "", "export const METHODS = Object.freeze({"]
    for space, methods in api.spaces().items():
        verbs = json.dumps([method.verb for method in methods])
        lines.append(f"  {space}: {verbs},")
    return "\n".join([*lines, "});"]) + "\n"


FILES: dict[Path, Callable[[Api], str]] = {
    PYTHON / "__init__.py": lambda _: f'"""What the daemon\'s OpenRPC document says. {NOTE}"""\n',
    PYTHON / "types.py": py_types,
    PYTHON / "errors.py": py_errors,
    PYTHON / "events.py": py_events,
    PYTHON / "methods.py": py_methods,
    NODE / "types.d.ts": ts_types,
    NODE / "methods.d.ts": ts_methods,
    NODE / "methods.js": js_methods,
}


# ---- The document, and the files


def discovered(binary: Path) -> dict[str, Any]:
    """Asks a daemon that has no key and nobody to talk to."""
    with tempfile.TemporaryDirectory(prefix="generate-") as name:
        path = Path(name) / "s.sock"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("AGENTCHAT")}
        environment |= {"AGENTCHAT_BASE_URL": "http://127.0.0.1:9", "XDG_CONFIG_HOME": name}
        command = [str(binary), "--socket", str(path), "--state-dir", f"{name}/state"]
        with open(f"{name}/log", "wb") as log:
            daemon = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + PATIENCE_S
            while True:
                try:
                    return ask(path)
                except OSError as error:
                    if daemon.poll() is not None or time.monotonic() > deadline:
                        raise SystemExit(f"{binary} does not serve: {error}\n{Path(name, 'log').read_text()}") from None
                    time.sleep(0.02)
        finally:
            daemon.kill()
            daemon.wait()


def ask(path: Path) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect(str(path))
        connection.sendall(b'{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}\n')
        result: dict[str, Any] = json.loads(connection.makefile("rb").readline())["result"]
        return result


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes the types and methods of the clients.")
    parser.add_argument("--daemon", type=Path, default=HERE.parent / "target/debug/agentchatd")
    parser.add_argument("--document", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    global DOCUMENT
    DOCUMENT = json.loads(arguments.document.read_text()) if arguments.document else discovered(arguments.daemon)
    api = Api(DOCUMENT)
    stale = 0
    for path, write in FILES.items():
        text = write(api)
        present = path.read_text() if path.exists() else ""
        if text == present:
            continue
        stale += 1
        if arguments.check:
            difference = difflib.unified_diff(present.splitlines(), text.splitlines(), "in the tree", "anew", "", "", 1)
            print(f"{path.relative_to(HERE.parent)} is not what the daemon's document says:")
            print("\n".join(list(difference)[:20]))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"wrote {path.relative_to(HERE.parent)}")
    if arguments.check and stale:
        raise SystemExit("run client-lib/generate.py")
    print(f"{len(FILES)} files, {len(api.methods)} methods, {len(api.shapes)} types: current")


DOCUMENT: dict[str, Any] = {}

if __name__ == "__main__":
    main()
