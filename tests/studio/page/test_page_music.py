"""The page's modules of notes, time and sound, run in the browser that the page runs in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import run, some
from playwright.sync_api import Page

from musenet.composing.prompt import LONGEST_OPENING
from musenet.score import METRE, Score, bar_starts, records

SCORE = """({ticks_per_beat: 24, revision: 1, end: 192, seconds: 4, parts: [
  {instrument: 'piano', colour: '#2563d9', drums: false, notes: 4, low: 60, high: 67}],
  tempos: [{tick: 0, bpm: 120, start: 0}], metres: [{tick: 0, numerator: 4, denominator: 4}],
  bars: [{tick: 0, start: 0}, {tick: 96, start: 2}],
  notes: [60, 62, 64, 67].map((pitch, place) => ({instrument: 'piano', pitch, velocity: 80,
    onset: 48 * place, duration: 48, start: place, stop: place + 1}))})"""


tempos = st.lists(st.tuples(st.integers(1, 400), st.floats(24, 300)), min_size=1, max_size=5).map(
    lambda rows: [(sum(gap for gap, _ in rows[:at]), rows[at][1]) for at in range(len(rows))]
)


@some
@given(changes=tempos, tick=st.integers(0, 3000))
def test_ticks_and_seconds_are_inverse(
    modules: Page, changes: list[tuple[int, float]], tick: int
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
    back = run(modules, "time", script, {"changes": changes, "tick": tick})
    assert back == pytest.approx(tick, abs=1e-6)


@some
@given(start=st.floats(0, 100), scale=st.floats(1, 700), x=st.floats(0, 800), by=st.floats(0.2, 5))
def test_zoom_keeps_what_is_under_the_pointer(
    modules: Page, start: float, scale: float, x: float, by: float
) -> None:
    script = """(() => {
      const span = m.bounded({start: a.start, scale: a.scale}, 120, 800);
      const next = m.zoomed(span, a.by, a.x, 120, 800);
      const bound = next.start === 0 || next.start + 800 / next.scale >= 122.39;
      return [m.toSeconds(span, a.x), m.toSeconds(next, a.x), bound, m.toX(next, next.start)];
    })()"""
    told = run(modules, "time", script, {"start": start, "scale": scale, "x": x, "by": by})
    before, after, bound, zero = told
    assert bound or after == pytest.approx(before, abs=1e-6)
    assert zero == 0


def test_bars_and_places(modules: Page) -> None:
    script = f"""(() => {{ const s = {SCORE};
      return [m.barAt(s.bars, 0), m.barAt(s.bars, 1.99), m.barAt(s.bars, 2), m.barTick(s, 3),
              m.barStart(s, 2), m.placeOf(s, 120),
              m.barsUpTo([{{tick: 0, numerator: 3, denominator: 4}},
                          {{tick: 72, numerator: 2, denominator: 4}}], s.tempos, 24, 150)
                .map((bar) => bar.tick)]; }})()"""
    assert run(modules, "time", script) == [1, 1, 2, 192, 2, {"bar": 2, "beat": 2}, [0, 72, 120]]


@some
@given(
    gaps=st.lists(st.integers(1, 4000), max_size=3),
    metres=st.lists(st.sampled_from([(4, 4), (3, 4), (6, 8), (2, 2)]), min_size=4, max_size=4),
    end=st.integers(1, 20_000),
)
def test_bars_begin_where_the_server_begins_them(
    modules: Page, gaps: list[int], metres: list[tuple[int, int]], end: int
) -> None:
    ticks = [sum(gaps[:place]) for place in range(len(gaps) + 1)]
    changes = [(tick, *metre) for tick, metre in zip(ticks, metres, strict=False)]
    names = ("tick", "numerator", "denominator")
    told = {"metres": [dict(zip(names, change, strict=True)) for change in changes], "end": end}
    script = """m.barsUpTo(a.metres, [{tick: 0, bpm: 120, start: 0}], 480, a.end)
      .map((bar) => bar.tick)"""
    score = Score(metres=records(METRE, changes), ticks_per_beat=480)
    assert run(modules, "time", script, told) == bar_starts(score, end).tolist()


def test_the_cursor_is_followed_at_a_third(modules: Page) -> None:
    script = """[5, 30, 60].map((second) => {
      const span = m.following({start: 0, scale: 60}, second, 60, 900);
      return Math.round(m.toX(span, second)); })"""
    near, middle, end = run(modules, "time", script)
    assert (near, middle) == (300, 300)
    assert 300 < end <= 900


def test_moved_notes_keep_together_and_in_range(modules: Page) -> None:
    script = f"""(() => {{ const s = {SCORE};
      const far = m.move(s, [0, 3], -500, 100);
      return [far.chosen.map((i) => far.score.notes[i]).map((n) => [n.onset, n.pitch]),
              far.score.notes.length, far.score.notes.every((n, i, all) =>
                !i || all[i - 1].onset <= n.onset)]; }})()"""
    moved, count, ordered = run(modules, "notes", script)
    assert sorted(moved) == [[0, 120], [144, 127]]
    assert (count, ordered) == (4, True)


def test_edits_tell_length_seconds_and_parts_anew(modules: Page) -> None:
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
    assert run(modules, "notes", script) == [
        5.5, 3, ["piano", "drums"], [["drums", True]], 5, 6, 127, 4,
    ]  # fmt: skip


def test_pasting_scales_to_the_ticks_of_the_piece(modules: Page) -> None:
    script = f"""(() => {{ const s = {SCORE};
      const clipboard = {{ticks_per_beat: 480, notes: m.copied({{notes: [
        {{instrument: 'piano', pitch: 72, velocity: 70, onset: 1440, duration: 480}}]}},
        [0], 960)}};
      const next = m.paste(s, clipboard, 192);
      return next.chosen.map((i) => next.score.notes[i]).map((n) =>
        [n.pitch, n.onset, n.duration, n.start]); }})()"""
    assert run(modules, "notes", script) == [[72, 216, 24, 4.5]]


def test_solo_hears_nothing_else_and_mute_wins(modules: Page) -> None:
    script = """(() => {
      let mixer = m.mixed({}, 'piano', {volume: 0.5});
      const plain = m.gains(mixer, ['piano', 'cello']);
      mixer = m.mixed(mixer, 'cello', {solo: true});
      const solo = m.gains(mixer, ['piano', 'cello']);
      const both = m.gains(m.mixed(mixer, 'cello', {mute: true}), ['piano', 'cello']);
      return [plain, solo, both, m.gains(mixer, ['piano'])]; })()"""
    assert run(modules, "mixer", script) == [
        {"piano": 0.5, "cello": 1}, {"piano": 0, "cello": 1}, {"piano": 0, "cello": 0},
        {"piano": 0.5},
    ]  # fmt: skip


STEMS = """({segments: 4, segment_seconds: 6, overlap_seconds: 0.02, seconds: 20, stems: [
  {instrument: 'piano', url: '/p/{segment}?revision=1', gain: 0.5, silent: [1]},
  {instrument: 'cello', url: '/c/{segment}?revision=1', gain: 0.5, silent: []}]})"""


def test_segments_are_fetched_soonest_first_and_silent_ones_never(modules: Page) -> None:
    script = f"""(() => {{ const s = {STEMS};
      return [m.wanted(s, 5, 8).map((w) => [w.segment, w.stem]), m.wanted(s, 19, 99).length,
              m.segmentAt(s, 99), m.address(s.stems[0], 2), m.placed(s, 1, 4),
              m.placed(s, 1, 7.5)]; }})()"""
    assert run(modules, "segments", script) == [
        [[0, 0], [0, 1], [1, 1], [2, 0], [2, 1]], 2, 3, "/p/2?revision=1",
        {"delay": 2, "offset": 0}, {"delay": 0, "offset": 1.5},
    ]  # fmt: skip


def test_segments_that_are_needed_are_never_given_up(modules: Page) -> None:
    script = f"""(() => {{ const s = {STEMS};
      const given = (keys) => m.farthest(s, keys, 1, 8) ?? null;
      return [given(['0/0', '0/1', '1/1', '3/0']), given(['0/0'])]; }})()"""
    assert run(modules, "segments", script) == ["3/0", None]


@some
@given(seconds=st.floats(0.1, 900))
def test_there_is_room_to_go_on(modules: Page, seconds: float) -> None:
    minutes = run(modules, "prompt", "m.onward(a)", seconds)
    assert seconds < LONGEST_OPENING * 60 * minutes
    assert minutes >= seconds / 60 + 0.5


@some
@given(share=st.floats(0, 1), segment=st.integers(0, 2))
def test_fades_of_neighbours_add_up_to_one(modules: Page, share: float, segment: int) -> None:
    script = f"""(() => {{ const s = {STEMS}; const at = a.share * 0.02;
      return m.gainAt(m.fades(s, a.segment), 6 + at) + m.gainAt(m.fades(s, a.segment + 1), at);
    }})()"""
    total = run(modules, "segments", script, {"share": share, "segment": segment})
    assert total == pytest.approx(1)


@some
@given(index=st.integers(0, 3), zoom=st.floats(1, 4), scale=st.floats(20, 300))
def test_the_middle_of_a_note_hits_it(modules: Page, index: int, zoom: float, scale: float) -> None:
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
    told = run(modules, "layout", script, {"index": index, "zoom": zoom, "scale": scale})
    if told:
        middle, end, pitch, inside = told
        assert middle == {"index": index, "edge": False}
        assert end == {"index": index, "edge": True}
        assert pitch == [60, 62, 64, 67][index]
        assert inside == [index]


def test_drums_have_rows_of_their_own(modules: Page) -> None:
    script = f"""(() => {{ const s = {SCORE};
      s.notes.push({{instrument: 'drums', pitch: 38, start: 3, stop: 3.1}});
      s.parts.push({{instrument: 'drums', drums: true, notes: 1, low: 38, high: 38}});
      const layout = m.layoutOf(m.rangeOf(s), 900, 400);
      const row = m.rowOf(layout, s.notes.at(-1));
      return [layout.drums, row.y >= layout.bottom, m.pitchAt(layout, row.y + 1),
              m.hit(s, layout, {{start: 0, scale: 50}}, layout.left + 151, row.y + 2, 1).index];
    }})()"""
    assert run(modules, "layout", script) == [[38], True, {"drums": True, "pitch": 38}, 4]


@pytest.mark.parametrize("keys", [[38], list(range(35, 82))])
def test_drums_alone_have_all_the_room(modules: Page, keys: list[int]) -> None:
    script = """(() => {
      const notes = a.map((pitch, place) =>
        ({instrument: 'drums', pitch, start: place, stop: place + 0.1}));
      const score = {notes, parts: [{instrument: 'drums', drums: true, notes: a.length}]};
      const layout = m.layoutOf(m.rangeOf(score), 900, 400);
      const rows = notes.map((note) => m.rowOf(layout, note));
      return [Math.min(...rows.map((row) => row.y)), Math.max(...rows.map((row) => row.y + row.h)),
              layout.top, layout.bottom, layout.row > 0,
              rows.map((row) => m.pitchAt(layout, row.y + row.h / 2).pitch),
              m.rowOf(layout, {instrument: 'piano', pitch: 60})]; })()"""
    first, last, top, bottom, tall, pitches, melodic = run(modules, "layout", script, keys)
    assert (first, last, bottom) == (top, pytest.approx(400), top)
    assert (tall, pitches, melodic) == (True, keys, None)
    nothing = "m.layoutOf(m.rangeOf({notes: [], parts: []}), 900, 400).row > 0"
    assert run(modules, "layout", nothing)


def test_playing_is_kept_exactly(modules: Page) -> None:
    script = """(() => {
      let keys = m.pressed([], 60, 90, 10);
      keys = m.pressed(keys, 64, 80, 10.5);
      keys = m.released(keys, 60, 11);
      keys = m.pressed(keys, 64, 70, 11.5);
      return [m.scoreOf(keys, 'piano', 12).notes.map((n) =>
                [n.pitch, n.velocity, n.onset, n.duration]),
              m.messageOf([0x91, 60, 5]), m.messageOf([0x9f, 60, 0]), m.messageOf([0x80, 60, 9]),
              m.messageOf([0xb3, 64, 100]), m.messageOf([0xb0, 1, 1])]; })()"""
    notes, *keys = run(modules, "performance", script)
    assert notes == [[60, 90, 0, 960], [64, 80, 480, 960], [64, 70, 1440, 480]]
    assert keys == [
        {"kind": "press", "values": [60, 5]}, {"kind": "release", "values": [60]},
        {"kind": "release", "values": [60]}, {"kind": "pedal", "values": [True]}, None,
    ]  # fmt: skip


@some
@given(colour=st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
def test_colours_are_light_enough_for_the_dark(modules: Page, colour: str) -> None:
    before, after, text = run(
        modules, "colour", "[m.lightness(a), m.lightness(m.onDark(a)), m.onDark(a)]", colour
    )
    assert len(text) == 7
    assert after >= before
    assert after > 0.4
