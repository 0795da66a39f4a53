"""Visitors of the studio's page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pages import FOLDER, Visitor, browsing, chromium, listening, uploaded, visit
from playwright.sync_api import Browser, Page, Route

collect_ignore_glob = [] if chromium() else ["test_page*.py"]
"""The page needs a Chromium, which pip does not install."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with listening(tmp_path_factory.mktemp("page")) as made:
        yield made


@pytest.fixture(scope="module")  # while it is open, no other event loop may run
def browser() -> Iterator[Browser]:
    with browsing() as made:
        yield made


@pytest.fixture
def visitor(browser: Browser, address: str) -> Iterator[Visitor]:
    """Somebody with a browser of their own, of whom nothing is complained in the end."""
    context = browser.new_context(viewport={"width": 1500, "height": 900}, accept_downloads=True)
    made = visit(context, address)
    yield made
    context.close()
    assert made.complaints == []


@pytest.fixture
def reader(visitor: Visitor, address: str) -> Visitor:
    """A visitor who looks at a melody."""
    project, node = uploaded(address)
    visitor.open(f"#project={project}&node={node}")
    visitor.until("studio.shownScore() && studio.roll.layout")
    return visitor


@pytest.fixture(scope="module")
def modules(browser: Browser) -> Iterator[Page]:
    """A browser that finds the page's modules, and nothing else, at an address."""
    host = "http://page.test/"

    def answer(route: Route) -> None:
        path = FOLDER / route.request.url.removeprefix(host)
        kind = "text/javascript" if path.suffix == ".js" else "text/html"
        route.fulfill(body=path.read_bytes() if path.is_file() else b"", content_type=kind)

    made = browser.new_page()
    made.route("**/*", answer)
    made.goto(host)
    yield made
    made.close()
