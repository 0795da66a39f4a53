from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from toys import toy_split, toy_tables

from musenet.condition import SOURCES
from musenet.corpus.shards import PIECE, Split
from musenet.styles import style_id
from musenet.training.mixture import LIMITS, piece_weights

CONTEXT = 1024
SIZES = st.lists(st.integers(1, 20_000), min_size=1, max_size=12)


def split_of(
    events: list[int], names: list[str], styles: list[int] | None = None, kind: int = 0
) -> Split:
    pieces = np.zeros(len(events), dtype=PIECE)
    pieces["events"], pieces["notes"], pieces["kind"] = events, events, kind
    pieces["styles"] = -1
    if styles is not None:
        pieces["styles"][:, 1] = styles
    return Split(np.zeros((0, 5), dtype=np.uint8), pieces, tuple(names))


def note_shares(split: Split, groups: list[str]) -> dict[str, float]:
    """The share of the notes drawn that each group has, a window being `CONTEXT` events."""
    weights = piece_weights(split, CONTEXT)
    notes_a_draw = split.pieces["notes"] * np.minimum(1.0, CONTEXT / split.pieces["events"])
    drawn: NDArray[np.float64] = weights * notes_a_draw
    shares = dict.fromkeys(groups, 0.0)
    for group, share in zip(groups, drawn / drawn.sum(), strict=True):
        shares[group] += float(share)
    return shares


@given(SIZES, st.data())
def test_weights_are_probabilities(events: list[int], data: st.DataObject) -> None:
    archives = st.sampled_from(["a.zip", "b.zip", "polish-scores.zip"])
    names = [f"{data.draw(archives)}/{i}.mid" for i in range(len(events))]
    weights = piece_weights(split_of(events, names), CONTEXT)
    assert weights.sum() == pytest.approx(1.0)
    assert (weights > 0).all()


def test_a_source_counts_as_the_root_of_its_notes() -> None:
    split = split_of([100] * 50 + [100] * 200, ["a/x"] * 50 + ["b/x"] * 200)
    shares = note_shares(split, ["a"] * 50 + ["b"] * 200)
    assert shares == pytest.approx({"a": 1 / 3, "b": 2 / 3})


def test_within_a_source_long_pieces_give_more_windows() -> None:
    weights = piece_weights(split_of([512, 1024, 4096], ["a/x"] * 3), CONTEXT)
    assert weights / weights[0] == pytest.approx([1, 1, 4])


@given(SIZES, st.lists(st.integers(1, 20_000), min_size=1, max_size=6))
def test_polish_scores_have_a_fifth_at_most(polish: list[int], others: list[int]) -> None:
    names = ["polish-scores.zip/x"] * len(polish) + ["a/x"] * len(others)
    groups = ["polish"] * len(polish) + ["a"] * len(others)
    shares = note_shares(split_of(polish + others, names), groups)
    assert shares["polish"] <= LIMITS["polish"] + 1e-9


@given(st.integers(1, 100), st.integers(1, 100), st.integers(1, 100), st.integers(1, 100))
def test_all_limits_hold_together(folk: int, drums: int, arranged: int, others: int) -> None:
    count = folk + drums + arranged + others
    split = split_of([200] * count, ["a/x"] * count)
    groups = ["folk"] * folk + ["drums"] * drums + ["arranged"] * arranged + ["a"] * others
    split.pieces["styles"][:folk, 2] = style_id("folk")
    split.pieces["styles"][folk : folk + drums, 0] = style_id("drums")
    split.pieces["kind"][folk + drums : count - others] = 2 * SOURCES.index("arranged") + 1
    shares = note_shares(split, groups)
    for group, limit in LIMITS.items():
        assert shares.get(group, 0.0) <= limit + 1e-9


def test_arranged_folk_counts_as_arranged() -> None:
    split = split_of([100] * 20, ["a/x"] * 20, [-1] * 10 + [style_id("folk")] * 10)
    split.pieces["kind"][10:] = 2 * SOURCES.index("arranged")
    shares = note_shares(split, ["a"] * 10 + ["arranged"] * 10)
    assert shares["arranged"] == pytest.approx(LIMITS["arranged"])


def test_limits_that_leave_nothing_else_are_shares_alone() -> None:
    styles = [style_id("folk")] * 5 + [style_id("drums")] * 5
    weights = piece_weights(split_of([100] * 10, ["a/x"] * 10, styles), CONTEXT)
    assert weights == pytest.approx(np.full(10, 0.1))


def test_a_real_corpus(tmp_path: Path) -> None:
    split = toy_split(tmp_path, "train", toy_tables(6))
    assert piece_weights(split, CONTEXT).sum() == pytest.approx(1.0)
