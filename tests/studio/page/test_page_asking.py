"""The page's modules of asking and keeping, run in the browser that the page runs in."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import run, some
from playwright.sync_api import Page

from musenet.composing.sampling import Sampling
from musenet.composing.sections import DENSITIES, parse_section
from musenet.studio.store import KEPT_REVISIONS

NODES = [
    {"id": "a", "parent": None, "composition": "x", "candidate": 0, "rank": 2, "created": 1},
    {"id": "b", "parent": None, "composition": "x", "candidate": 1, "rank": 1, "created": 1},
    {"id": "c", "parent": "a", "composition": "y", "candidate": 0, "rank": 1, "created": 2},
    {"id": "d", "parent": "c", "composition": None, "candidate": None, "rank": None, "created": 3},
    {"id": "e", "parent": "gone", "composition": None, "candidate": None, "rank": None,
     "created": 4},
]  # fmt: skip


def test_the_tree_is_in_order_and_folds(modules: Page) -> None:
    rows = "m.rows(a).map((row) => [row.node.id, row.depth, row.below])"
    assert run(modules, "tree", rows, NODES) == [
        ["b", 0, 0], ["a", 0, 1], ["c", 1, 1], ["d", 2, 0], ["e", 0, 0],
    ]  # fmt: skip
    folded = "m.rows(a, new Set(['a'])).map((row) => row.node.id)"
    assert run(modules, "tree", folded, NODES) == ["b", "a", "e"]


def test_deleting_takes_the_branch_and_shows_what_is_near(modules: Page) -> None:
    gone = "['a', 'c', 'd'].map((id) => { const left = m.afterDeleting(a, id);"
    script = gone + " return [left.left.map((node) => node.id), left.next]; })"
    assert run(modules, "tree", script, NODES) == [
        [["b", "e"], "b"], [["a", "b", "e"], "a"], [["a", "b", "c", "e"], "c"],
    ]  # fmt: skip


def test_sections_tell_where_each_continuation_took_over(modules: Page) -> None:
    nodes = [
        {"id": "a", "parent": None, "kept_bars": None, "label": "Start"},
        {"id": "b", "parent": "a", "kept_bars": 8, "label": "Middle"},
        {"id": "c", "parent": "b", "kept_bars": 12, "label": "End"},
        {"id": "d", "parent": "c", "kept_bars": 4, "label": "Other end"},
    ]
    for node, wanted in (("c", [[1, "Start"], [9, "Middle"], [13, "End"]]),
                         ("d", [[1, "Start"], [5, "Other end"]])):  # fmt: skip
        script = f"m.sections(a, a.find((n) => n.id === '{node}')).map((s) => [s.bar, s.name])"
        assert run(modules, "tree", script, nodes) == wanted


@some
@given(steps=st.lists(st.sampled_from(["do", "undo", "redo"]), max_size=30))
def test_undo_and_redo_keep_every_step(modules: Page, steps: list[str]) -> None:
    script = """(() => {
      let [history, made] = [m.EMPTY, 0];
      const told = [];
      for (const step of a) {
        if (step === 'do') history = m.done(history, {kind: 'edit', node: String(made++)});
        else history = step === 'undo' ? m.undone(history) : m.redone(history);
        told.push([history.past.map((s) => s.node), history.future.map((s) => s.node)]);
      }
      return told; })()"""
    past: list[str] = []
    future: list[str] = []
    made = 0
    for step, told in zip(steps, run(modules, "history", script, steps), strict=True):
        if step == "do":
            past, future, made = [*past, str(made)], [], made + 1
        elif step == "undo" and past:
            past, future = past[:-1], [past[-1], *future]
        elif step == "redo" and future:
            past, future = [*past, future[0]], future[1:]
        assert told == [past, future]


def test_history_is_as_long_as_the_server_s_and_drops_what_cannot_be(modules: Page) -> None:
    script = """(() => {
      let history = m.EMPTY;
      for (let step = 0; step < 300; step += 1) history = m.done(history, {node: step});
      const { past } = history;
      history = m.undone(m.undone(history));
      const left = m.dropped(m.dropped(history, past.at(-1)), past[0]);
      return [past.length, left.past.length, left.past[0].node, left.future]; })()"""
    length, left, first, future = run(modules, "history", script)
    assert length == KEPT_REVISIONS
    assert (left, first, future) == (length - 3, 300 - length + 1, [{"node": 298}])


def test_events_grow_the_drafts(modules: Page) -> None:
    script = """(() => {
      let job = m.begun({id: 'j', parent: null, state: 'queued', position: 1, wait_seconds: 3,
                         of: 60, candidates: 2});
      const said = [m.progressWords(job)];
      const note = {instrument: 'cello', pitch: 50, velocity: 70, onset: 0, duration: 24, start: 0,
                    stop: 0.5};
      const hear = (name, data) => { job = m.heard(job, name, data); };
      hear('started', {candidates: 2, of: 60, ticks_per_beat: 24});
      hear('notes', {candidate: 1, notes: [note], tempos: [{tick: 0, bpm: 120, start: 0}],
                     metres: [], seconds: 12});
      hear('progress', {seconds: 12, of: 60});
      said.push(m.progressWords(job));
      hear('candidate', {candidate: 1, rank: 1, node: {id: 'n'}});
      hear('unheard of', {});
      const score = m.draftScore(job, job.drafts[1], {cello: '#111111'});
      hear('end', {state: 'finished', error: null});
      return [said, job.drafts.map((draft) => [draft.notes.length, draft.rank, draft.node]),
              score.parts.map((part) => part.colour), score.composed, score.bars.length,
              m.isOver(job)]; })()"""
    assert run(modules, "draft", script) == [
        ["Waiting behind 1, about 3 s", "Composing 20 %"], [[0, None, None], [1, 1, "n"]],
        ["#111111"], 12, 1, True,
    ]  # fmt: skip


def test_the_request_says_what_the_form_says(modules: Page) -> None:
    script = """(() => {
      const form = {...m.BLANK, styles: {mozart: 1, jazz: 0.5}, instruments: ['piano'],
                    mood: 'calm', metre: '3/4', seed: '7', density: 'light'};
      const node = {kind: 'node', id: 'n', title: 'x', bar: 4};
      return [m.request(form, 'p'), m.request({...form, opening: node, seed: ''}, 'p'),
              m.arrangement(form, {bars: [2, 3]})]; })()"""
    plain, onward, anew = run(modules, "prompt", script)
    common = {
        "styles": {"mozart": 1, "jazz": 0.5}, "instruments": ["piano"], "minutes": 1,
        "candidates": 4, "temperature": 1, "project": "p", "density": "light",
    }  # fmt: skip
    assert plain == {**common, "seed": 7, "tempo": 60, "metre": "3/4"}
    assert onward == {**common, "parent": "n", "keep_bars": 4}
    assert anew == {
        "styles": common["styles"], "candidates": 4, "temperature": 1, "density": "light",
        "bars": [2, 3],
    }  # fmt: skip


@some
@given(
    styles=st.dictionaries(st.text(min_size=1, max_size=8), st.floats(0.1, 1), max_size=3),
    notes=st.text(max_size=20),
    seed=st.integers(0, 2**40),
)
def test_a_link_brings_the_form_back(
    modules: Page, styles: dict[str, float], notes: str, seed: int
) -> None:
    told = {"styles": styles, "notes": notes, "seed": str(seed)}
    script = "m.decoded(m.encoded({...m.BLANK, ...a}))"
    found = run(modules, "prompt", script, told)
    assert {name: found[name] for name in told} == told


@pytest.mark.parametrize("text", ["", "%%", "bm90IGpzb24", "bnVsbA"])
def test_a_broken_link_tells_nothing_wrong(modules: Page, text: str) -> None:
    found = run(modules, "prompt", "[m.decoded(a), m.BLANK]", text)
    assert found[0] in (None, found[1])


def test_fields_of_the_wrong_kind_are_left_out(modules: Page) -> None:
    script = "m.sound({minutes: 'x', styles: [], mood: 'x', instruments: ['piano'], opening: {}})"
    blank = run(modules, "prompt", "m.BLANK")
    assert run(modules, "prompt", script) == {**blank, "instruments": ["piano"]}


def test_the_command_is_one_for_a_shell(modules: Page) -> None:
    recipe = {
        "prompt": {"styles": [["mozart", 1.0], ["tin pan alley", 0.5]],
                   "instruments": ["electric bass"], "minutes": 1.5, "tempo": 96, "metre": "3/4",
                   "notes": "C4 E4", "key": "F# minor", "sections": [RECIPE_SECTION]},
        "sampling": {"temperature": 0.9, "top_p": 0.98, "guidance": 2.0}, "seed": 7,
        "candidates": 4, "at": 5,
    }  # fmt: skip
    assert run(modules, "prompt", "m.command(a, 'given.mid')", recipe) == (
        "musenet compose --style mozart:1 --style 'tin pan alley:0.5' --instrument 'electric bass'"
        " --minutes 1.5 --tempo 96 --metre 3/4 --key 'F# minor' --notes 'C4 E4' --section '30"
        " style=tin-pan-alley:1 instrument=electric-bass,drums density=light key=Eb-minor"
        " chords=C | F'"
        " --from given.mid --at 5 --temperature 0.9 --guidance 2 --candidates 4 --seed 7"
    )


RECIPE_SECTION = {
    "at": 30.0, "styles": [["tin pan alley", 1.0]], "instruments": ["electric bass", "drums"],
    "tempo": None, "density": 1.5, "dynamics": None, "chords": "C | F", "key": "Eb minor",
}  # fmt: skip


def test_the_command_of_a_section_is_understood(modules: Page) -> None:
    script = "m.option(m.ofRecipe({sections: [a]})[0])"
    section = parse_section(run(modules, "plan", script, RECIPE_SECTION))
    told = json.dumps(asdict(section)).replace("-", " ")  # as names are compared
    assert json.loads(told) == RECIPE_SECTION


def test_what_is_usual_is_what_the_server_does(modules: Page) -> None:
    usual = asdict(Sampling())
    assert run(modules, "prompt", "m.DRAWN") == {
        "temperature": usual["temperature"], "top_p": usual["top_p"], "guidance": None,
    }  # fmt: skip
    assert run(modules, "plan", "m.DENSITIES") == DENSITIES


def test_sections_are_added_in_order_and_asked_for(modules: Page) -> None:
    script = """(() => {
      let sections = m.added(m.added([], 2), 2);
      const first = sections.map((section) => section.at);
      sections = m.changed(sections, 0, {at: m.secondsOf('1:45'), instruments: ['cello']});
      return [first, sections.map(m.wish), m.removed(sections, 0).map(m.words),
              [m.secondsOf('90'), m.secondsOf('noon'), m.densityWord(3), m.densityWord(2.5)]];
    })()"""
    first, wishes, left, times = run(modules, "plan", script)
    assert first == [60, 90]
    assert wishes == [{"at": 90}, {"at": 105, "instruments": ["cello"]}]
    assert left == ["cello"]
    assert times == [90, None, "medium", "2.5"]


def test_sections_of_the_wrong_kind_are_left_out(modules: Page) -> None:
    script = "m.sound([{at: 9, styles: [], density: 4}, {at: 'x'}, null, {at: 3, tempo: 90}])"
    found = run(modules, "plan", script)
    assert [(one["at"], one["styles"], one["density"], one["tempo"]) for one in found] == [
        (3, {}, "", 90), (9, {}, "", None),
    ]  # fmt: skip


def test_notes_among_those_that_are_there_are_in_order(modules: Page) -> None:
    script = """(() => {
      let job = m.begun({id: 'j', state: 'running', of: 9, candidates: 1});
      for (const onsets of [[0, 24, 96], [48], [50, 51]]) {
        job = m.heard(job, 'notes', {candidate: 0, tempos: [], metres: [], seconds: 1,
                                     notes: onsets.map((onset) => ({onset}))});
      }
      return job.drafts[0].notes.map((note) => note.onset); })()"""
    assert run(modules, "draft", script) == [0, 24, 48, 50, 51, 96]


def test_search_prefers_whole_names(modules: Page) -> None:
    styles = [
        {"name": "jazz combo", "aliases": [], "works": 900},
        {"name": "jazz", "aliases": [], "works": 5},
        {"name": "gypsy jazz", "aliases": [], "works": 80},
        {"name": "swing", "aliases": ["jazzy"], "works": 1},
        {"name": "mozart", "aliases": [], "works": 9},
    ]
    script = "m.found(a, ' Jazz ').map((style) => style.name)"
    assert run(modules, "prompt", script, styles) == ["jazz", "jazz combo", "swing", "gypsy jazz"]


@some
@given(weights=st.lists(st.floats(0.05, 1), min_size=1, max_size=9))
def test_shares_of_a_blend_add_up(modules: Page, weights: list[float]) -> None:
    styles = {f"style {place}": weight for place, weight in enumerate(weights)}
    found = run(modules, "prompt", "m.shares(a)", styles)
    assert sum(found.values()) == 100
    for name, share in found.items():
        assert share == pytest.approx(100 * styles[name] / sum(weights), abs=1.001)


def test_reasons_of_a_rank(modules: Page) -> None:
    verdict = {
        "critic": 0.8, "strangeness": 1.2, "copied": True, "copy": {"notes": 40, "piece": "Waltz"},
        "faults": [{"words": "stuck for 40 s"}],
    }  # fmt: skip
    script = "[m.reasonsOf(a).map((r) => [r.passed, r.says]), m.isSound(a), m.reasonsOf({})]"
    assert run(modules, "verdict", script, {"verdict": verdict}) == [
        [[False, "40 notes in a row are those of Waltz"], [False, "stuck for 40 s"],
         [True, "strangeness: 1.20, human music has 1"], [True, "critic: 80 % human"]], False, [],
    ]  # fmt: skip
    for missed, passed in (([], True), (["jazz"], None)):
        own = {"critic": None, "faults": [], "likeness": {"missed": missed, "words": "so"}}
        assert [passed, "so"] in run(modules, "verdict", script, {"verdict": own})[0]
    sound = {"critic": None, "faults": [], "searched": True, "copied": False, "copy": None}
    few = {**sound, "copy": {"notes": 9, "piece": "Waltz"}}
    for verdict, says in ((sound, "no passage"), (few, "no more than 9 notes")):
        (passed, words), _ = run(modules, "verdict", script, {"verdict": verdict})[0]
        assert passed
        assert says in words


def test_words(modules: Page) -> None:
    script = """[m.pitchName(61), m.clock(65.2), m.minutesWords(2.5), m.count(1, 'note'),
      m.count(1200, 'note'), m.listed(['a', 'b', 'c']), m.ago(0, 7200), m.isBlack(61),
      m.cut('a🎵🎵', 2), m.cut('a\\ud83d', 9)]"""
    assert run(modules, "words", script) == [
        "C♯4", "1:05", "2 min 30 s", "1 note", "1,200 notes", "a, b and c", "2 hours ago", True,
        "a🎵", "a\ufffd",
    ]  # fmt: skip
