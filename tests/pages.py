"""The studio's page in a real browser, on a real server with a model that has learnt nothing."""

from __future__ import annotations

import base64
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
from hypothesis import HealthCheck, settings
from music import melody
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from studios import LIMITS

from musenet.midi import to_bytes
from musenet.studio.app import create_app
from musenet.studio.settings import Settings

FOLDER = Path(__file__).parents[1] / "musenet" / "studio" / "page"
PATIENCE = 60.0
"""Seconds that anything may take; what works takes far less."""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def chromium() -> Path | None:
    """The system's Chromium, or the one that Playwright has installed; None without any."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is not None:
        return Path(found)
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    return own if own.exists() else None


@contextmanager
def browsing() -> Iterator[Browser]:
    """A headless Chromium."""
    found = chromium()
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
    page.set_default_timeout(20_000)
    visitor = Visitor(page, address)
    page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    page.on(
        "console",
        lambda told: visitor.complaints.append(told.text) if told.type == "error" else None,
    )
    return visitor


def uploaded(address: str, seed: int = 1, notes: int = 48) -> tuple[str, str]:
    """The ids of a new project and of a melody in it."""
    project = httpx.post(f"{address}/v1/projects", json={"name": "Song"}).json()["id"]
    place = f"{address}/v1/projects/{project}/uploads?label=Tune"
    answer = httpx.post(place, content=to_bytes(melody(seed, notes)))
    assert answer.status_code == 201, answer.text
    return project, answer.json()["id"]


def place_of(visitor: Visitor, index: int) -> dict[str, float]:
    """Where a note is on the screen."""
    found: dict[str, float] = visitor.ask(
        """async (index) => {
          const {boxOf} = await import('/js/core/layout.js');
          const {roll} = studio;
          const box = boxOf(roll.layout, roll.viewport.span, roll.score.notes[index]);
          const canvas = roll.canvas.getBoundingClientRect();
          return {x: canvas.left + box.x + box.w / 2, y: canvas.top + box.y + box.h / 2,
                  end: canvas.left + box.x + box.w - 2, w: box.w, h: box.h, top: canvas.top,
                  left: canvas.left};
        }""",
        index,
    )
    return found


def drag(visitor: Visitor, start: tuple[float, float], stop: tuple[float, float]) -> None:
    mouse = visitor.page.mouse
    mouse.move(*start)
    mouse.down()
    mouse.move((start[0] + stop[0]) / 2, (start[1] + stop[1]) / 2, steps=3)
    mouse.move(*stop, steps=3)
    mouse.up()


def dropped(visitor: Visitor, name: str, data: bytes) -> None:
    """Drop a file on the page."""
    visitor.ask(
        """([name, text]) => {
          const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([bytes], name));
          document.body.dispatchEvent(
            new DragEvent('drop', {dataTransfer, bubbles: true, cancelable: true}));
        }""",
        [name, base64.b64encode(data).decode()],
    )


def compose(visitor: Visitor, **form: Any) -> None:
    """Ask for a piece, and wait until the page follows it."""
    visitor.ask(
        """(form) => {
          studio.store.change('form', form);
          studio.asked = false;
          studio.store.watch((state) => [state.job], ({job}) => { studio.asked ||= job !== null; });
        }""",
        {"minutes": 0.1, **form},
    )
    visitor.press("Control+Enter")
    visitor.until("studio.asked")


def composed(visitor: Visitor, count: int) -> list[dict[str, Any]]:
    """The candidates of the shown piece, when they are there."""
    visitor.until(f"studio.store.state.job === null && studio.store.state.nodes.length >= {count}")
    found: list[dict[str, Any]] = visitor.state("nodes.filter((node) => node.composition)")
    return found


some = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
"""For properties that are tried in a browser."""


def run(page: Page, module: str, script: str, argument: Any = None) -> Any:
    """The value of a script in which `m` is a module and `a` the argument."""
    text = f"async (a) => {{ const m = await import('/js/core/{module}.js'); return {script}; }}"
    return page.evaluate(text, argument)
