"""What the network is told of chords, density, dynamics, key and style."""

from __future__ import annotations

import numpy as np

from musenet.chords import chord_id, parse_key
from musenet.composing.sections import Section
from musenet.composing.steering import BINDING, UNSTEERED, Steering
from musenet.controls import NO_CHORD
from musenet.features import NOT_TOLD, Moments, features
from musenet.instruments import DRUMS
from musenet.score import TICKS_PER_BEAT
from musenet.styles import style_id

PLANNED = Section(density=1.5, dynamics="mf", chords="C | Am F", key="D minor")


def moments_at(ticks: list[int], bar_ticks: int = 96) -> Moments:
    start = Moments.beginning(len(ticks))
    ahead = start.ahead(np.array(ticks, dtype=np.int64))
    assert (ahead.bar_ticks == bar_ticks).all()
    return ahead


def test_steering_tells_the_chord_of_each_moment() -> None:
    steering = Steering.of(PLANNED, first_bar=1)
    controls = steering.at(moments_at([96, 191, 192, 239, 240, 288]))
    names = ["C", "C", "Am", "Am", "F", "C"]
    assert controls[:, 0].tolist() == [chord_id(name) for name in names]
    assert len(set(map(tuple, controls[:, 1:].tolist()))) == 1
    assert (controls[:, 3] == parse_key("D minor")).all()


def test_what_is_not_asked_is_not_told() -> None:
    steering = Steering.of(Section())
    assert steering.at(moments_at([0, 5])).tolist() == [list(NOT_TOLD)] * 2
    assert Steering.of(Section(chords="N")).at(moments_at([0]))[0, 0] == NO_CHORD
    assert Steering.of(Section(), key=7).at(moments_at([0]))[0, 3] == 7
    assert Steering.of(Section(key="C"), key=7).at(moments_at([0]))[0, 3] == 0


def test_bars_are_told_styles_as_often_as_they_weigh() -> None:
    blend = Section(styles=(("jazz", 3.0), ("folk", 1.0)))
    bars = moments_at([96 * bar + 40 for bar in range(400)])
    styles = Steering.of(blend).at(bars)[:, 4]
    assert set(styles.tolist()) == {style_id("jazz"), style_id("folk")}
    heard = styles == style_id("jazz")
    assert np.abs(np.convolve(heard, np.ones(20) / 20, "valid") - 0.75).max() <= 0.1
    within = moments_at([0, 50, 95])
    assert len(set(Steering.of(blend).at(within)[:, 4].tolist())) == 1


def test_styles_of_ones_own_are_told_in_front_alone() -> None:
    alone = Section(styles=(("folk", 1.0),))
    assert Steering.of(alone, own={"folk"}).at(moments_at([0]))[0, 4] == NOT_TOLD[4]
    beside = Section(styles=(("folk", 3.0), ("jazz", 1.0)))
    bars = moments_at([bar * 4 * TICKS_PER_BEAT for bar in range(16)])
    told = Steering.of(beside, own={"folk"}).at(bars)[:, 4].tolist()
    assert (told.count(NOT_TOLD[4]), told.count(style_id("jazz"))) == (12, 4)


def test_pitches_outside_the_chord_are_less_likely() -> None:
    steering = Steering.of(Section(chords="C"))
    moments = moments_at([0, 0])
    columns = features(moments, 60.0, controls=steering.at(moments))
    harmony = steering.harmony(columns, np.array([0, DRUMS]))
    assert isinstance(harmony, np.ndarray)
    outside = ~np.isin(np.arange(128) % 12, [0, 4, 7])
    assert (harmony[0, :128] == np.where(outside, -BINDING, 0)).all()
    assert not harmony[0, 128:].any() and not harmony[1].any()
    assert UNSTEERED.harmony(columns, np.array([0, DRUMS])) == 0.0


def test_what_sounded_before_a_section_was_told_otherwise() -> None:
    first = Steering.of(Section(density=1.5, key="C"))
    later = Steering.of(Section(density=6.0, key="F# minor")).after(first, 96)
    last = Steering.of(Section(key="D")).after(later, 192)
    moments = moments_at([0, 95, 96, 191, 192])
    keys = [parse_key(name) for name in ("C", "C", "F# minor", "F# minor", "D")]
    assert last.at(moments)[:, 3].tolist() == keys
    assert last.at(moments)[:4].tolist() == later.at(moments)[:4].tolist()
    assert last.at(moments)[4, 1] == NOT_TOLD[1]


def test_a_section_that_asks_for_the_same_changes_nothing() -> None:
    first = Steering.of(PLANNED)
    assert Steering.of(PLANNED).after(first, 96) is first
    later = Steering.of(Section(key="D")).after(first, 96)
    assert Steering.of(Section(key="D")).after(later, 192) is later
