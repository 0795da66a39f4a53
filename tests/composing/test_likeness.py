import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from music import melody

from musenet.composing.likeness import Likeness, likeness
from musenet.judge import LEAST_NOTES, StyleJudge
from musenet.score import Score
from musenet.styles import STYLES, style_id

NAMES = ("jazz", "baroque", "reggae", "latin")
SHARES = st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4)


def hearing(shares: Sequence[float]) -> StyleJudge:
    """A judge that hears the same in everything."""
    judge = StyleJudge([style_id(name) for name in NAMES])
    with torch.no_grad():
        judge.head.weight.zero_()
        judge.head.bias.copy_(torch.tensor(shares).log())
    return judge.eval()


def told(shares: Sequence[float], *asked: str, **relatives: Sequence[str]) -> Likeness | None:
    styles = [style_id(name) for name in asked]
    return likeness(hearing(shares), melody(0, LEAST_NOTES), styles, relatives)


def test_a_style_is_heard_above_all_others_or_missed() -> None:
    heard = told([0.6, 0.1, 0.1, 0.2], "jazz")
    assert heard is not None
    assert heard.words == "sounds like jazz"
    assert heard.other[0] == "latin"
    assert dict(heard.asked)["jazz"] == pytest.approx(0.6, abs=1e-5)
    missed = told([0.2, 0.1, 0.1, 0.6], "jazz")
    assert missed is not None
    assert missed.missed == ("jazz",)
    assert missed.words == "more like latin than jazz"


def test_of_a_blend_both_are_to_be_heard() -> None:
    both, one, none = (
        told(shares, "jazz", "reggae")
        for shares in ([0.4, 0.1, 0.3, 0.2], [0.4, 0.1, 0.2, 0.3], [0.2, 0.5, 0.2, 0.1])
    )
    assert both is not None
    assert one is not None
    assert none is not None
    assert both.words == "sounds like jazz and reggae"
    assert one.words == "more like latin than reggae"
    assert none.words == "more like baroque than jazz and reggae"
    assert [len(own.missed) for own in (both, one, none)] == [0, 1, 2]


def test_relatives_of_what_was_asked_do_not_stand_in_its_way() -> None:
    heard = told([0.2, 0.1, 0.1, 0.6], "jazz", jazz=("latin",))
    assert heard is not None
    assert not heard.missed


def test_nothing_is_said_where_nothing_can_be() -> None:
    unknown = next(own.name for own in STYLES if own.name not in NAMES)
    every = [0.25] * 4
    assert told(every) is None
    assert told(every, unknown) is None
    assert told(every, *NAMES) is None
    asked = [style_id("jazz")]
    few: Score = melody(0, LEAST_NOTES - 1)
    assert likeness(hearing(every), few, asked, {}) is None
    lost = replace(few, notes=np.concatenate([few.notes, few.notes[-1:]]))
    assert len(lost.notes) == LEAST_NOTES
    assert likeness(hearing(every), lost, asked, {}) is None


@given(SHARES, st.sets(st.sampled_from(NAMES), min_size=1, max_size=3))
def test_the_other_is_the_likeliest_that_was_not_asked_for(
    shares: list[float], asked: set[str]
) -> None:
    heard = told(shares, *sorted(asked))
    assert heard is not None
    whole = sum(shares)
    others = {name: own / whole for name, own in zip(NAMES, shares, strict=True)}
    top = max(share for name, share in others.items() if name not in asked)
    assert heard.other[1] == pytest.approx(top, abs=1e-4)
    assert heard.other[0] not in asked
    facts = json.loads(json.dumps(heard.facts()))
    assert set(facts["shares"]) == {*asked, heard.other[0]}
    assert set(facts["missed"]) <= asked
