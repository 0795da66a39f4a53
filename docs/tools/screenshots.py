"""Screenshots of the studio, from pieces that the bundled weights compose.

    python docs/tools/screenshots.py [--out docs/images] [--widths 400 1000 2000]

With `--widths` every view is taken at each of these widths in the light and in the dark theme, and
windows, empty states and errors too, to be looked at; else each at the size at which docs/studio.md
shows it. It needs Playwright and a Chromium.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HEIGHT = 860
QUARTET = {
    "styles": {"haydn": 1, "mozart": 0.6}, "instruments": ["violin", "viola", "cello"],
    "minutes": 1.0, "candidates": 4, "seed": 12,
}  # fmt: skip
TRIO = {
    "styles": {"beethoven": 1, "schubert": 0.5}, "instruments": ["piano", "violin", "cello"],
    "minutes": 1.0, "candidates": 3, "seed": 4, "sections": [{"at": 30, "density": "dense"}],
}  # fmt: skip
SOLO = {
    "styles": {"chopin": 1, "debussy": 0.5}, "instruments": ["piano"], "minutes": 2,
    "candidates": 4, "mood": "calm",
}  # fmt: skip
LARGEST = 120 * 1024
"""Bytes above which a picture gets by with 256 colours."""


@dataclass(frozen=True)
class View:
    """A screenshot: what is opened, what is done there, and how large and light it is."""

    hash: str
    act: Callable[[Page], None]
    width: int = 1280
    theme: str = "light"


def main() -> None:
    """Compose, visit, and write the pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    parser.add_argument("--widths", type=int, nargs="*", default=[])
    parser.add_argument("--only", nargs="*", default=[], help="names of views, by default all")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with _server() as address, sync_playwright() as playwright:
        views = _views(address)
        path = shutil.which("chromium") or playwright.chromium.executable_path
        browser = playwright.chromium.launch(executable_path=path, args=["--disable-gpu"])
        shots = _every(views, arguments.widths) if arguments.widths else views
        wanted = tuple(arguments.only) or ("",)
        for name, view in shots.items():
            if not name.startswith(wanted):
                continue
            picture = _taken(browser, address, view)
            (arguments.out / f"{name}.png").write_bytes(picture)
            print(f"{name}.png: {len(picture) / 1024:.0f} KiB")
        browser.close()


def _every(views: dict[str, View], widths: Sequence[int]) -> dict[str, View]:
    """Views, and what opens over the best piece, at all widths and in both themes."""
    piece = views["candidates"].hash
    looked = views | {
        "versions": View(piece, _on("versions")),
        "empty": View(f"#compose={_EMPTY}", _on("music")),
        "compared": View(views["dark"].hash, _compared),
        "more": View(views["simple"].hash, _unfolded),
        "error": View(f"#compose={_EMPTY}", _failed),
    }
    looked |= {name: View(piece, _click(label)) for name, label in _WINDOWS.items()}
    return {
        f"{name}-{width}-{theme}": replace(view, width=width, theme=theme)
        for name, view in looked.items()
        for width in widths
        for theme in ("light", "dark")
    }


_WINDOWS = {
    "map": "Style map", "play": "Play it…", "export": "Export (Ctrl+E)", "keys": "Keys (?)",
    "projects": "Projects",
}  # fmt: skip
_EMPTY = "e30"
"""A form that asks for nothing in particular, as a link has it."""


def _click(label: str) -> Callable[[Page], None]:
    """Presses a button."""

    def act(page: Page) -> None:
        _on("compose")(page)
        page.get_by_role("button", name=label, exact=True).locator("visible=true").first.click()

    return act


def _compared(page: Page) -> None:
    _on("versions")(page)
    page.evaluate("""() => {
      const {nodes, shown} = studio.store.state;
      studio.compare(nodes.find((node) => node.id !== shown).id);
    }""")


def _unfolded(page: Page) -> None:
    _on("compose")(page)
    page.evaluate("""() => {
      studio.store.change('form', {sections: [{at: 30, styles: {jazz: 1}, instruments: ['cello',
        'acoustic bass', 'drums'], density: 'light', dynamics: '', key: '', tempo: null,
        chords: null}]});
      for (const details of document.querySelectorAll('#compose details')) details.open = true;
      document.querySelector('#seed').scrollIntoView();
    }""")


