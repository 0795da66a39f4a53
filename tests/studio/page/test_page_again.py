"""The same again: what the form, a link and a command line ask for is what a piece was made of."""

from __future__ import annotations

import base64
import json
import re
import shlex
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import Visitor, compose, composed, run, some, uploaded
from playwright.sync_api import Page

from musenet.cli import main
from musenet.quantise import METRES

RECIPE: dict[str, Any] = {
    "prompt": {"styles": [["jazz", 1.0]], "instruments": ["piano"], "minutes": 1.5, "tempo": None,
               "metre": None, "notes": "", "key": None, "chords": None, "density": None,
               "dynamics": None, "sections": []},
    "sampling": {"temperature": 1, "top_p": 0.98, "guidance": 1.0}, "seed": 7,
    "candidates": 2, "at": None,
}  # fmt: skip
ARRANGED: dict[str, Any] = {
    "prompt": {"at": 0.0, "styles": [["jazz", 1.0]], "instruments": ["electric bass"],
               "tempo": None, "density": 1.5, "dynamics": "mf", "chords": None, "key": None,
               "bars": [3, 6], "keep": True},
    "sampling": {"temperature": 1, "top_p": 0.9, "guidance": 1.0}, "seed": 7, "candidates": 2,
}  # fmt: skip


@some
@given(
    tempo=st.none() | st.sampled_from([60, 96]) | st.floats(24, 300),
    metre=st.none() | st.sampled_from([f"{over}/{under}" for over, under in METRES]),
    top_p=st.floats(0.1, 1),
    seed=st.integers(0, 2**53 - 1),
)
def test_a_link_asks_for_the_same(
    modules: Page, tempo: float | None, metre: str | None, top_p: float, seed: int
) -> None:
    prompt = {**RECIPE["prompt"], "tempo": tempo, "metre": metre}
    sampling = {**RECIPE["sampling"], "top_p": top_p}
    recipe = {**RECIPE, "prompt": prompt, "sampling": sampling, "seed": seed}
    asked = run(modules, "prompt", "m.request(m.decoded(m.encoded(m.formOf(a))))", recipe)
    told = [asked.get(name) for name in ("tempo", "metre", "seed", "guidance")]
    assert told == [tempo, metre, seed, 1]
    assert asked.get("top_p", 0.98) == top_p


@pytest.mark.parametrize("seed", ["abc", "-1", "1.5", "9" * 16])
def test_a_seed_that_is_none_is_told(modules: Page, seed: str) -> None:
    script = """(() => { try { return m.request({...m.BLANK, seed: a}); }
      catch (error) { return error.message; } })()"""
    assert f"The seed “{seed}” cannot be had" in run(modules, "prompt", script, seed)
    assert "bars" in run(modules, "prompt", "m.arrangement({...m.BLANK, seed: a}, {bars: 1})", seed)


def test_halves_of_characters_do_not_come_in_by_a_link(modules: Page) -> None:
    opening = {"kind": "theme", "id": "saints", "title": "Saints \ud83d"}
    told = {"styles": {"a\ud83d": 1}, "notes": "x\udc00", "opening": opening}
    link = base64.urlsafe_b64encode(json.dumps(told).encode()).decode()
    found = run(modules, "prompt", "m.decoded(a)", link)
    assert (found["styles"], found["notes"]) == ({"a\ufffd": 1}, "x\ufffd")
    assert found["opening"] == {**opening, "title": "Saints \ufffd"}


def test_the_command_of_what_was_composed_into_a_piece(
    modules: Page, capsys: pytest.CaptureFixture[str]
) -> None:
    line = run(modules, "prompt", "m.command(a, 'given.mid')", ARRANGED)
    assert line == (
        "musenet arrange given.mid --style jazz:1 --instrument 'electric bass' --bars 3-6 --keep"
        " --density 1.5 --dynamics mf --top-p 0.9 --guidance 1 --candidates 2 --seed 7"
    )
    assert main(shlex.split(line)[1:]) == 2
    assert "given.mid" in capsys.readouterr().err  # all but the file is understood
    whole = {**ARRANGED, "prompt": {**ARRANGED["prompt"], "bars": None, "keep": False}}
    assert "--bars" not in run(modules, "prompt", "m.command(a, 'given.mid')", whole)
    assert run(modules, "prompt", "a.map(m.isArranged)", [whole, RECIPE]) == [True, False]


