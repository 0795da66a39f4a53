"""The studio's page in a real browser, on a real server with a model that has learnt nothing."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from composers import random_composer
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from studios import LIMITS

from musenet.studio.app import create_app
from musenet.studio.settings import Settings

PATIENCE = 60.0
"""Seconds that anything may take; what works takes far less."""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@contextmanager
def browsing() -> Iterator[Browser]:
    """A headless Chromium: the system's, or the one that Playwright has installed."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(_FLAGS))
        yield browser
        browser.close()


@contextmanager
def listening(folder: Path) -> Iterator[str]:
    """The address of a studio that listens on loopback."""
    app = create_app(Settings(folder, limits=LIMITS), random_composer)
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
        thread.start()
        address = f"http://127.0.0.1:{place.getsockname()[1]}"
        try:
            _wait_for(address)
            yield address
        finally:
            server.should_exit = True
            thread.join()


def _wait_for(address: str) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            if httpx.get(f"{address}/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("the studio does not get ready")


@dataclass
class Visitor:
    """Somebody at the page, who also sees what the browser complains of."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def ask(self, script: str, argument: Any = None) -> Any:
        """The value of some script on the page."""
        return self.page.evaluate(script, argument)

    def state(self, path: str) -> Any:
        """Something of the page's state."""
        return self.ask(f"studio.store.state.{path}")

    def until(self, script: str) -> Any:
        """Wait until some script is true, and give its value."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if value := self.ask(script):
                return value
            self.page.wait_for_timeout(40)
        raise AssertionError(f"never: {script}; {self.complaints}")

    def open(self, hash_: str = "") -> None:
        """Open the page, or open it again."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}/{hash_}")
        self.page.wait_for_selector("body[data-ready]", timeout=PATIENCE * 1000)

    def press(self, *keys: str) -> None:
        """Press keys."""
        for key in keys:
            self.page.keyboard.press(key)

    def click(self, name: str, role: Any = "button", *, exact: bool = True) -> None:
        """Click on something by what a screen reader calls it."""
        self.page.get_by_role(role, name=name, exact=exact).locator("visible=true").first.click()

    def stored(self) -> None:
        """Wait until edits are stored."""
        self.until("studio.store.state.saving === 'saved'")

    def api(self, path: str) -> Any:
        """What the server answers to GET."""
        response = httpx.get(f"{self.address}/{path}")
        assert response.status_code == 200, response.text
        return response.json()

    def score(self) -> dict[str, Any]:
        """The notes of the shown node, as the server has them."""
        found: dict[str, Any] = self.api(f"v1/nodes/{self.state('shown')}/score")
        return found


def visit(context: BrowserContext, address: str) -> Visitor:
    """A new visitor of a studio."""
    page = context.new_page()
    visitor = Visitor(page, address)
    page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    page.on(
        "console",
        lambda told: visitor.complaints.append(told.text) if told.type == "error" else None,
    )
    return visitor
