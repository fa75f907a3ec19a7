"""Judge: the same calls through the official Python SDK and through the daemon leave the same requests and frames in
the sandbox's journal, and give the same answers. It runs inside a virtual environment that holds one release of the SDK:

    compare.py SANDBOX-BINARY DAEMON-BINARY RELEASE FORM

Each side has a world of its own in one sandbox; where the two may differ stands in `differences.py`. Every public method
of the SDK's client, every public member of its realtime client, and every method of the local API is compared or named
there."""

import asyncio
import inspect
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import agentchatme as sdk
import calls
import frames
from differences import ANSWERS, OF_DAEMON_ALONE, OF_REALTIME_ALONE, OF_SDK_ALONE, REQUESTS, TRAFFIC, same
from every_call import Caller, Runner, methods
from journal import Journal, Roles, added_headers, compared, without_own
from processes import Daemon, Sandbox, http, until

KIND = "AgentChatClient"
# Names of the two worlds, and whether calls that change something carry an idempotency key.
ROUNDS = [("worldone", "worldtwo", False), ("worldsix", "worldten", True)]
# Nothing that the daemon does by the clock falls into a call.
IDLE = {"AGENTCHATD_REALTIME_SYNC_INTERVAL_S": "86400", "AGENTCHATD_REALTIME_RECONCILE_INTERVAL_S": "86400"}
# After these the daemon connects with the key that they brought.
BRING_A_KEY = {"agents.verify", "agents.recover_verify", "agents.rotate_key_verify"}

# Problems that are told.
SHOWN = 20


@dataclass
class Made:
    """A call that was made: what the platform was asked meanwhile, and what came back."""

    step: calls.Call
    requests: list
    answer: object


class ThroughSdk(Caller):
    """Makes the calls with the SDK."""

    def __init__(self, sandbox, world, keyed):
        super().__init__(sdk, KIND, sandbox.url, names_of(world), sandbox.agent, fail)
        self.journal, self.made, self.keyed = Journal(sandbox.url), [], keyed
        self.traffic = frames.Traffic(self)

    async def run(self, release):
        await super().run(release)
        await self.traffic.through_sdk(sdk)

    async def call(self, step):
        self.journal.fresh()
        answer = await super().call(step)
        self.made.append(Made(step, self.journal.fresh(), answer))
        return answer

    def method(self, step):
        """With the key as the SDK takes it, where both sides take one."""
        method = super().method(step)
        if step.local not in self.keyed or "opts" not in inspect.signature(method).parameters:
            return method
        # The SDK does not give its own type for this away.
        options = SimpleNamespace(timeout_ms=None, idempotency_key=key_of(len(self.made)))
        return lambda *arguments, **named: method(*arguments, **named, opts=options)


class ThroughDaemon(Runner):
    """Makes the calls through two daemons: one has the agent's key, the other gets its own by registering."""

    def __init__(self, sandbox, world, keyed, binary, folder):
        super().__init__(sandbox.url, names_of(world), sandbox.agent)
        self.journal, self.made, self.keyed = Journal(sandbox.url), [], keyed
        self.traffic, self.daemons = frames.Traffic(self), {}
        for who, key in (("me", self.keys["me"]), ("new", None)):
            home = folder / world / who
            home.mkdir(parents=True)
            self.daemons[who] = Daemon(binary, home, sandbox.url, key, IDLE)

    async def run(self, release):
        try:
            for daemon in self.daemons.values():
                daemon.start()
            await super().run(release)
            await self.traffic.through_daemon(self.daemons["me"])
            for daemon in self.daemons.values():
                daemon.stop()
        finally:
            for daemon in self.daemons.values():
                daemon.kill()

    async def call(self, step):
        daemon = self.daemons["me" if step.who == "me" else "new"]
        params = calls.filled(step.params, self.known)
        if step.local in self.keyed and "opts" in inspect.signature(getattr(sdk.AgentChatClient, step.sdk)).parameters:
            params["idempotency_key"] = key_of(len(self.made))
        self.journal.fresh()
        answer = daemon.call(step.local, **params)
        self.made.append(Made(step, self.journal.fresh(), answer))
        if step.local in BRING_A_KEY:
            daemon.until_state("ready")
        return ANSWERS[step.sdk].daemon(answer) if step.sdk in ANSWERS else answer

    def beside(self, step):
        """The daemon has taken what the step brought before the next call is made."""
        answer = super().beside(step)
        until("the daemon has taken everything", lambda: not self.waiting())
        return answer

    def waiting(self):
        page = http(self.base, "GET", "/v1/messages/sync", self.keys["me"])
        return page["envelopes"] if isinstance(page, dict) else page