def test_what_was_composed_into_a_piece_has_a_command_alone(reader: Visitor) -> None:
    form = {"candidates": 1, "styles": {}, "sections": [], "seed": ""}
    reader.ask("(form) => studio.store.change('form', form)", form)
    reader.ask("studio.store.change('region', {from: 2, to: 3})")
    reader.click("Compose anew")
    (node,) = composed(reader, 2)
    reader.until(f"studio.store.state.shown === '{node['id']}'")
    actions = reader.page.locator("#versions .chips")
    actions.get_by_role("button", name="Copy").wait_for()
    assert actions.get_by_role("button", name="Same again").count() == 0
    reader.press("Control+e")
    line = reader.page.get_by_label("Command", exact=True).input_value()
    assert line.startswith("musenet arrange given.mid --bars 2-3 --guidance 1")
    assert "NaN" not in line
    assert reader.page.get_by_label("Link", exact=True).count() == 0
    dialog = reader.page.get_by_role("dialog").inner_text()
    assert "export that one as given.mid first" in dialog
    assert "--again" not in dialog


def test_what_the_form_has_no_word_for_is_asked_for_again(visitor: Visitor, address: str) -> None:
    project, given = uploaded(address, seed=11)
    odd = {"project": project, "tempo": 97, "metre": "7/4", "density": 2.5, "top_p": 0.9,
           "minutes": 0.1, "candidates": 1, "seed": 3, "instruments": ["piano"]}  # fmt: skip
    made = httpx.post(f"{address}/v1/compositions", json=odd).json()
    visitor.open(f"#project={project}")
    composed(visitor, 2)
    node = visitor.api(f"v1/compositions/{made['id']}")["nodes"][0]
    visitor.ask("(id) => studio.show(id)", node)
    visitor.click("Same again")
    assert visitor.page.get_by_role("radio", name="97", exact=True).is_checked()
    visitor.page.locator("summary", has_text="More").click()
    assert visitor.page.get_by_label("Metre").input_value() == "7/4"
    assert visitor.page.get_by_label("Density", exact=True).input_value() == "2.5"
    visitor.press("Control+Enter")
    (first, again) = composed(visitor, 3)
    for name in ("prompt", "sampling", "seed"):
        assert again["recipe"][name] == first["recipe"][name]
    notes = [visitor.api(f"v1/nodes/{one['id']}/score")["notes"] for one in (first, again)]
    assert notes[0] == notes[1]
    visitor.page.get_by_role("button", name="Top-p 0.9").click()
    assert visitor.state("form.top_p") == 0.98
    visitor.page.get_by_role("radio", name="Calm").check()
    visitor.page.get_by_role("radio", name="97", exact=True).wait_for(state="detached")
    assert given in visitor.ask("studio.store.state.nodes.map((node) => node.id)")


def test_a_continuation_goes_on_from_the_same_again(reader: Visitor) -> None:
    given = reader.state("shown")
    opening = {"kind": "node", "id": given, "title": "Tune", "bar": 2, "bars": 9}
    compose(reader, candidates=1, opening=opening, minutes=0.3)
    (node,) = composed(reader, 2)
    reader.until(f"studio.store.state.shown === '{node['id']}'")
    reader.ask("studio.store.change('form', {opening: null})")
    reader.click("Same again")
    reader.page.get_by_text("Goes on from Tune").wait_for()
    assert [reader.state("form.opening.id"), reader.state("form.opening.bar")] == [given, 2]
    reader.press("Control+e")
    told = reader.page.get_by_role("dialog").inner_text()
    assert re.search(r"--again piece\.mid --from given\.mid", told)
