"""How the page looks, and what keys and screen readers find."""

from __future__ import annotations

import re

import pytest
from pages import FOLDER, Visitor, place_of

WIDTHS = (360, 400, 700, 1100, 1400, 2000)


def test_the_style_map_blends(visitor: Visitor) -> None:
    visitor.open()
    common = {"kind": "genre", "aliases": [], "works": 9, "arranged": 0, "y": 0.1}
    places = (("jazz", -0.5), ("rock", 0.5))
    styles = [{**common, "name": name, "family": name, "x": x} for name, x in places]
    visitor.ask("(styles) => studio.store.change('catalogue', {styles})", styles)
    visitor.ask("studio.store.change('form', {styles: {}})")
    visitor.click("Style map")
    visitor.page.locator("[data-style=jazz]").focus()
    visitor.press("Enter")
    visitor.page.locator("[data-style=rock]").click()
    assert set(visitor.state("form.styles")) == {"jazz", "rock"}
    visitor.press("Escape")
    visitor.page.get_by_role("slider", name="How much rock").fill("0.5")
    assert visitor.page.locator(".blend output").all_inner_texts() == ["67 %", "33 %"]


def test_hovering_tells_the_note_and_wheels_zoom(reader: Visitor) -> None:
    place = place_of(reader, 0)
    reader.page.mouse.move(place["x"], place["y"])
    tip = reader.page.locator("#tip")
    tip.wait_for()
    assert "velocity" in tip.inner_text()
    before = reader.ask("studio.viewport.span.scale")
    reader.page.mouse.wheel(0, -400)
    reader.until(f"studio.viewport.span.scale > {before}")
    reader.press("0")
    assert reader.ask("studio.viewport.span.scale") == pytest.approx(before)
    reader.page.mouse.move(5, 5)
    reader.page.locator("#tip").wait_for(state="hidden")


def test_keys_are_told_and_windows_close(reader: Visitor) -> None:
    reader.press("?")
    window = reader.page.get_by_role("dialog", name="Keys")
    window.wait_for()
    assert "play or pause" in window.inner_text()
    assert "object" not in window.inner_text()
    reader.press("Escape")
    window.wait_for(state="detached")
    reader.press("/")
    reader.until("document.activeElement.id === 'style-search'")
    reader.press("e")
    assert reader.state("editing") is False


def test_a_server_that_is_away_is_told(reader: Visitor) -> None:
    reader.page.context.set_offline(True)
    reader.page.locator("#versions").get_by_role("button", name="Copy").click()
    alert = reader.page.get_by_role("alert")
    alert.wait_for()
    assert "musenet studio" in alert.inner_text()
    reader.page.context.set_offline(False)
    reader.complaints.clear()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_width_and_theme(reader: Visitor, theme: str) -> None:
    reader.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    for width in WIDTHS:
        reader.page.set_viewport_size({"width": width, "height": 800})
        for tab in ("compose", "music", "versions"):
            reader.ask(f"studio.store.change('tab', '{tab}')")
            reader.page.wait_for_timeout(30)
            assert reader.ask("document.documentElement.scrollWidth") <= width
            assert reader.ask(UNNAMED) == []
            assert reader.ask(CUT, width) == []
    assert reader.ask("document.querySelectorAll('[id]').length") == reader.ask(
        "new Set([...document.querySelectorAll('[id]')].map((e) => e.id)).size"
    )


def test_a_roll_that_was_never_seen_follows_all_the_same(reader: Visitor) -> None:
    """On a narrow screen it has no size while another tab is shown."""
    reader.page.set_viewport_size({"width": 400, "height": 800})
    reader.open(reader.ask("location.hash"))
    reader.until("studio.shownScore()")
    assert reader.page.locator("#roll").is_hidden()
    reader.ask("Object.assign(studio.viewport, {fit: false, span: {start: 0, scale: 60}})")
    reader.ask("studio.seek(studio.shownScore().seconds)")
    reader.ask("studio.store.change('tab', 'music')")
    reader.until("studio.roll.layout")
    seen = reader.ask("studio.viewport.span")
    assert seen["scale"] == 60
    assert 0 < seen["start"] < reader.ask("studio.shownScore().seconds")


UNNAMED = """[...document.querySelectorAll('button, input, select, [role=button], canvas')]
  .filter((e) => e.checkVisibility())
  .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length
                   || e.getAttribute('aria-hidden')))
  .map((e) => e.outerHTML)"""
CUT = """(width) => [...document.querySelectorAll('button, input, select')]
  .filter((e) => e.checkVisibility() && !e.closest('#candidates'))
  .filter((e) => e.getBoundingClientRect().right > width + 1)
  .map((e) => e.outerHTML)"""


def test_the_theme_is_changed_and_kept(visitor: Visitor) -> None:
    visitor.page.emulate_media(color_scheme="light")
    visitor.open()
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = visitor.ask(paper)
    visitor.click("Light or dark")
    dark = visitor.ask(paper)
    assert dark != light
    visitor.open()
    assert visitor.ask(paper) == dark


def test_text_can_be_read(reader: Visitor) -> None:
    """Contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3) of the theme's text on its grounds."""
    for theme in ("light", "dark"):
        reader.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        pairs = [(text, ground) for text in ("text", "quiet", "accent", "bad", "good")
                 for ground in ("surface", "paper", "accent-soft")]  # fmt: skip
        for text, ground in [*pairs, ("on-accent", "accent")]:
            if ground == "accent-soft" and text in ("bad", "good"):
                continue
            told = reader.ask(
                "(names) => names.map((n) => getComputedStyle(document.documentElement)"
                ".getPropertyValue('--' + n).trim())",
                [text, ground],
            )
            assert contrast(*told) >= 4.5, (theme, text, ground)


def contrast(one: str, other: str) -> float:
    """Of two colours (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_page_keeps_to_its_policy(reader: Visitor) -> None:
    """No inline style or script stands on it, and one that did would not pass."""
    reader.page.add_init_script(
        "addEventListener('securitypolicyviolation', "
        "(event) => (window.broken ??= []).push(event.violatedDirective));"
    )
    reader.open(reader.ask("location.hash"))
    reader.until("studio.shownScore()")
    for name in ("Style map", "Export", "Keys (?)", "Projects"):
        reader.click(name)
        reader.page.wait_for_timeout(50)
        reader.press("Escape")
    for tab in ("compose", "music", "versions"):
        reader.ask(f"studio.store.change('tab', '{tab}')")
    reader.press("Space", "e", "Control+a")
    reader.page.wait_for_timeout(100)
    assert reader.ask("window.broken ?? []") == []
    reader.ask("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")
    reader.until("window.broken?.length")
    assert reader.ask("window.broken") == ["style-src-attr"]
    reader.complaints.clear()


def test_files_are_small_and_need_nothing_from_outside() -> None:
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    html = (FOLDER / "index.html").read_text()
    assert not re.search(r"\son\w+=|\sstyle=|<style|<script>", html)
    for path in files:
        text = path.read_text()
        assert path.suffix in {".html", ".css", ".js", ".svg"}
        if path.suffix == ".js":
            assert text.count("\n") <= 400, path
        addresses = re.findall(r"https?://[\w.]+", text)
        assert set(addresses) <= {"http://www.w3.org"}, path
