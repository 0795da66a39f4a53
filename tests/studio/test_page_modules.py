"""The page's pure modules, run in the browser that the page runs in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pages import browsing
from playwright.sync_api import Page, Route

FOLDER = Path(__file__).parents[2] / "musenet" / "studio" / "page"
HOST = "http://page.test/"
SCORE = """({ticks_per_beat: 24, revision: 1, end: 192, seconds: 4, parts: [
  {instrument: 'piano', colour: '#2563d9', drums: false, notes: 4, low: 60, high: 67}],
  tempos: [{tick: 0, bpm: 120, start: 0}], metres: [{tick: 0, numerator: 4, denominator: 4}],
  bars: [{tick: 0, start: 0}, {tick: 96, start: 2}],
  notes: [60, 62, 64, 67].map((pitch, place) => ({instrument: 'piano', pitch, velocity: 80,
    onset: 48 * place, duration: 48, start: place, stop: place + 1}))})"""
relaxed = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A browser that finds the page's modules, and nothing else, at an address."""

    def answer(route: Route) -> None:
        path = FOLDER / route.request.url.removeprefix(HOST)
        kind = "text/javascript" if path.suffix == ".js" else "text/html"
        route.fulfill(body=path.read_bytes() if path.is_file() else b"", content_type=kind)

    with browsing() as browser:
        made = browser.new_page()
        made.route("**/*", answer)
        made.goto(HOST)
        yield made


def run(page: Page, module: str, script: str, argument: Any = None) -> Any:
    """The value of a script in which `m` is a module and `a` the argument."""
    text = f"async (a) => {{ const m = await import('/js/core/{module}.js'); return {script}; }}"
    return page.evaluate(text, argument)


tempos = st.lists(st.tuples(st.integers(1, 400), st.floats(24, 300)), min_size=1, max_size=5).map(
    lambda rows: [(sum(gap for gap, _ in rows[:at]), rows[at][1]) for at in range(len(rows))]
)


@relaxed
@given(changes=tempos, tick=st.integers(0, 3000))
def test_ticks_and_seconds_are_inverse(
    page: Page, changes: list[tuple[int, float]], tick: int
) -> None:
    script = """(() => {
      let start = 0;
      const tempos = a.changes.map(([tick, bpm], place) => {
        if (place) {
          const [before, old] = a.changes[place - 1];
          start += (tick - before) * 60 / old / 24;
        }
        return {tick, bpm, start};
      });
      return m.tickAt(tempos, 24, m.secondsAt(tempos, 24, a.tick));
    })()"""
    back = run(page, "time", script, {"changes": changes, "tick": tick})
    assert back == pytest.approx(tick, abs=1e-6)


@relaxed
@given(start=st.floats(0, 100), scale=st.floats(1, 700), x=st.floats(0, 800), by=st.floats(0.2, 5))
def test_zoom_keeps_what_is_under_the_pointer(
    page: Page, start: float, scale: float, x: float, by: float
) -> None:
    script = """(() => {
      const span = m.bounded({start: a.start, scale: a.scale}, 120, 800);
      const next = m.zoomed(span, a.by, a.x, 120, 800);
      const bound = next.start === 0 || next.start + 800 / next.scale >= 122.39;
      return [m.toSeconds(span, a.x), m.toSeconds(next, a.x), bound, m.toX(next, next.start)];
    })()"""
    told = run(page, "time", script, {"start": start, "scale": scale, "x": x, "by": by})
    before, after, bound, zero = told
    assert bound or after == pytest.approx(before, abs=1e-6)
    assert zero == 0


def test_bars_and_places(page: Page) -> None:
    script = f"""(() => {{ const s = {SCORE};
      return [m.barAt(s.bars, 0), m.barAt(s.bars, 1.99), m.barAt(s.bars, 2), m.barTick(s, 3),
              m.barStart(s, 2), m.placeOf(s, 120),
              m.barsUpTo([{{tick: 0, numerator: 3, denominator: 4}},
                          {{tick: 72, numerator: 2, denominator: 4}}], s.tempos, 24, 150)
                .map((bar) => bar.tick)]; }})()"""
    assert run(page, "time", script) == [1, 1, 2, 192, 2, {"bar": 2, "beat": 2}, [0, 72, 120]]


