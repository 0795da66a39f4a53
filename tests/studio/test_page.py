"""What a person does at the page, in a headless browser, on a real server."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from music import melody
from pages import Visitor, browsing, listening, visit
from playwright.sync_api import Browser, Route

from musenet.midi import to_bytes

FOLDER = Path(__file__).parents[2] / "musenet" / "studio" / "page"
WIDTHS = (360, 400, 700, 1100, 1400, 2000)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with listening(tmp_path_factory.mktemp("page")) as made:
        yield made


@pytest.fixture(scope="module")
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


def uploaded(address: str, seed: int = 1, notes: int = 48) -> tuple[str, str]:
    """The ids of a new project and of a melody in it."""
    project = httpx.post(f"{address}/v1/projects", json={"name": "Song"}).json()["id"]
    place = f"{address}/v1/projects/{project}/uploads?label=Tune"
    answer = httpx.post(place, content=to_bytes(melody(seed, notes)))
    assert answer.status_code == 201, answer.text
    return project, answer.json()["id"]


@pytest.fixture
def reader(visitor: Visitor, address: str) -> Visitor:
    """A visitor who looks at a melody."""
    project, node = uploaded(address)
    visitor.open(f"#project={project}&node={node}")
    visitor.until("studio.shownScore() && studio.roll.layout")
    return visitor


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
    visitor.ask("(form) => studio.store.change('form', form)", {"minutes": 0.1, **form})
    visitor.press("Control+Enter")


def composed(visitor: Visitor, count: int) -> list[dict[str, Any]]:
    """The candidates of the shown piece, when they are there."""
    visitor.until(f"studio.store.state.job === null && studio.store.state.nodes.length >= {count}")
    found: list[dict[str, Any]] = visitor.state("nodes.filter((node) => node.composition)")
    return found


def test_compose_simply_and_watch_candidates_come(visitor: Visitor) -> None:
    visitor.open()
    visitor.page.get_by_role("combobox", name="Search styles").fill("mozart")
    visitor.press("Enter")
    visitor.click("Solo piano")
    visitor.page.get_by_text("2", exact=True).click()
    visitor.ask("""() => { studio.seen = [];
      studio.store.watch((state) => [state.job], ({job}) =>
        job && studio.seen.push(job.drafts.map((draft) => draft.notes.length))); }""")
    visitor.ask("studio.store.change('form', {minutes: 0.25})")
    visitor.page.locator(".primary", has_text="Compose").click()
    nodes = composed(visitor, 2)
    assert [node["recipe"]["prompt"]["instruments"] for node in nodes] == [["piano"]] * 2
    assert [style for style, _ in nodes[0]["recipe"]["prompt"]["styles"]] == ["mozart"]
    growth = [sum(counts) for counts in visitor.ask("studio.seen") if counts]
    assert growth == sorted(growth)
    assert len({count for count in growth if count}) > 1
    assert visitor.page.locator("#candidates .card").count() == 2
    best = next(node["id"] for node in nodes if node["rank"] == 1)
    visitor.until(f"studio.store.state.shown === '{best}'")
    assert re.search(r"Piano roll: \d+ notes, \d+ bars; piano",
                     visitor.page.locator("#roll").get_attribute("aria-label") or "")  # fmt: skip
    assert visitor.page.get_by_role("treeitem").count() == 2
    visitor.page.get_by_role("button", name=re.compile("^Candidate B")).click()
    assert visitor.state("nodes.find((n) => n.id === studio.store.state.shown).candidate") == 1


def test_a_draft_is_played_while_it_is_composed(visitor: Visitor) -> None:
    visitor.open()
    visitor.click("New project") if False else None
    compose(visitor, minutes=2.0, candidates=2, instruments=["piano"])
    visitor.until("studio.store.state.draft !== null && studio.drafted.composed > 2")
    visitor.press("Space")
    visitor.until("studio.store.state.job === null || studio.player.position > 0.2")
    if visitor.state("job") is not None:
        visitor.click("Stop")
    visitor.until("studio.store.state.job === null")


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


def test_drop_a_midi_file_and_continue_it(visitor: Visitor) -> None:
    visitor.open()
    dropped(visitor, "my tune.mid", to_bytes(melody(3, 16)))
    visitor.page.get_by_text("Goes on from my tune").wait_for()
    given = visitor.state("form.opening.id")
    before = visitor.score()
    keep = visitor.page.get_by_label("Last bar that is kept")
    assert keep.input_value() == str(len(before["bars"]))
    length = before["seconds"] / 60 + 0.1
    compose(visitor, candidates=2, minutes=length)
    made = [node for node in composed(visitor, 3) if node["parent"] == given]
    assert len(made) == 2
    visitor.until("studio.store.state.nodes.find((n) => n.id === studio.store.state.shown).rank")
    after = visitor.score()
    scale = after["ticks_per_beat"] / before["ticks_per_beat"]
    kept = [[note["pitch"], note["onset"] * scale] for note in before["notes"]]
    assert [[note["pitch"], note["onset"]] for note in after["notes"]][: len(kept)] == kept
    assert visitor.page.locator("[role=treeitem][aria-level='2']").count() == 2


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [("song.mp3", b"ID3", "is no MIDI file"), ("song.mid", b"not music", "."),
     ("song.mid", bytes(300_000), "too large")],
)  # fmt: skip
def test_a_wrong_file_is_told_in_plain_words(
    visitor: Visitor, name: str, data: bytes, words: str
) -> None:
    visitor.open()
    nodes = visitor.state("nodes.length")
    dropped(visitor, name, data)
    alert = visitor.page.get_by_role("alert")
    alert.wait_for()
    assert words in alert.inner_text()
    assert visitor.state("nodes.length") == nodes
    visitor.complaints[:] = [text for text in visitor.complaints if "400" not in text]


def test_a_theme_and_played_notes_are_openings(visitor: Visitor) -> None:
    visitor.open()
    theme = visitor.state("openings[0]")
    visitor.page.get_by_label("Theme").select_option(theme["id"])
    assert visitor.state("form.opening.id") == theme["id"]
    visitor.click("Begin from nothing")
    visitor.click("Play it…")
    visitor.press("a", "s", "d")
    visitor.page.get_by_label("C5", exact=True).click()
    visitor.click("Go on from this")
    visitor.page.get_by_text("Goes on from Played").wait_for()
    visitor.until("studio.shownScore()")
    assert [note["pitch"] for note in visitor.score()["notes"]] == [60, 62, 64, 72]


def test_go_on_from_any_bar(reader: Visitor) -> None:
    bars = reader.ask("studio.shownScore().bars")
    reader.ask("(second) => studio.seek(second)", bars[2]["start"] + 0.01)
    reader.press("g")
    assert reader.state("form.opening.bar") == 3
    compose(reader, candidates=1, minutes=bars[3]["start"] / 60 + 0.1)
    (node,) = composed(reader, 2)
    assert node["kept_bars"] == 3
    reader.until(f"studio.store.state.shown === '{node['id']}' && studio.roll.sections.length")
    assert reader.ask("studio.roll.sections.map((section) => section.bar)") == [1, 4]


def test_notes_are_edited_with_keys_and_undone(reader: Visitor) -> None:
    first = reader.score()["notes"][0]
    reader.press("e", "n", "ArrowUp", "Shift+ArrowUp", "Shift+ArrowRight")
    reader.stored()
    after = reader.score()["notes"][0]
    assert after["pitch"] == first["pitch"] + 13
    assert after["duration"] > first["duration"]
    reader.press("Control+z", "Control+z", "Control+z")
    reader.until("studio.store.state.history.future.length === 3")
    assert reader.score()["notes"][0] == first
    reader.press("Control+Shift+z")
    reader.until("studio.store.state.history.future.length === 2")
    assert reader.score()["notes"][0]["pitch"] == first["pitch"] + 1
    assert "bar 1 beat 1" in reader.page.locator("#live").inner_text()


def test_notes_are_added_deleted_copied_and_pasted(reader: Visitor) -> None:
    count = len(reader.score()["notes"])
    reader.press("e", "Home", "a")
    reader.stored()
    assert len(reader.score()["notes"]) >= count
    reader.press("Control+a", "Delete")
    reader.stored()
    assert reader.score()["notes"] == []
    reader.press("Control+z")
    reader.until("studio.store.state.history.future.length === 1")
    reader.press("n", "Control+x")
    reader.stored()
    left = reader.score()
    reader.press("End", "Control+v")
    reader.stored()
    pasted = reader.score()
    assert len(pasted["notes"]) == len(left["notes"]) + 1
    assert pasted["notes"][-1]["onset"] >= left["notes"][-1]["onset"]


def test_notes_are_dragged_lengthened_and_drawn(reader: Visitor) -> None:
    reader.page.get_by_role("button", name="Edit", exact=True).click()
    for _ in range(4):
        reader.press("+")
    reader.ask("studio.reveal(0)")
    before = reader.score()
    place = place_of(reader, 0)
    drag(reader, (place["x"], place["y"]), (place["x"], place["y"] - 2 * place["h"]))
    reader.stored()
    moved = reader.score()["notes"][0]
    assert moved["pitch"] == before["notes"][0]["pitch"] + 2
    assert moved["onset"] == before["notes"][0]["onset"]
    place = place_of(reader, 0)
    drag(reader, (place["end"], place["y"]), (place["end"] + place["w"], place["y"]))
    reader.stored()
    assert reader.score()["notes"][0]["duration"] > moved["duration"]
    reader.page.mouse.dblclick(place["x"], place["top"] + 45)
    reader.stored()
    assert len(reader.score()["notes"]) == len(before["notes"]) + 1


def test_bars_are_chosen_transposed_trimmed_and_composed_anew(reader: Visitor) -> None:
    before = reader.score()
    place = place_of(reader, 0)
    x = reader.ask("""(bar) => studio.roll.canvas.getBoundingClientRect().left + 62 +
      (studio.shownScore().bars[bar].start + 0.05 - studio.viewport.span.start)
      * studio.viewport.span.scale""", 1)  # fmt: skip
    y = place["top"] + 20
    drag(reader, (x, y), (x + 12, y))
    assert reader.state("region.from") == 2
    reader.ask("studio.store.change('region', {from: 2, to: 3})")
    reader.click("Transpose by -1 semitones") if False else reader.click(
        "Transpose by 1 semitones"
    )
    reader.until("studio.store.state.history.past.length === 1")
    bars = before["bars"]
    inside = [bars[1]["tick"] <= note["onset"] < bars[3]["tick"] for note in before["notes"]]
    change = [
        new["pitch"] - old["pitch"]
        for old, new in zip(before["notes"], reader.score()["notes"], strict=True)
    ]
    assert change == [int(one) for one in inside]
    reader.ask("studio.store.change('region', {from: 2, to: 3})")
    reader.click("Keep only these")
    reader.until("studio.shownScore()?.bars.length === 2")
    assert len(reader.score()["bars"]) == 2
    reader.page.locator("#notice").get_by_role("button", name="Undo").click()
    reader.until(f"studio.shownScore()?.bars.length === {len(bars)}")
    reader.ask("studio.store.change('form', {candidates: 1})")
    reader.ask("studio.store.change('region', {from: 2, to: 3})")
    reader.click("Compose anew")
    (node,) = composed(reader, 2)
    assert node["parent"] == reader.state("nodes[0].id")


def test_versions_are_labelled_copied_deleted_and_brought_back(reader: Visitor) -> None:
    tune = reader.state("shown")
    label = reader.page.get_by_label("Label of this version")
    label.fill("A fine tune")
    label.press("Enter")
    reader.until("studio.store.state.nodes[0].label === 'A fine tune'")
    reader.page.locator("#versions").get_by_role("button", name="Copy").click()
    reader.until("studio.store.state.nodes.length === 2")
    reader.page.get_by_role("treeitem", selected=True).focus()
    reader.press("Delete")
    reader.until("studio.store.state.nodes.length === 1")
    assert reader.state("shown") == tune
    reader.page.locator("#notice").get_by_role("button", name="Undo").click()
    reader.until("studio.store.state.nodes.length === 2")
    reader.page.get_by_role("treeitem").first.focus()
    reader.press("Control+z")
    reader.until("studio.store.state.nodes[0].label === 'Tune'")
    reader.press("ArrowDown")
    assert reader.state("shown") != tune


def test_two_versions_are_compared(reader: Visitor, address: str) -> None:
    reader.page.locator("#versions").get_by_role("button", name="Copy").click()
    reader.until("studio.store.state.nodes.length === 2")
    reader.page.get_by_label("Compare with").select_option(reader.state("nodes[0].id"))
    reader.page.locator("#roll-b").wait_for()
    reader.until("studio.other.score")
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


def test_all_is_there_after_a_reload(reader: Visitor) -> None:
    reader.ask("studio.store.change('form', {styles: {jazz: 1}, minutes: 1.5})")
    reader.press("m")
    name = reader.page.get_by_label("Name of the project")
    name.fill("Evening song")
    name.press("Enter")
    project = reader.state("project.id")
    for _ in range(100):
        told = reader.api(f"v1/projects/{project}")
        if told["name"] == "Evening song" and told["view"].get("mixer"):
            break
        reader.page.wait_for_timeout(50)
    shown = reader.state("shown")
    reader.open(reader.ask("location.hash"))
    assert reader.state("project.name") == "Evening song"
    assert reader.state("form.styles") == {"jazz": 1}
    assert reader.state("form.minutes") == 1.5
    assert reader.state("shown") == shown
    assert next(iter(reader.state("mixer").values()))["mute"] is True
    assert reader.page.title() == "Evening song · musenet"


def test_projects_are_listed_copied_and_deleted(reader: Visitor) -> None:
    first = reader.state("project.id")
    reader.click("Projects")
    reader.click("New project")
    reader.until(f"studio.store.state.project.id !== '{first}'")
    made = reader.state("project.id")
    assert reader.state("nodes") == []
    reader.click("Projects")
    reader.click("Delete New music")
    reader.press("Escape")
    reader.until(f"studio.store.state.project?.id !== '{made}'")
    reader.page.locator("#notice").get_by_role("button", name="Undo").click()
    reader.until(f"studio.store.state.project?.id === '{made}'")


KINDS = {"mid": b"MThd", "wav": b"RIFF", "flac": b"fLaC", "ogg": b"OggS", "png": b"\x89PNG",
         "pdf": b"%PDF", "score.pdf": b"%PDF", "mxl": b"PK"}  # fmt: skip


def test_every_format_is_exported(reader: Visitor, tmp_path: Path) -> None:
    reader.press("Control+e")
    offered = reader.state("about.renderings")
    for name in offered:
        with reader.page.expect_download(timeout=60_000) as download:
            reader.page.locator(f"[data-format='{name}']").click()
        path = tmp_path / name
        download.value.save_as(path)
        data = path.read_bytes()
        assert len(data) > 40
        assert data.startswith(KINDS.get(name, b""))
        assert download.value.suggested_filename.endswith(name.split(".")[-1])
    assert {"mid", "wav", "png"} <= set(offered)


def test_a_link_and_a_command_make_it_again(visitor: Visitor) -> None:
    visitor.open()
    compose(visitor, candidates=1, seed="5", styles={"jazz": 1}, instruments=["piano"],
            opening=None)  # fmt: skip
    visitor.until("studio.store.state.job === null && studio.shownScore()")
    notes = [[note["pitch"], note["onset"]] for note in visitor.score()["notes"]]
    visitor.press("Control+e")
    link = visitor.page.get_by_label("Link", exact=True).input_value()
    line = visitor.page.get_by_label("Command", exact=True).input_value()
    assert line.startswith("musenet compose --style jazz:1 --instrument piano --minutes 0.1")
    assert line.endswith("--candidates 1 --seed 5")
    visitor.open(link[link.index("#") :])
    assert visitor.state("form.seed") == "5"
    visitor.press("Control+Enter")
    visitor.until("studio.store.state.job === null && studio.shownScore()")
    assert [[note["pitch"], note["onset"]] for note in visitor.score()["notes"]] == notes


def test_the_style_map_blends(visitor: Visitor) -> None:
    visitor.open()
    styles = [{"name": name, "kind": "genre", "aliases": [], "family": name, "works": 9,
               "arranged": 0, "x": x, "y": 0.1} for name, x in (("jazz", -0.5), ("rock", 0.5))]  # fmt: skip
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