class Comparison:
    """Holds the calls of both sides against each other."""

    def __init__(self, sdk_world, daemon_world):
        self.theirs, self.ours = Roles(sdk_world), Roles(daemon_world)
        self.problems, self.differed = [], set()
        self.requests, self.keys, self.passed_over, self.frames = 0, 0, 0, 0

    def call(self, ours, theirs):
        name, what = theirs.step.sdk, f"{theirs.step.sdk} and {theirs.step.local}"
        kept = without_own(ours.requests, theirs.requests)
        self.requests += len(kept)
        self.keys += sum("idempotency-key" in compared(request)["headers"] for request in theirs.requests)
        self.passed_over += len(ours.requests) - len(kept)
        self.differ(REQUESTS.get(name), ("REQUESTS", name), f"{what}: requests",
                    [self.ours.of(compared(request)) for request in kept],
                    [self.theirs.of(compared(request)) for request in theirs.requests])
        for request, like in zip(kept, theirs.requests):
            self.equal(f"{what}: headers that are not told of", sorted(added_headers(request, like)), [])
        self.differ(ANSWERS.get(name), ("ANSWERS", name), f"{what}: answers",
                    [self.ours.of(ours.answer)], [self.theirs.of(theirs.answer)])

    def traffic(self, ours, theirs):
        """Frames of the socket, and the drain."""
        self.frames = len(ours.frames)
        self.equal("frames", [self.ours.of(frame) for frame in ours.frames],
                   [self.theirs.of(frame) for frame in theirs.frames])
        name = "drain_offline_envelopes"
        for request, like in zip(ours.drained, theirs.drained):
            self.equal(f"{name}: headers that are not told of", sorted(added_headers(request, like)), [])
        self.differ(TRAFFIC[name], ("TRAFFIC", name), f"{name} and sync.drain: requests",
                    [[self.ours.of(compared(request)) for request in ours.drained]],
                    [[self.theirs.of(compared(request)) for request in theirs.drained]])

    def differ(self, difference, entry, what, ours, theirs):
        """Equal, once the difference that stands in the list was applied to each of them."""
        if difference and ours != theirs:
            self.differed.add(entry)
        of_daemon, of_sdk = (difference.daemon, difference.sdk) if difference else (same, same)
        self.equal(what, [of_daemon(one) for one in ours], [of_sdk(one) for one in theirs])

    def equal(self, what, given, wanted):
        if given != wanted:
            self.problems.append(f"{what}:\n      daemon {given}\n      SDK    {wanted}")


def stale(called, differed):
    """Entries of the list that are no differences."""
    listed = {(part, name) for part, of in (("REQUESTS", REQUESTS), ("ANSWERS", ANSWERS), ("TRAFFIC", TRAFFIC)) for name in of}
    return [f"{part} of differences.py: {name} does not differ" for part, name in sorted(listed - differed)
            if name in called]


def fail(text):
    raise SystemExit(f"    {text}")


def names_of(world):
    names = {name: f"{name}-{world}" for name in ("me", "peer", "other", "new")}
    return names | {"new_email": f"{world}@people.test", "tag": world}


def key_of(number):
    return f"compared-{number}"


