"""What a person does at the page, in a headless browser, on a real server."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest
import soundfile
import symusic
import verovio
from music import melody
from pages import Visitor, compose, composed, dropped, uploaded

from musenet.midi import to_bytes


def test_compose_simply_and_watch_candidates_come(visitor: Visitor) -> None:
    visitor.open()
    visitor.page.get_by_role("combobox", name="Search styles").fill("mozart")
    visitor.press("Enter")
    visitor.click("Solo piano")
    visitor.page.get_by_role("radio", name="2", exact=True).check()
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


def test_composing_is_stopped_and_nothing_kept(visitor: Visitor, address: str) -> None:
    project, _ = uploaded(address, seed=9)
    visitor.open(f"#project={project}")
    place, long = f"{address}/v1/compositions", {"minutes": 3.0, "candidates": 4}
    before = [httpx.post(place, json=long).json()["id"] for _ in range(2)]
    compose(visitor, minutes=3.0, candidates=4, opening=None)
    visitor.page.get_by_role("button", name="Stop", exact=True).click()
    visitor.until("studio.store.state.job === null")
    assert "Nothing of it is kept" in visitor.page.locator("#notice").inner_text()
    assert len(visitor.api(f"v1/projects/{project}")["tree"]) == 1
    for other in before:
        httpx.delete(f"{place}/{other}")


def test_a_refused_wish_leaves_no_project(visitor: Visitor) -> None:
    visitor.open()
    visitor.ask("studio.store.change('project', null)")
    known = {project["id"] for project in visitor.api("v1/projects")["projects"]}
    visitor.ask("studio.store.change('form', {chords: 'H13 ?', minutes: 0.25})")
    visitor.page.locator(".primary", has_text="Compose").click()
    alert = visitor.page.get_by_role("alert")
    alert.wait_for()
    assert "H13" in alert.inner_text()
    assert visitor.state("project") is None
    assert {project["id"] for project in visitor.api("v1/projects")["projects"]} == known
    visitor.ask("studio.store.change('form', {chords: ''})")
    visitor.page.locator(".primary", has_text="Compose").click()
    composed(visitor, visitor.state("form.candidates"))
    assert visitor.state("project.id") not in known
    visitor.complaints[:] = [text for text in visitor.complaints if "400" not in text]


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
    notes, seconds = reader.score()["notes"], reader.score()["seconds"]
    reader.press("Control+e")
    offered = reader.state("about.renderings")
    for name in offered:
        with reader.page.expect_download(timeout=60_000) as download:
            reader.page.locator(f"[data-format='{name}']").click()
        path = tmp_path / f"piece.{name}"
        download.value.save_as(path)
        data = path.read_bytes()
        assert len(data) > 40
        assert data.startswith(KINDS.get(name, b""))
        assert download.value.suggested_filename.endswith(name.split(".")[-1])
    assert {"mid", "wav", "mp3", "png", "musicxml"} <= set(offered)
    read = symusic.Score(tmp_path / "piece.mid").resample(480)
    assert [[n.time, n.pitch, n.duration] for track in read.tracks for n in track.notes] == [
        [note["onset"], note["pitch"], note["duration"]] for note in notes
    ]
    for name in {"wav", "flac", "mp3", "ogg"} & set(offered):
        sound, rate = soundfile.read(tmp_path / f"piece.{name}")
        assert seconds <= len(sound) / rate <= seconds + 10
        assert abs(sound).max() > 0.01
    engraver = verovio.toolkit()
    for name in ("musicxml", "mxl"):
        assert engraver.loadFile(str(tmp_path / f"piece.{name}")), engraver.getLog()
        assert engraver.renderToMIDIFile(str(tmp_path / "played.mid"))
        tracks = symusic.Score(tmp_path / "played.mid").tracks
        played = sorted(note.pitch for track in tracks for note in track.notes)
        assert played == sorted(note["pitch"] for note in notes)
    pages = ElementTree.parse(tmp_path / "piece.score.svg").getroot().findall("{*}svg")
    assert len(pages) == engraver.getPageCount()
    assert (tmp_path / "piece.score.pdf").read_bytes().count(b"/Type /Page ") == len(pages)


def test_sections_are_edited_composed_and_shown(visitor: Visitor) -> None:
    visitor.open()
    visitor.page.locator("summary", has_text="Sections").click()
    visitor.click("Add a section")
    begins = visitor.page.get_by_label("Section 1: begins at")
    begins.fill("0:08")
    begins.press("Enter")
    visitor.page.get_by_label("Section 1: instruments", exact=True).select_option("cello")
    visitor.page.get_by_label("Section 1: style", exact=True).select_option("jazz")
    visitor.page.get_by_label("Section 1: density").select_option("light")
    visitor.page.locator("summary", has_text="More").click()
    visitor.page.get_by_label("Keep to the style").fill("2")
    compose(visitor, candidates=1, minutes=0.25, instruments=["piano"], styles={"mozart": 1})
    (node,) = composed(visitor, 1)
    (section,) = node["recipe"]["prompt"]["sections"]
    assert [section[name] for name in ("at", "instruments", "styles", "density")] == [
        8.0, ["cello"], [["jazz", 1.0]], 1.5,
    ]  # fmt: skip
    assert node["recipe"]["sampling"]["guidance"] == 2
    assert set(node["instruments"]) == {"piano", "cello"}
    visitor.until("studio.roll.sections.length === 2")
    assert visitor.ask("studio.roll.sections[1].name") == "0:08 Jazz · cello · light"
    visitor.click("Section 1: instruments: remove cello")
    visitor.click("Remove section 1")
    assert visitor.state("form.sections") == []
    visitor.click("Same again")
    assert [one["at"] for one in visitor.state("form.sections")] == [8]


def test_bars_composed_anew_are_watched(reader: Visitor) -> None:
    given = reader.state("shown")
    before = len(reader.score()["notes"])
    reader.ask("""() => { studio.seen = [];
      studio.store.watch((state) => [state.job], ({job}) =>
        job && studio.seen.push(job.drafts[0].notes.length)); }""")
    form = {"candidates": 1, "minutes": 0.1, "styles": {}, "sections": [], "guidance": 1}
    reader.ask("(form) => studio.store.change('form', form)", form)
    reader.page.get_by_label("Add a part").select_option("cello")
    (node,) = composed(reader, 2)
    assert node["parent"] == given
    seen = [count for count in reader.ask("studio.seen") if count]
    assert seen == sorted(seen)
    assert seen[0] >= before
    assert seen[-1] > before


def test_a_link_and_a_command_make_it_again(visitor: Visitor, address: str) -> None:
    project, _ = uploaded(address, seed=7)
    visitor.open(f"#project={project}")
    compose(visitor, candidates=1, seed="5", styles={"jazz": 1}, instruments=["piano"])
    first = made_now(visitor, 2)
    visitor.press("Control+e")
    link = visitor.page.get_by_label("Link", exact=True).input_value()
    line = visitor.page.get_by_label("Command", exact=True).input_value()
    assert line.startswith("musenet compose --style jazz:1 --instrument piano --minutes 0.1")
    assert line.endswith("--candidates 1 --seed 5")
    visitor.open(link[link.index("#") :])
    assert visitor.state("form.seed") == "5"
    visitor.press("Control+Enter")
    assert made_now(visitor, 1) == first


def made_now(visitor: Visitor, count: int) -> list[list[int]]:
    """Pitches and onsets of what has just been composed."""
    composed(visitor, count)
    visitor.until("studio.store.state.nodes.find((n) => n.id === studio.store.state.shown).rank")
    return [[note["pitch"], note["onset"]] for note in visitor.score()["notes"]]
