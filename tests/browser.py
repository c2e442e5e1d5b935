"""A headless Chromium driven over its debugging protocol, for tests of the report as people use it."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
# A checker of accessibility, from the npm registry; .ci/run installs it.
AXE_PACKAGE = "axe-core@4.14.1"
AXE = Path(__file__).resolve().parent.parent / "build/axe/node_modules/axe-core/axe.min.js"
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-extensions",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio",
         "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-port=0", "--remote-allow-origins=*")


class Browser:
    """One page of one browser. What the page logs, throws or asks for over the network is kept in `problems` and
    `requests`."""

    def __init__(self, width: int = 1440, height: int = 1000):
        executable = next((found for name in NAMES if (found := shutil.which(name))), None)
        if executable is None:
            pytest.skip("no Chromium or Chrome is installed on this machine")
        websocket = pytest.importorskip("websocket")
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._process = subprocess.Popen([executable, *FLAGS, f"--user-data-dir={self._folder.name}", "about:blank"],
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port_file = Path(self._folder.name, "DevToolsActivePort")
        deadline = time.monotonic() + 30
        while not (port_file.exists() and "\n" in port_file.read_text()):
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.close()
                pytest.skip("the installed browser does not start here")
            time.sleep(0.05)
        port = port_file.read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            target = next(t for t in json.load(answer) if t["type"] == "page")
        self._socket = websocket.create_connection(target["webSocketDebuggerUrl"], timeout=300)
        self._count = 0
        self.problems: list[str] = []
        self.requests: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.size(width, height)

    def close(self) -> None:
        if hasattr(self, "_socket"):
            self._socket.close()
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def call(self, method: str, **parameters):
        """The result of one command of the protocol."""
        self._count += 1
        self._socket.send(json.dumps({"id": self._count, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._count:
                if "error" in message:
                    raise AssertionError(f"{method}: {message['error']['message']}")
                return message["result"]
            self._note(message)

    def _note(self, message) -> None:
        method, what = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(what["exceptionDetails"], ensure_ascii=False)[:500])
        elif method == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning"):
            self.problems.append(json.dumps(what["args"], ensure_ascii=False)[:500])
        elif method == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
            self.problems.append(what["entry"]["text"])
        elif method == "Network.requestWillBeSent" and not what["request"]["url"].startswith(("data:", "blob:")):
            self.requests.append(what["request"]["url"])

    def size(self, width: int, height: int, scale: float = 1, mobile: bool = False) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                  mobile=mobile)

    def open(self, path: Path, fragment: str = "") -> None:
        """Load a page afresh and wait until its script has run."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=path.as_uri() + fragment)
        deadline = time.monotonic() + 30
        while not self.run("location.protocol === 'file:' && document.readyState === 'complete'"):
            assert time.monotonic() < deadline, f"{path.name} does not load"
            time.sleep(0.02)

    def run(self, script: str):
        """The value of an expression in the page; a promise is waited for."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise AssertionError(json.dumps(result["exceptionDetails"], ensure_ascii=False)[:800])
        return result["result"].get("value")

    def violations(self) -> list[str]:
        """What axe-core finds wrong with how the page serves those who do not see or do not use a mouse: rule, how
        grave, and the first element. Skips the test where axe-core is not installed."""
        if not AXE.is_file():
            pytest.skip(f"axe-core is not installed here: npm install --prefix build/axe {AXE_PACKAGE}")
        self.run(AXE.read_text(encoding="utf-8") + ";0")
        found = self.run("axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations.map((v) => "
                         "`${v.id} (${v.impact}): ${v.nodes.length} × ${v.nodes[0].target} "
                         "${v.nodes[0].failureSummary}`))")
        assert self.run("axe.version") == AXE_PACKAGE.split("@")[1]
        return found

    def picture(self, path: Path, full: bool = False) -> None:
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=full)["data"]
        path.write_bytes(base64.b64decode(data))

    def pdf(self, path: Path) -> None:
        data = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"]
        path.write_bytes(base64.b64decode(data))
