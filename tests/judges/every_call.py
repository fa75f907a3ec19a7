"""Calls every public method of a Python SDK's client as `calls.py` says, and looks at what comes back. A method that the
list does not call fails the judge: methods are found by looking at the class."""

import asyncio
import inspect
import json
import urllib.request

import calls

# Public methods that are no calls: they end the client.
ENDS = {"close", "aclose"}
# Needs a cursor of sync, which the list has not got: `sdk_python.py` calls it.
ELSEWHERE = {"sync_ack"}


class Runner:
    """Goes through the list for agents of its own; how a call is made is said by who inherits."""

    def __init__(self, base, names, make_key):
        self.base, self.known = base, dict(names)
        self.keys = {who: make_key(names[who]) for who in ("me", "peer", "other")}

    async def run(self, release):
        for step in calls.ALL:
            if isinstance(step, calls.Peer):
                answer = await asyncio.to_thread(self.beside, step)
            elif step.releases and release not in step.releases:
                continue
            else:
                answer = await self.call(step)
            self.known |= {name: calls.at(answer, place) for name, place in step.keeps.items()}

    async def call(self, step):
        raise NotImplementedError

    def beside(self, step):
        path = calls.filled(step.path, self.known)
        body = calls.filled(step.body, self.known)
        data = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()
        headers = {"content-type": "text/plain" if isinstance(body, bytes) else "application/json"}
        if step.who:
            headers["authorization"] = f"Bearer {self.keys[step.who]}"
        url = path if path.startswith("http") else self.base + path
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=step.method)) as answer:
            text = answer.read()
        return json.loads(text) if text.startswith((b"{", b"[")) else None


class Caller(Runner):
    """One kind of client of the SDK, and the agents that it acts for."""

    def __init__(self, sdk, kind, base, names, make_key, fail):
        super().__init__(base, names, make_key)
        self.kind, self.fail = getattr(sdk, kind), fail
        self.never = sdk.RetryPolicy(max_retries=0)
        self.clients = {"me": self.client(self.keys["me"])}
        self.called = set()

    def client(self, key):
        return self.kind(api_key=key, base_url=self.base, retry=self.never)

    async def run(self, release):
        await super().run(release)
        for client in self.clients.values():
            await settled(client.aclose() if hasattr(client, "aclose") else client.close())
        missed = methods(self.kind) - self.called - ENDS - ELSEWHERE
        if missed:
            self.fail(f"{self.kind.__name__}: never called: {', '.join(sorted(missed))}")

    async def call(self, step):
        arguments, named = calls.filled(step.args, self.known), calls.filled(step.named, self.known)
        if step.who is None:
            named["base_url"] = self.base
        answer = await settled(self.method(step)(*arguments, **named))
        self.called.add(step.sdk)
        answer = self.plain(step.sdk, answer)
        problem = calls.misfits(calls.filled(step.wants, self.known), answer)
        if problem:
            self.fail(f"{self.kind.__name__}.{step.sdk}: {problem}")
        return answer

    def method(self, step):
        return getattr(self.kind if step.who is None else self.clients[step.who], step.sdk)

    def plain(self, name, answer):
        """The answer as data; keys that came with it are used from now on."""
        if name == "send_message":
            return {"message": answer.message}
        if name in ("verify", "recover_verify"):
            who, key, self.clients["new"] = answer
            return {"agent" if name == "verify" else "handle": who, "api_key": key}
        if name == "rotate_key_verify":
            self.clients["new"] = self.client(answer["api_key"])
        return answer


def methods(kind):
    """Names of all public methods that a class has."""
    return {name for name, _ in inspect.getmembers(kind, callable) if not name.startswith("_")}


async def settled(answer):
    """What an answer of either kind of client comes to: awaited, or gathered."""
    if inspect.isasyncgen(answer) or hasattr(answer, "__aiter__"):
        return [item async for item in answer]
    if inspect.isawaitable(answer):
        return await answer
    if inspect.isgenerator(answer):
        return list(answer)
    return answer
