"""Editing notes, bars and versions at the page."""

from __future__ import annotations

from pages import Visitor, composed, drag, place_of


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
    assert "at least one note" in reader.page.get_by_role("alert").inner_text()
    reader.press("Escape", "n", "n", "Control+x")
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
    reader.click("Transpose by 1 semitones")
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
