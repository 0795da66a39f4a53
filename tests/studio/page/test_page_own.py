"""Styles of one's own on the page: offered, marked, kept, and told when they are gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from own_toys import make
from pages import Visitor, compose, composed, run
from playwright.sync_api import Page

from musenet.checkpoint import fingerprint


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MUSENET_STYLES", str(tmp_path))
    return tmp_path


def test_one_is_found_marked_composed_with_and_kept(visitor: Visitor, folder: Path) -> None:
    visitor.open()
    search = visitor.page.get_by_role("combobox", name="Search styles")
    file = make(folder / "my-style.safetensors", pieces=20)
    search.fill("my st")
    search.blur()
    search.focus()
    visitor.page.get_by_role("option", name="My-style your own · 20 pieces").wait_for()
    visitor.press("Enter")
    assert "yours" in visitor.page.locator(".blend .name").inner_text()
    compose(visitor, candidates=1, instruments=["piano"], seed="3", opening=None)
    (node, *_) = composed(visitor, 1)
    assert node["recipe"]["prompt"]["styles"] == [["my-style", 1]]
    assert node["recipe"]["own_styles"] == {"my-style": fingerprint(file)}
    assert "Your own\nmy-style" in visitor.page.locator("#versions dl").inner_text()
    visitor.press("Control+e")
    assert visitor.page.locator(".warning").count() == 0
    link = visitor.page.get_by_label("Link", exact=True).input_value()
    assert "--style my-style:1" in visitor.page.get_by_label("Command", exact=True).input_value()
    visitor.open(link[link.index("#") :])
    assert visitor.state("form.styles") == {"my-style": 1}


def test_one_that_is_gone_is_marked_and_refused(visitor: Visitor, folder: Path) -> None:
    file = make(folder / "my-style.safetensors")
    visitor.open()
    compose(visitor, candidates=1, instruments=["piano"], styles={"my-style": 1})
    composed(visitor, 1)
    make(file, seed=5)
    visitor.ask("window.dispatchEvent(new Event('focus'))")
    other = fingerprint(file)
    visitor.until(f"studio.store.state.styles.some((style) => style.fingerprint === '{other}')")
    visitor.press("Control+e")
    assert "has changed since" in visitor.page.locator(".warning").inner_text()
    visitor.press("Escape")
    file.unlink()
    visitor.ask("window.dispatchEvent(new Event('focus'))")
    visitor.page.locator(".blend .name", has_text="not here").wait_for()
    visitor.press("Control+Enter")
    alert = visitor.page.get_by_role("alert")
    alert.wait_for()
    assert "Unknown style 'my-style'" in alert.inner_text()
    visitor.complaints[:] = [text for text in visitor.complaints if "400" not in text]


def test_one_that_cannot_be_used_says_why(visitor: Visitor, folder: Path) -> None:
    make(folder / "others-style.safetensors", base="others")
    visitor.open()
    visitor.page.get_by_role("combobox", name="Search styles").fill("others-style")
    option = visitor.page.get_by_role("option", name="made for other weights")
    assert option.get_attribute("aria-disabled") == "true"
    visitor.press("Enter")
    assert "cannot be used" in visitor.page.get_by_role("alert").inner_text()
    assert "others-style" not in visitor.state("form.styles")


def test_ones_own_are_offered_first_unless_they_cannot_be_used(modules: Page) -> None:
    styles = [
        {"name": "bach", "kind": "composer", "works": 900},
        {"name": "jazz", "kind": "family", "works": 5},
        {"name": "mine", "kind": "own", "works": None, "fault": None},
        {"name": "broken", "kind": "own", "works": None, "fault": "the file is damaged"},
    ]
    script = "m.suggested(a, {bach: 1}, 2).map((style) => style.name)"
    assert run(modules, "prompt", script, styles) == ["mine", "jazz"]
    assert run(modules, "prompt", "a.map(m.styleWords)", styles) == [
        "composer · 900 pieces", "family · 5 pieces", "your own", "your own · the file is damaged",
    ]  # fmt: skip
