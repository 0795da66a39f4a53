"""Playing at the page: clocks and gains, for nobody listens."""

from __future__ import annotations

import pytest
from pages import Visitor, uploaded
from playwright.sync_api import Route


def test_a_draft_is_played_while_it_is_composed(reader: Visitor) -> None:
    note = {"instrument": "piano", "velocity": 80, "duration": 12}
    grown = [
        {"candidate": 0, "tempos": [], "metres": [], "seconds": 0.5 * (half + 1),
         "notes": [{**note, "pitch": 60 + half, "onset": 24 * half, "start": 0.5 * half,
                    "stop": 0.5 * half + 0.25}]}
        for half in range(12)
    ]  # fmt: skip
    reader.ask("""() => {
      studio.store.change('job', {id: 'j', parent: null, state: 'running', of: 6, candidates: 1});
      studio.hear = (name, data) => studio.store.change('heard', {name, data}); }""")
    reader.ask("studio.hear('started', {candidates: 1, of: 6, ticks_per_beat: 24})")
    hear = "(events) => events.forEach((data) => studio.hear('notes', data))"
    reader.ask(hear, grown[:2])
    reader.until("studio.drafted?.composed === 1")
    reader.press("Space")
    reader.until("studio.player.position > 0.1 && studio.player.source.nodes.size")
    reader.until("studio.player.state === 'loading' && studio.player.position > 0.5")
    waits = reader.ask("studio.player.position")
    assert waits <= 1
    reader.ask(hear, grown[2:])
    reader.until(f"studio.player.state === 'playing' && studio.player.position > {waits}")
    reader.ask("studio.store.change('jobOver')")
    reader.until("studio.player.source.id === studio.store.state.shown")


def test_playback_follows_the_clock_of_the_device(reader: Visitor) -> None:
    reader.press("Space")
    reader.until("studio.player.state === 'playing'")
    clock = "[studio.player.position + (studio.player.context.outputLatency || 0), " \
            "studio.player.context.currentTime]"  # fmt: skip
    place, time = reader.ask(clock)
    reader.page.wait_for_timeout(400)
    later, now = reader.ask(clock)
    if reader.ask("studio.player.state") == "playing":
        assert later - place == pytest.approx(now - time, abs=0.06)
    assert later > place
    assert reader.ask("studio.player.source.segments.sounding.size") > 0
    reader.press("Space")
    still = reader.ask("studio.player.position")
    assert reader.ask("studio.player.state") == "stopped"
    reader.page.wait_for_timeout(100)
    assert reader.ask("studio.player.position") == still
    reader.press("Home")
    assert reader.ask("studio.player.position") == 0
    reader.press("ArrowRight")
    bars = reader.ask("studio.shownScore().bars")
    assert reader.ask("studio.player.position") == pytest.approx(bars[1]["start"])


def test_mute_solo_and_volume_are_gains_at_once(reader: Visitor) -> None:
    reader.press("Space")
    reader.until("studio.player.state === 'playing'")
    name = reader.ask("studio.shownScore().parts[0].instrument")
    gain = f"studio.player.mix.parts.get('{name}').gain.value"
    assert reader.ask(gain) == pytest.approx(1, abs=0.01)
    reader.click(f"Mute {name}")
    reader.until(f"{gain} < 0.01")
    assert reader.ask("studio.player.state") == "playing"
    assert reader.page.get_by_role("button", name=f"Mute {name}").get_attribute(
        "aria-pressed") == "true"  # fmt: skip
    reader.press("m")
    reader.until(f"{gain} > 0.99")
    reader.page.get_by_role("slider", name=f"Volume of {name}").fill("0.5")
    reader.until(f"Math.abs({gain} - 0.5) < 0.01")
    reader.click(f"Solo {name}")
    assert reader.ask("studio.player.mix.gains") == {name: 0.5}


def test_the_whole_mix_plays_where_there_are_no_stems(visitor: Visitor, address: str) -> None:
    project, node = uploaded(address, seed=5)
    error = '{"error": {"code": "not_installed", "message": "no stems here"}}'

    def refuse(route: Route) -> None:
        route.fulfill(status=501, body=error, content_type="application/json")

    visitor.page.route("**/stems", refuse)
    visitor.open(f"#project={project}&node={node}")
    visitor.until("studio.shownScore()")
    visitor.press("Space")
    visitor.until("studio.player.position > 0.1")
    assert "whole mix" in visitor.page.locator("#notice").inner_text()
    assert visitor.page.locator("#parts .mini").first.is_disabled()
    visitor.complaints[:] = [text for text in visitor.complaints if "501" not in text]


def test_two_versions_are_compared(reader: Visitor, address: str) -> None:
    reader.page.locator("#versions").get_by_role("button", name="Copy").click()
    reader.until("studio.store.state.nodes.length === 2")
    reader.page.get_by_label("Compare with").select_option(reader.state("nodes[0].id"))
    reader.page.locator("#roll-b").wait_for()
    reader.until("studio.other.score")
    reader.ask("document.activeElement.blur()")
    reader.press("Space")
    reader.until("studio.player.position > 0.2")
    first = reader.ask("studio.player.source.id")
    before = reader.ask("studio.player.position")
    reader.press("b")
    reader.until(f"studio.player.source.id !== '{first}'")
    assert reader.ask("studio.player.position") >= before
    reader.until("studio.player.state === 'playing'")
    assert reader.page.get_by_role("button", name="B", exact=True).get_attribute(
        "aria-pressed") == "true"  # fmt: skip
    reader.click("End comparing")
    assert reader.page.locator("#roll-b").is_hidden()
