from pathlib import Path

from toys import toy_split, toy_tables

from musenet.corpus.relatives import relatives, relatives_by_name
from musenet.styles import style_id

JIG, FOLK, WALTZ = STYLES = [style_id(name) for name in ("jig", "folk", "waltz")]


def test_relatives_often_stand_together(tmp_path: Path) -> None:
    styles = [[JIG, FOLK, -1, -1]] + [[JIG, -1, -1, -1]] * 40 + [[WALTZ, -1, -1, -1]] * 3
    split = toy_split(tmp_path, "train", toy_tables(1) * len(styles), styles=styles)
    assert relatives(split, STYLES).tolist() == [
        [True, True, False], [True, True, False], [False, False, True],
    ]  # fmt: skip
    assert relatives_by_name(split) == {"jig": ["folk"], "folk": ["jig"], "waltz": []}
