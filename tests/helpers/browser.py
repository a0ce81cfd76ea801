"""A browser for the tests of pages: one process, which is told over a pipe what to open (the DevTools protocol)."""

import json
import os
import select
import shutil
import subprocess
from pathlib import Path
from typing import Any

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
]
READS, WRITES = 3, 4  # the files that the browser has its pipes at
PATIENCE = 120.0
SAID = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")


class Browser:
    """Args: profile: an empty folder. Raises AssertionError where the browser says nothing."""

    def __init__(self, profile: Path) -> None:
        held = [os.open(os.devnull, os.O_RDONLY)]
        while held[-1] <= WRITES:  # so that none of the pipes made here has one of those numbers
            held.append(os.open(os.devnull, os.O_RDONLY))
        theirs, self._to = os.pipe()
        self._from, back = os.pipe()

        def wire() -> None:
            os.dup2(theirs, READS)
            os.dup2(back, WRITES)

        self._process = subprocess.Popen(
            [CHROMIUM, *FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(READS, WRITES),
            preexec_fn=wire,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for file in (*held, theirs, back):
            os.close(file)
        self._rest, self._asked = b"", 0
        self._events: list[dict[str, Any]] = []

    def browse(self, address: str, body: str, width: int = 1280, script: str = "") -> Any:
        """Open a page in a profile of its own, and return what a function with this body returns there, or what it
        promises. Fails on anything that is said on the console.

        Args:
            width: of the window, in pixels. script: run before.
        """
        self._events = []
        context = self._ask("Target.createBrowserContext")["browserContextId"]
        target = self._ask("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        page = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self._ask("Emulation.setDeviceMetricsOverride", page, **size)
        for domain in ("Page", "Runtime", "Log"):
            self._ask(f"{domain}.enable", page)
        self._ask("Page.navigate", page, url=address)
        while not any(e["method"] == "Page.loadEventFired" for e in self._events):
            self._events.append(self._hear())
        self._ask("Runtime.evaluate", page, expression=script)
        call = {"expression": f"(() => {{{body}}})()", "awaitPromise": True, "returnByValue": True}
        answer = self._ask("Runtime.evaluate", page, **call)
        self._ask("Target.disposeBrowserContext", browserContextId=context)
        errors = [e["params"] for e in self._events if e["method"] in SAID]
        assert not errors, errors
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def names(self, address: str) -> list[tuple[str, str]]:
        """Role and name of all that a screen reader would read of a page."""
        self._events = []
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        page = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._ask("Page.enable", page)
        self._ask("Page.navigate", page, url=address)
        while not any(e["method"] == "Page.loadEventFired" for e in self._events):
            self._events.append(self._hear())
        nodes = self._ask("Accessibility.getFullAXTree", page)["nodes"]
        self._ask("Target.closeTarget", targetId=target)
        return [(n["role"]["value"], n["name"]["value"]) for n in nodes if n.get("name") and not n["ignored"]]

    def close(self) -> None:
        self._ask("Browser.close")
        self._process.wait(PATIENCE)
        os.close(self._to)
        os.close(self._from)

    def _ask(self, method: str, page: str | None = None, **params: Any) -> dict[str, Any]:
        self._asked += 1
        message = {"id": self._asked, "method": method, "params": params} | ({"sessionId": page} if page else {})
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data) :]
        while (said := self._hear()).get("id") != self._asked:
            self._events.append(said)
        assert "error" not in said, f"{method}: {said['error']}"
        return said["result"]

    def _hear(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            assert select.select([self._from], [], [], PATIENCE)[0], "the browser says nothing"
            data = os.read(self._from, 2**16)
            assert data, "the browser is gone"
            self._rest += data
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)
