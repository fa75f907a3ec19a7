"""A headless Chromium, driven through a pipe in its DevTools protocol. Standard library only."""

import base64
import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path

PATIENCE_S = 30


class Chromium:
    """One browser with a profile of its own. `open` gives a tab."""

    def __init__(self, folder):
        to_browser, self.write = os.pipe()
        self.read, from_browser = os.pipe()
        command = [
            "chromium", "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}",
            "--hide-scrollbars", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--force-device-scale-factor=1", "about:blank",
        ]
        if os.geteuid() == 0:
            # Its own sandbox is not to be had for root.
            command.insert(1, "--no-sandbox")
        # The protocol is spoken on the file descriptors 3 and 4.
        line = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        with (folder / "chromium.log").open("w") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", line, "bash", *command], pass_fds=(to_browser, from_browser), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )
        os.close(to_browser)
        os.close(from_browser)
        self.buffer, self.number, self.events = b"", 0, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Its children write in the profile until they are gone.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        while select.select([self.read], [], [], PATIENCE_S)[0] and os.read(self.read, 1 << 20):
            pass

    def message(self, deadline):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.read], [], [], max(0, deadline - time.monotonic()))
            piece = os.read(self.read, 1 << 20) if ready else b""
            if not piece:
                raise SystemExit("    the browser does not answer, or has ended")
            self.buffer += piece
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, session=None, **params):
        """The result of one command; what happens meanwhile is kept in `events`."""
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        if session:
            request["sessionId"] = session
        os.write(self.write, json.dumps(request).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answer = self.message(deadline)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SystemExit(f"    {method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, url):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, session, target)
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.call(f"{domain}.enable")
        tab.call("Page.navigate", url=url)
        return tab


class Tab:
    """One page."""

    def __init__(self, browser, session, target):
        self.browser, self.session, self.target = browser, session, target

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)

    def call(self, method, **params):
        return self.browser.call(method, session=self.session, **params)

    def value(self, expression):
        """What an expression gives in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise SystemExit(f"    {expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def until(self, what, expression):
        """Waits until an expression is true in the page; what is not there yet is not true."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.value(f"(() => {{ try {{ return {expression} }} catch {{ return false }} }})()"):
            if time.monotonic() > deadline:
                text = self.value("document.title + '\\n' + document.body.innerText")
                raise SystemExit(f"    {what}: not within {PATIENCE_S} s; the page says:\n{text}")
            time.sleep(0.05)

    def shape(self, width, height, scheme):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.until("the colours", f"matchMedia('(prefers-color-scheme: {scheme})').matches")

    def press(self, key, code):
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)
        if key == "Enter":
            self.call("Input.dispatchKeyEvent", type="char", key=key, text="\r", windowsVirtualKeyCode=code)

    def picture(self, path: Path):
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def complaints(self):
        """Errors of scripts, breaches of the policy, and addresses asked for, since the browser began."""
        wrong, asked = [], set()
        for event in self.browser.events:
            params = event.get("params", {})
            if event.get("sessionId") != self.session:
                continue
            if event.get("method") == "Runtime.exceptionThrown":
                wrong.append(params["exceptionDetails"].get("text"))
            if event.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
                wrong.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
            if event.get("method") == "Network.requestWillBeSent":
                asked.add(params["request"]["url"])
        return wrong, asked