def test_the_cursor_is_followed_at_a_third(page: Page) -> None:
    script = """[5, 30, 60].map((second) => {
      const span = m.following({start: 0, scale: 60}, second, 60, 900);
      return Math.round(m.toX(span, second)); })"""
    near, middle, end = run(page, "time", script)
    assert (near, middle) == (300, 300)
    assert 300 < end <= 900


def test_moved_notes_keep_together_and_in_range(page: Page) -> None:
    script = f"""(() => {{ const s = {SCORE};
      const far = m.move(s, [0, 3], -500, 100);
      return [far.chosen.map((i) => far.score.notes[i]).map((n) => [n.onset, n.pitch]),
              far.score.notes.length, far.score.notes.every((n, i, all) =>
                !i || all[i - 1].onset <= n.onset)]; }})()"""
    moved, count, ordered = run(page, "notes", script)
    assert sorted(moved) == [[0, 120], [144, 127]]
    assert (count, ordered) == (4, True)


def test_edits_tell_length_seconds_and_parts_anew(page: Page) -> None:
    script = f"""(() => {{ const s = {SCORE};
      const more = m.add(s, [{{instrument: 'drums', pitch: 36, velocity: 90, onset: 240,
                              duration: 24}}]).score;
      const less = m.remove(more, [0, 1, 2, 3]).score;
      const long = m.lengthen(s, [3], 48, 6).score;
      const short = m.lengthen(s, [3], -480, 6).score;
      return [more.seconds, more.bars.length, more.parts.map((p) => p.instrument),
              less.parts.map((p) => [p.instrument, p.drums]), long.seconds,
              short.notes[3].duration, m.accent(s, [0], 100).score.notes[0].velocity,
              s.notes.length]; }})()"""
    assert run(page, "notes", script) == [
        5.5, 3, ["piano", "drums"], [["drums", True]], 5, 6, 127, 4,
    ]  # fmt: skip


def test_pasting_scales_to_the_ticks_of_the_piece(page: Page) -> None:
    script = f"""(() => {{ const s = {SCORE};
      const clipboard = {{ticks_per_beat: 480, notes: m.copied({{notes: [
        {{instrument: 'piano', pitch: 72, velocity: 70, onset: 1440, duration: 480}}]}},
        [0], 960)}};
      const next = m.paste(s, clipboard, 192);
      return next.chosen.map((i) => next.score.notes[i]).map((n) =>
        [n.pitch, n.onset, n.duration, n.start]); }})()"""
    assert run(page, "notes", script) == [[72, 216, 24, 4.5]]


@relaxed
@given(steps=st.lists(st.sampled_from(["do", "undo", "redo"]), max_size=30))
def test_undo_and_redo_keep_every_step(page: Page, steps: list[str]) -> None:
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
    for step, told in zip(steps, run(page, "history", script, steps), strict=True):
        if step == "do":
            past, future, made = [*past, str(made)], [], made + 1
        elif step == "undo" and past:
            past, future = past[:-1], [past[-1], *future]
        elif step == "redo" and future:
            past, future = [*past, future[0]], future[1:]
        assert told == [past, future]


NODES = [
    {"id": "a", "parent": None, "composition": "x", "candidate": 0, "rank": 2, "created": 1},
    {"id": "b", "parent": None, "composition": "x", "candidate": 1, "rank": 1, "created": 1},
    {"id": "c", "parent": "a", "composition": "y", "candidate": 0, "rank": 1, "created": 2},
    {"id": "d", "parent": "c", "composition": None, "candidate": None, "rank": None, "created": 3},
    {"id": "e", "parent": "gone", "composition": None, "candidate": None, "rank": None,
     "created": 4},
]  # fmt: skip


