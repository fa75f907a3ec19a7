#!/usr/bin/env python3
"""Write seeds of the corpora, made from the repository's fixtures and documents.

    fuzz/seed.py FOLDER         a folder for each target below FOLDER

Give them to `cargo fuzz cmin` together with `fuzz/corpus`: what adds coverage stays. Markers of the fixtures (`<time>`,
`<id msg>`) become values of their kind.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VALUES = {"<time>": "2026-07-01T10:00:00.123456+00:00", "<number>": 7, "<string>": "text", "<text>": "text",
          "<string|null>": None}
LARGEST = 4000


def real(value, count=[0]):
    """The value with each marker replaced."""
    if isinstance(value, dict):
        return {name: real(inner) for name, inner in value.items() if name != "<more>"}
    if isinstance(value, list):
        return [real(inner) for inner in value]
    if isinstance(value, str) and value in VALUES:
        return VALUES[value]
    if isinstance(value, str) and value.startswith("<id "):
        count[0] += 1
        return f"{value[4:-1]}_{count[0]}"
    return value


def traces():
    for path in sorted((ROOT / "tests/fixtures/traces").glob("*.jsonl")):
        for line in path.read_text().splitlines():
            yield json.loads(line)


def blocks(page, kind):
    return re.findall(rf"```{kind}\n(.*?)```", (ROOT / "docs" / page).read_text(), re.S)


def lines():
    requests = [block.strip() for block in blocks("protocol.md", "json request")]
    yield from requests
    for block in blocks("http.md", "json") + blocks("openrpc.md", "json"):
        yield block
    yield "\n".join(requests[:4]) + "\n"
    yield "".join(requests[:3])
    yield "[" + ",".join(requests[:3]) + "]\n"
    for path in sorted((ROOT / "tests/fixtures/vectors").glob("requests-*.json")):
        for number, case in enumerate(json.loads(path.read_text())):
            call = {"jsonrpc": "2.0", "id": number, "method": case["rpc"], "params": case["params"]}
            yield json.dumps(call, ensure_ascii=number % 2 == 0) + "\n"
    yield from ["{x}{}{}\nhello\n{\"a\":1}\n", "{\"a\":\"x\\\n{}\n", "[" * 129 + "]" * 129 + "{}\n{}", "\n\r\n \t{}\r\n\n17",
                '{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":"\\ud83d\\ude00\\ud800"}}\n', "[]\n[1,[],{}]\nnull\n",
                '{"json\\u0072pc":"2\\u002e0","x":{"id":5},"id":-1.50e3,"method":"a\\u002eb"}', '{"a":01}{}\n{}{"id":1,"id":2}']


def frames():
    for step in traces():
        if step.get("op") in ("ws.recv", "ws.send", "ws.drain") and isinstance(step.get("frame"), dict):
            yield json.dumps(real(step["frame"]))
    yield '{"type":"hello.ok","capabilities":[7,"new","ack"]}'
    yield '{"payload":{"id":"m","conversation_id":"c","n":1.0},"type":"message.new","id":"x"}'
    yield '{"type":"message.new","payload":{"id":"m","conversation_id":"c","type":"system","content":{"data":' \
        '{"schema_version":1,"event":"member_joined","agent_handle":"@Me"}},"seq":3,"status":"stored"}}'
    yield '{"type":"group.deleted","payload":{"group_id":"g"}}'
    yield '{"type":"some.future.thing"}'


def pages():
    for step in traces():
        answer = step.get("answer")
        if step.get("op") == "http" and isinstance(answer, (list, dict)):
            if isinstance(answer, dict) and "row" in answer:
                answer = [answer["row"]] * 3
            yield json.dumps(real(answer))
    row = {"id": "m", "conversation_id": "c", "seq": 1, "delivery_id": "del_1", "status": "stored"}
    yield json.dumps([row, {**row, "delivery_id": None}, {"conversation_id": "c"}, row])
    yield json.dumps({"envelopes": [{"delivery_id": 4711, "message": row}, {"delivery_id": 1, "message": None}]})
    yield json.dumps([{"id": "grp_1", "type": "group", "last_message_at": "2026-07-01T10:00:00Z", "newest_unread_seq": 9}])
    yield '{"acked":12}'


def config():
    for path in sorted((ROOT / "config").glob("*.toml")):
        text = path.read_text()
        yield text
        # Short forms, for what is long changes slowly.
        bare = [line for line in text.splitlines() if line and not line.startswith("#")]
        yield "\n".join(bare)
        yield from (f"[{part}" for part in "\n".join(bare).split("\n[")[1:])
        shown = re.findall(r"^# (\w+ = .*)$", text, re.M)
        yield from shown
    for path in ["daemon/src/config/tests.rs", "daemon/src/config/problem_tests.rs"]:
        for text in re.findall(r'"((?:[^"\\]|\\.|\\\n)*)"', (ROOT / path).read_text()):
            text = re.sub(r"\\\n\s*", "", text).replace("\\n", "\n").replace('\\"', '"')
            if "=" in text and len(text) < 300:
                yield text


def engine():
    """Any bytes are a schedule; these differ in every place."""
    for number in range(200):
        yield b"".join(hashlib.sha256(b"%d %d" % (number, part)).digest() for part in range(4 + number % 12))


def main():
    for target, seeds in {"lines": lines, "frame": frames, "pages": pages, "config": config, "engine": engine}.items():
        folder = Path(sys.argv[1]) / target
        folder.mkdir(parents=True, exist_ok=True)
        for seed in seeds():
            data = seed if isinstance(seed, bytes) else seed.encode()
            if len(data) <= LARGEST or target == "config":
                (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)
        print(target, len(list(folder.iterdir())))


main()