def discovered(daemon_binary, folder):
    """The methods of the local API, with the names of their parameters."""
    # Nobody is asked: it has no key.
    daemon = Daemon(daemon_binary, folder, "http://127.0.0.1:9")
    daemon.start()
    document = daemon.call("rpc.discover")
    daemon.stop()
    return {method["name"]: {param["name"] for param in method["params"]} for method in document["methods"]}


def uncovered(of_sdk, local, release):
    """Methods of either side that are neither compared nor named with a reason."""
    left = methods(getattr(sdk, KIND)) - of_sdk - set(OF_SDK_ALONE)
    compared_ones = {step.local for step in calls.ALL if isinstance(step, calls.Call) and step.sdk in of_sdk}
    compared_ones |= frames.LOCAL
    elsewhere = {step.local for step in calls.ALL if getattr(step, "releases", None) and release not in step.releases}
    named = {name for name in local for entry in OF_DAEMON_ALONE
             if name == entry or entry.endswith(".") and name.startswith(entry)}
    both = (set(OF_SDK_ALONE) & of_sdk) | (named & compared_ones)
    gone = set(OF_SDK_ALONE) - methods(getattr(sdk, KIND))
    gone |= {entry for entry in OF_DAEMON_ALONE if not any(name.startswith(entry) for name in local)}
    return [f"{name} is neither compared nor named in differences.py"
            for name in sorted(left) + sorted(set(local) - compared_ones - elsewhere - named)] + [
            f"{name} is compared, though differences.py has a reason why not" for name in sorted(both)] + [
            f"{name} of differences.py is no method" for name in sorted(gone)]


def uncovered_of_realtime():
    """Members of the SDK's realtime client that are neither compared nor named with a reason."""
    members, named = frames.members(sdk.RealtimeClient), set(OF_REALTIME_ALONE)
    return [f"{name} of the realtime client is neither compared nor named in differences.py"
            for name in sorted(members - frames.COMPARED - named)] + [
            f"{name} is no member of the realtime client" for name in sorted((frames.COMPARED | named) - members)] + [
            f"{name} of the realtime client is compared, though differences.py has a reason why not"
            for name in sorted(frames.COMPARED & named)]


async def one_round(binaries, release, form, folder, worlds, keyed):
    """Both sides in one sandbox; a fresh one, for the platform counts what comes from one address."""
    sandbox_binary, daemon_binary = binaries
    with Sandbox(sandbox_binary, form=form) as sandbox:
        theirs = ThroughSdk(sandbox, worlds[0], keyed)
        await theirs.run(release)
        ours = ThroughDaemon(sandbox, worlds[1], keyed, daemon_binary, folder)
        await ours.run(release)
    comparison = Comparison(*worlds)
    for one, other in zip(ours.made, theirs.made, strict=True):
        comparison.call(one, other)
    comparison.traffic(ours.traffic, theirs.traffic)
    return comparison, {made.step.sdk for made in theirs.made}


async def main(sandbox_binary, daemon_binary, release, form):
    problems, of_sdk, differed = [], set(), set()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        local = discovered(daemon_binary, folder)
        takes_key = {name for name, params in local.items() if "idempotency_key" in params}
        for *worlds, with_keys in ROUNDS:
            keyed = takes_key if with_keys else set()
            binaries = sandbox_binary, daemon_binary
            comparison, called = await one_round(binaries, release, form, folder, worlds, keyed)
            problems += comparison.problems
            of_sdk |= called
            differed |= comparison.differed
            print(f"    {len(called)} methods, {comparison.requests} requests, {comparison.keys} with an idempotency key, "
                  f"{comparison.frames} frames; "
                  f"{comparison.passed_over} of the daemon's own passed over", flush=True)
    problems += stale(of_sdk | frames.COMPARED, differed) + uncovered(of_sdk, local, release) + uncovered_of_realtime()
    print(f"    {len(differed)} differences, each with its reason; {len(OF_SDK_ALONE)} methods of the SDK have no twin")
    for problem in problems[:SHOWN]:
        print(f"    {problem}")
    if problems:
        fail(f"{len(problems)} problems")


asyncio.run(main(*sys.argv[1:]))