def test_the_tree_is_in_order_and_folds(page: Page) -> None:
    rows = "m.rows(a).map((row) => [row.node.id, row.depth, row.below])"
    assert run(page, "tree", rows, NODES) == [
        ["b", 0, 0], ["a", 0, 1], ["c", 1, 1], ["d", 2, 0], ["e", 0, 0],
    ]  # fmt: skip
    folded = "m.rows(a, new Set(['a'])).map((row) => row.node.id)"
    assert run(page, "tree", folded, NODES) == ["b", "a", "e"]


def test_deleting_takes_the_branch_and_shows_what_is_near(page: Page) -> None:
    gone = "['a', 'c', 'd'].map((id) => { const left = m.afterDeleting(a, id);"
    script = gone + " return [left.left.map((node) => node.id), left.next]; })"
    assert run(page, "tree", script, NODES) == [
        [["b", "e"], "b"], [["a", "b", "e"], "a"], [["a", "b", "c", "e"], "c"],
    ]  # fmt: skip


def test_sections_tell_where_each_continuation_took_over(page: Page) -> None:
    nodes = [
        {"id": "a", "parent": None, "kept_bars": None, "label": "Start"},
        {"id": "b", "parent": "a", "kept_bars": 8, "label": "Middle"},
        {"id": "c", "parent": "b", "kept_bars": 12, "label": "End"},
        {"id": "d", "parent": "c", "kept_bars": 4, "label": "Other end"},
    ]
    for node, wanted in (("c", [[1, "Start"], [9, "Middle"], [13, "End"]]),
                         ("d", [[1, "Start"], [5, "Other end"]])):  # fmt: skip
        script = f"m.sections(a, a.find((n) => n.id === '{node}')).map((s) => [s.bar, s.name])"
        assert run(page, "tree", script, nodes) == wanted


def test_solo_hears_nothing_else_and_mute_wins(page: Page) -> None:
    script = """(() => {
      let mixer = m.mixed({}, 'piano', {volume: 0.5});
      const plain = m.gains(mixer, ['piano', 'cello']);
      mixer = m.mixed(mixer, 'cello', {solo: true});
      const solo = m.gains(mixer, ['piano', 'cello']);
      const both = m.gains(m.mixed(mixer, 'cello', {mute: true}), ['piano', 'cello']);
      return [plain, solo, both, m.gains(mixer, ['piano'])]; })()"""
    assert run(page, "mixer", script) == [
        {"piano": 0.5, "cello": 1}, {"piano": 0, "cello": 1}, {"piano": 0, "cello": 0},
        {"piano": 0.5},
    ]  # fmt: skip


STEMS = """({segments: 4, segment_seconds: 6, overlap_seconds: 0.02, seconds: 20, stems: [
  {instrument: 'piano', url: '/p/{segment}?revision=1', gain: 0.5, silent: [1]},
  {instrument: 'cello', url: '/c/{segment}?revision=1', gain: 0.5, silent: []}]})"""


def test_segments_are_fetched_soonest_first_and_silent_ones_never(page: Page) -> None:
    script = f"""(() => {{ const s = {STEMS};
      return [m.wanted(s, 5, 8).map((w) => [w.segment, w.stem]), m.wanted(s, 19, 99).length,
              m.segmentAt(s, 99), m.address(s.stems[0], 2), m.placed(s, 1, 4),
              m.placed(s, 1, 7.5)]; }})()"""
    assert run(page, "segments", script) == [
        [[0, 0], [0, 1], [1, 1], [2, 0], [2, 1]], 2, 3, "/p/2?revision=1",
        {"delay": 2, "offset": 0}, {"delay": 0, "offset": 1.5},
    ]  # fmt: skip


@relaxed
@given(share=st.floats(0, 1), segment=st.integers(0, 2))
def test_fades_of_neighbours_add_up_to_one(page: Page, share: float, segment: int) -> None:
    script = f"""(() => {{ const s = {STEMS}; const at = a.share * 0.02;
      return m.gainAt(m.fades(s, a.segment), 6 + at) + m.gainAt(m.fades(s, a.segment + 1), at);
    }})()"""
    total = run(page, "segments", script, {"share": share, "segment": segment})
    assert total == pytest.approx(1)


