import numpy as np
import pytest
from style_toys import FALLING, RISING, scale_table, styled_corpus

from musenet.corpus.shards import SPLITS, Split, open_split
from musenet.errors import UserError
from musenet.evaluation.judge_measures import hear, measured, usable
from musenet.evaluation.judge_mixing import spliced
from musenet.evaluation.judge_training import fit, judged_styles
from musenet.judge import heard
from musenet.styles import style_id


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Split]:
    folder = styled_corpus(tmp_path_factory.mktemp("styled"))
    return {name: open_split(folder, name) for name in SPLITS}


def test_styles_are_judged_by_their_works_not_their_pieces(splits: dict[str, Split]) -> None:
    held_out = [splits["valid"], splits["test"]]
    assert judged_styles(held_out, 8) == sorted([RISING, FALLING])
    with pytest.raises(UserError, match="no two styles with 9 held-out works"):
        judged_styles(held_out, 9)


def test_a_judge_learns_to_tell_two_styles_apart(splits: dict[str, Split]) -> None:
    steps = np.linspace(0.0, 1.0, 40, endpoint=False).tolist()
    judge = fit(splits["train"], [RISING, FALLING], steps)
    for instruments in (True, False):
        pieces = usable(splits["test"], judge.styles)
        found = measured(hear(judge, splits["test"], pieces, instruments=instruments), judge.styles)
        assert found["top_1"] == 1.0
        assert found["mean_auc"] == 1.0
        assert found["chance"] == 0.5
    rising = judge.probabilities(scale_table(999, rises=True, notes=400))
    assert rising[0] > 0.9
    windows = [heard(scale_table(7, rises=rises, notes=200)) for rises in (True, False)]
    assert judge.shares(spliced(*windows)).min() > 0.2
    further = fit(splits["train"], [RISING, FALLING], steps[:1], judge=judge)
    assert further.probabilities(scale_table(999, rises=True, notes=400))[0] > 0.8
    again = fit(splits["train"], [RISING, FALLING], steps[:2])
    same = fit(splits["train"], [RISING, FALLING], steps[:2])
    for ours, theirs in zip(again.parameters(), same.parameters(), strict=True):
        assert ours.equal(theirs)


def test_a_style_without_pieces_cannot_be_learnt(splits: dict[str, Split]) -> None:
    with pytest.raises(UserError, match="learn waltz from"):
        fit(splits["train"], [RISING, style_id("waltz")], [0.5])
