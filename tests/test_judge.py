from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import scores
from style_toys import FALLING, RISING, scale_table

from musenet.checkpoint import write_tensors
from musenet.errors import UserError
from musenet.events import METRE_EVENT, TEMPO_EVENT, encode, is_note
from musenet.instruments import DRUMS
from musenet.judge import (
    COLUMNS,
    WINDOW,
    StyleJudge,
    bundled_judge,
    heard,
    load_judge,
    save_judge,
    stack,
    windows_of,
    without_instruments,
)
from musenet.quantise import METRES
from musenet.score import NOTE, Score, records
from musenet.styles import STYLES


def judge(seed: int = 0) -> StyleJudge:
    torch.manual_seed(seed)
    return StyleJudge([RISING, FALLING], width=16).eval()


@given(scores())
def test_every_score_can_be_heard_each_column_in_its_range(score: Score) -> None:
    table = encode(score)
    notes = heard(table)
    assert notes.shape == (is_note(table).sum(), len(COLUMNS))
    if len(notes):
        ids, real = stack(windows_of(notes))
        seen = ids[real]
        assert (seen.amax(dim=0)[:-1] < seen.amin(dim=0)[1:]).all()
        assert judge()(ids, real).isfinite().all()
        np.testing.assert_array_equal(heard(table, slice(3, 9))[1:, 5:], notes[4:9, 5:])


def test_tune_and_bass_are_lines_of_their_own() -> None:
    rows = [(0, 24, 60, 80, 0), (0, 24, 48, 80, 0), (24, 24, 50, 80, 0), (24, 24, 64, 80, 0),
            (24, 24, 57, 80, 0), (24, 24, 38, 80, DRUMS), (48, 24, 38, 80, DRUMS),
            (72, 24, 62, 80, 0)]  # fmt: skip
    notes = heard(encode(Score(records(NOTE, rows), ticks_per_beat=24)))
    none = 63
    tune, bass, pitch = (notes[:, COLUMNS.index(name)] for name in ("tune", "bass", "pitch"))
    assert pitch[[0, 1, 2, 3, 4, 7]].tolist() == [48, 60, 50, 57, 64, 62]
    assert tune.tolist() == [none, 24, none, none, 24 + 4, none, none, 24 - 2]
    assert bass.tolist() == [24, none, 24 + 2, none, none, none, none, 24 + 12]


def test_velocity_and_tempo_are_not_heard() -> None:
    table = scale_table(1, rises=True)
    other = np.array(table)
    other[is_note(other), 4] = 1
    other[other[:, 1] == TEMPO_EVENT, 2] = 60
    np.testing.assert_array_equal(heard(table), heard(other))


def test_metre_and_place_in_the_bar_are_heard() -> None:
    table = scale_table(1, rises=True)
    waltz = np.array(table)
    waltz[waltz[:, 1] == METRE_EVENT, 2] = METRES.index((3, 4))
    plain, other = heard(table), heard(waltz)
    changed = [name for place, name in enumerate(COLUMNS) if (plain != other)[:, place].any()]
    assert changed == ["beat in bar", "bar"]


@given(st.integers(1, 40 * WINDOW))
def test_windows_come_from_all_over_a_piece(count: int) -> None:
    notes = np.arange(10 * count).reshape(-1, 10)
    windows = windows_of(notes)
    assert 1 <= len(windows) <= 16
    assert all(0 < len(window) <= WINDOW for window in windows)
    assert windows[0][0, 0] == 0
    assert windows[-1][-1, -1] == 10 * count - 1


def test_what_a_window_says_does_not_depend_on_longer_ones_beside_it() -> None:
    own = judge()
    short, long = (heard(scale_table(2, rises=True, notes=count)) for count in (37, 200))
    alone, beside = own(*stack([short])), own(*stack([short, long]))[:1]
    torch.testing.assert_close(alone, beside)


def test_without_instruments_all_sound_alike() -> None:
    own = judge()
    piano, violin = (scale_table(2, rises=True, instrument=place) for place in (0, 15))
    assert not np.allclose(own.probabilities(piano), own.probabilities(violin))
    np.testing.assert_allclose(
        own.probabilities(piano, instruments=False), own.probabilities(violin, instruments=False)
    )
    np.testing.assert_array_equal(without_instruments(heard(piano))[:, 1:], heard(piano)[:, 1:])


def test_probabilities_add_up_and_a_few_notes_are_refused() -> None:
    found = judge().probabilities(scale_table(3, rises=False, notes=700))
    assert found.shape == (2,)
    assert found.sum() == pytest.approx(1.0)
    with pytest.raises(UserError, match="too few"):
        judge().probabilities(scale_table(3, rises=False, notes=5))


def test_shares_are_the_mean_over_windows() -> None:
    own = judge()
    rising, falling = (heard(scale_table(3, rises=rises, notes=WINDOW)) for rises in (True, False))
    apart = np.mean([own.shares(rising), own.shares(falling)], axis=0)
    np.testing.assert_allclose(own.shares(np.concatenate([rising, falling])), apart)


def test_a_judge_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "judge.safetensors"
    own = judge().half().float()
    save_judge(path, own, {"works": 3})
    read, facts = load_judge(path)
    assert facts == {"works": 3}
    assert read.styles == own.styles
    table = scale_table(3, rises=False)
    np.testing.assert_array_equal(read.probabilities(table), own.probabilities(table))


def test_what_is_no_judge_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    write_tensors(path, {"weight": torch.zeros(2)}, {"format": 1})
    with pytest.raises(UserError, match="is no judge"):
        load_judge(path)
    with pytest.raises(UserError, match="no model at"):
        load_judge(tmp_path / "absent.safetensors")


def test_the_bundled_judge_is_small_and_tells_how_good_it_is() -> None:
    assert bundled_judge().stat().st_size < 1 << 20
    own, facts = load_judge()
    known = {STYLES[style].name for style in own.styles}
    for found in facts["held_out"].values():
        assert set(found["styles"]) == known
        assert found["top_1"] > found["commonest"] > found["chance"]
        assert all(row["works"] >= 10 for row in found["styles"].values())
    for found in facts["blends"].values():
        assert found["apart"]["share"] > found["spliced"]["share"] > found["layered"]["share"]
        assert found["layered"]["low"] > found["falsely"]["high"]