def test_events_grow_the_drafts(page: Page) -> None:
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
    assert run(page, "draft", script) == [
        ["Waiting behind 1, about 3 s", "Composing 20 %"], [[0, None, None], [1, 1, "n"]],
        ["#111111"], 12, 1, True,
    ]  # fmt: skip


def test_the_request_says_what_the_form_says(page: Page) -> None:
    script = """(() => {
      const form = {...m.BLANK, styles: {mozart: 1, jazz: 0.5}, instruments: ['piano'],
                    mood: 'calm', metre: '3/4', seed: '7', density: 'light'};
      const node = {kind: 'node', id: 'n', title: 'x', bar: 4};
      return [m.request(form, 'p'), m.request({...form, opening: node, seed: ''}, 'p'),
              m.arrangement(form, {bars: [2, 3]})]; })()"""
    plain, onward, anew = run(page, "prompt", script)
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


@relaxed
@given(
    styles=st.dictionaries(st.text(min_size=1, max_size=8), st.floats(0.1, 1), max_size=3),
    notes=st.text(max_size=20),
    seed=st.integers(0, 2**40),
)
def test_a_link_brings_the_form_back(
    page: Page, styles: dict[str, float], notes: str, seed: int
) -> None:
    told = {"styles": styles, "notes": notes, "seed": str(seed)}
    script = "m.decoded(m.encoded({...m.BLANK, ...a}))"
    found = run(page, "prompt", script, told)
    assert {name: found[name] for name in told} == told


@pytest.mark.parametrize("text", ["", "%%", "bm90IGpzb24", "bnVsbA"])
def test_a_broken_link_tells_nothing_wrong(page: Page, text: str) -> None:
    found = run(page, "prompt", "[m.decoded(a), m.BLANK]", text)
    assert found[0] in (None, found[1])


def test_fields_of_the_wrong_kind_are_left_out(page: Page) -> None:
    script = "m.sound({minutes: 'x', styles: [], mood: 'x', instruments: ['piano'], opening: {}})"
    blank = run(page, "prompt", "m.BLANK")
    assert run(page, "prompt", script) == {**blank, "instruments": ["piano"]}


def test_the_command_is_one_for_a_shell(page: Page) -> None:
    recipe = {
        "prompt": {"styles": [["mozart", 1.0], ["tin pan alley", 0.5]],
                   "instruments": ["electric bass"], "minutes": 1.5, "tempo": 96, "metre": "3/4",
                   "notes": "C4 E4", "key": "F# minor"},
        "sampling": {"temperature": 0.9, "top_p": 0.98}, "seed": 7, "candidates": 4,
    }  # fmt: skip
    assert run(page, "prompt", "m.command(a, 'kept.mid')", recipe) == (
        "musenet compose --style mozart:1 --style 'tin pan alley:0.5' --instrument 'electric bass'"
        " --minutes 1.5 --tempo 96 --metre 3/4 --key 'F# minor' --notes 'C4 E4' --from kept.mid"
        " --temperature 0.9 --candidates 4 --seed 7"
    )


def test_search_prefers_whole_names(page: Page) -> None:
    styles = [
        {"name": "jazz combo", "aliases": [], "works": 900},
        {"name": "jazz", "aliases": [], "works": 5},
        {"name": "gypsy jazz", "aliases": [], "works": 80},
        {"name": "swing", "aliases": ["jazzy"], "works": 1},
        {"name": "mozart", "aliases": [], "works": 9},
    ]
    script = "m.found(a, ' Jazz ').map((style) => style.name)"
    assert run(page, "prompt", script, styles) == ["jazz", "jazz combo", "swing", "gypsy jazz"]