def _failed(page: Page) -> None:
    _on("compose")(page)
    page.evaluate("studio.store.change('form', {styles: {'my-lost-style': 1, jazz: 0.5}})")
    page.keyboard.press("Control+Enter")


def _views(address: str) -> dict[str, View]:
    """Views of pieces that are composed for them."""
    quartet = _composed(
        address, {**QUARTET, "project": _project(address, "Evening quartet", QUARTET)}
    )
    best = quartet["nodes"][0]
    more = {**QUARTET, "parent": best, "keep_bars": 8, "candidates": 2, "seed": 5}
    onward = _composed(address, {**more, "project": quartet["project"]})["nodes"][0]
    _asked(address, "PATCH", f"/v1/nodes/{onward}", {"label": "Brighter ending"})
    trio = _composed(address, {**TRIO, "project": _project(address, "Trio in two moods", TRIO)})
    shown = f"#project={quartet['project']}&node={best}"
    return {
        "simple": View(f"#project={_project(address, 'New music', SOLO)}", _on("compose")),
        "candidates": View(shown, _on("music"), 1440),
        "editing": View(f"#project={trio['project']}&node={trio['nodes'][0]}", _edit),
        "dark": View(f"#project={quartet['project']}&node={onward}", _on("versions"), theme="dark"),
        "phone": View(shown, _on("music"), 400),
    }  # fmt: skip


def _on(tab: str) -> Callable[[Page], None]:
    """Shows a tab, where there is no room for all."""
    return lambda page: page.evaluate("(tab) => studio.store.change('tab', tab)", tab)


def _edit(page: Page) -> None:
    page.evaluate("""() => {
      const {notes} = studio.shownScore();
      studio.store.change('editing', true);
      Object.assign(studio.viewport, {fit: false, span: {start: 24, scale: 58}});
      const chosen = notes.map((_, index) => index).filter((index) =>
        notes[index].instrument === 'piano' && notes[index].start > 29 && notes[index].start < 33);
      studio.store.change('choose', chosen);
      studio.store.change('tab', 'music');
      studio.seek(28);
    }""")


def _taken(browser: Browser, address: str, view: View) -> bytes:
    """A picture of a view."""
    context = browser.new_context(
        viewport={"width": view.width, "height": HEIGHT},
        color_scheme=view.theme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    page.goto(f"{address}/{view.hash}")
    page.wait_for_selector("body[data-ready]")
    while page.evaluate("Boolean(studio.store.state.shown) && !studio.shownScore()"):
        page.wait_for_timeout(50)
    view.act(page)
    page.wait_for_timeout(700)
    picture = page.screenshot()
    context.close()
    return _small(picture)


def _small(picture: bytes) -> bytes:
    """A picture in few bytes."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").save(buffer, "PNG", optimize=True)
        if buffer.tell() > LARGEST:
            buffer = io.BytesIO()
            few = image.convert("RGB").quantize(256, kmeans=2, dither=Image.Dither.NONE)
            few.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


@contextmanager
def _server() -> Iterator[str]:
    """The address of a studio of its own, ready to compose."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "musenet", "studio", "--port", "0", "--data", folder]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            address = next(word for word in line.split() if "://" in word).rstrip("/")
            while _asked(address, "GET", "/v1/about")["model"] is None:
                time.sleep(0.2)
            yield address
        finally:
            process.terminate()
            process.wait()


def _project(address: str, name: str, wish: dict[str, Any]) -> str:
    """A new project whose form asks for what is wished."""
    made: str = _asked(address, "POST", "/v1/projects", {"name": name})["id"]
    form = {name: value for name, value in wish.items() if name not in ("seed", "sections")}
    _asked(address, "PATCH", f"/v1/projects/{made}", {"view": {"form": form}})
    return made


def _composed(address: str, wish: dict[str, Any]) -> dict[str, Any]:
    """A composition when it is finished."""
    told: dict[str, Any] = _asked(address, "POST", "/v1/compositions", wish)
    while told["state"] in ("queued", "running"):
        time.sleep(0.2)
        told = _asked(address, "GET", f"/v1/compositions/{told['id']}")
    assert told["state"] == "finished", told
    return told


def _asked(address: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(address + path, data, headers, method=method)) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