@relaxed
@given(index=st.integers(0, 3), zoom=st.floats(1, 4), scale=st.floats(20, 300))
def test_the_middle_of_a_note_hits_it(page: Page, index: int, zoom: float, scale: float) -> None:
    script = f"""(() => {{ const s = {SCORE};
      const layout = m.layoutOf(m.rangeOf(s), 900, 400, {{rows: a.zoom, shift: 3}});
      const span = {{start: 0, scale: a.scale}};
      const box = m.boxOf(layout, span, s.notes[a.index]);
      if (!box) return null;
      const y = box.y + box.h / 2;
      const [middle, end] = [box.w / 2, box.w - 2].map((x) =>
        m.hit(s, layout, span, box.x + x, y, 1));
      return [middle, end, m.pitchAt(layout, y).pitch,
              m.inside(s, layout, span, {{x0: box.x + 1, x1: box.x + 2, y0: y, y1: y + 1}})];
    }})()"""
    told = run(page, "layout", script, {"index": index, "zoom": zoom, "scale": scale})
    if told:
        middle, end, pitch, inside = told
        assert middle == {"index": index, "edge": False}
        assert end == {"index": index, "edge": True}
        assert pitch == [60, 62, 64, 67][index]
        assert inside == [index]


def test_drums_have_rows_of_their_own(page: Page) -> None:
    script = f"""(() => {{ const s = {SCORE};
      s.notes.push({{instrument: 'drums', pitch: 38, start: 3, stop: 3.1}});
      s.parts.push({{instrument: 'drums', drums: true, notes: 1, low: 38, high: 38}});
      const layout = m.layoutOf(m.rangeOf(s), 900, 400);
      const row = m.rowOf(layout, s.notes.at(-1));
      return [layout.drums, row.y >= layout.bottom, m.pitchAt(layout, row.y + 1),
              m.hit(s, layout, {{start: 0, scale: 50}}, layout.left + 151, row.y + 2, 1).index];
    }})()"""
    assert run(page, "layout", script) == [[38], True, {"drums": True, "pitch": 38}, 4]


def test_playing_is_kept_exactly(page: Page) -> None:
    script = """(() => {
      let keys = m.pressed([], 60, 90, 10);
      keys = m.pressed(keys, 64, 80, 10.5);
      keys = m.released(keys, 60, 11);
      keys = m.pressed(keys, 64, 70, 11.5);
      return [m.scoreOf(keys, 'piano', 12).notes.map((n) =>
                [n.pitch, n.velocity, n.onset, n.duration]),
              m.keyOf([0x91, 60, 5]), m.keyOf([0x90, 60, 0]).down, m.keyOf([0x80, 60, 9]).down,
              m.keyOf([0xb0, 1, 1])]; })()"""
    notes, *keys = run(page, "performance", script)
    assert notes == [[60, 90, 0, 960], [64, 80, 480, 960], [64, 70, 1440, 480]]
    assert keys == [{"down": True, "pitch": 60, "velocity": 5}, False, False, None]


@relaxed
@given(colour=st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
def test_colours_are_light_enough_for_the_dark(page: Page, colour: str) -> None:
    before, after, text = run(
        page, "colour", "[m.lightness(a), m.lightness(m.onDark(a)), m.onDark(a)]", colour
    )
    assert len(text) == 7
    assert after >= before
    assert after > 0.4


def test_reasons_of_a_rank(page: Page) -> None:
    verdict = {"critic": 0.8, "copied": True, "copy": {"notes": 40, "piece": "Waltz"},
               "faults": [{"words": "stuck for 40 s"}]}  # fmt: skip
    script = "[m.reasonsOf(a).map((r) => [r.passed, r.says]), m.isSound(a), m.reasonsOf({})]"
    assert run(page, "verdict", script, {"verdict": verdict}) == [
        [[False, "40 notes in a row are those of Waltz"], [False, "stuck for 40 s"],
         [True, "critic: 80 % human"]], False, [],
    ]  # fmt: skip


def test_words(page: Page) -> None:
    script = """[m.pitchName(61), m.clock(65.2), m.minutesWords(2.5), m.count(1, 'note'),
      m.count(1200, 'note'), m.listed(['a', 'b', 'c']), m.ago(0, 7200), m.isBlack(61)]"""
    assert run(page, "words", script) == [
        "C♯4", "1:05", "2 min 30 s", "1 note", "1,200 notes", "a, b and c", "2 hours ago", True,
    ]  # fmt: skip
