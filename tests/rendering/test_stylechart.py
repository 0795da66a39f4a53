from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musenet.errors import UserError
from musenet.rendering.stylechart import Box, draw, label_places, style_chart
from musenet.styles import STYLES

FRAME = (0.0, 0.0, 1000.0, 800.0)
SIZE = (60.0, 12.0)


def shared(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


@given(st.integers(0, 1_000))
def test_names_do_not_overlap_where_there_is_room(seed: int) -> None:
    dots = np.random.default_rng(seed).uniform((80, 40), (920, 760), (25, 2))
    places = label_places(dots, [SIZE] * 25, FRAME)
    assert all(shared(one, other) == 0 for i, one in enumerate(places) for other in places[:i])


@given(st.integers(0, 1_000), st.integers(1, 60))
def test_names_stay_in_the_frame_however_crowded(seed: int, count: int) -> None:
    dots = np.random.default_rng(seed).uniform((0, 0), (90, 60), (count, 2))
    frame = (0.0, 0.0, 90.0, 60.0)
    for left, foot, right, top in label_places(dots, [SIZE] * count, frame):
        assert (left, foot) >= (-1e-9, -1e-9)
        assert right <= 90 + 1e-9 and top <= 60 + 1e-9
        assert (right - left, top - foot) == pytest.approx(SIZE)


def test_a_name_alone_stands_to_the_right_of_its_dot() -> None:
    left, foot, _, top = label_places(np.array([[500.0, 400.0]]), [SIZE], FRAME)[0]
    assert 500 < left < 510
    assert (foot + top) / 2 == pytest.approx(400)


def test_every_style_is_named_on_the_map() -> None:
    names = [style.name for style in STYLES]
    points = np.random.default_rng(0).uniform(-1, 1, (len(names), 2))
    texts = {text.get_text() for text in draw(points, names).axes[0].texts}
    assert texts > set(names)


def test_the_file_is_of_the_kind_that_its_name_says(tmp_path: Path) -> None:
    points = np.array([[-1.0, 0.0], [1.0, 1.0]])
    for suffix, start in ((".png", b"\x89PNG"), (".pdf", b"%PDF"), (".SVG", b"<?xml")):
        path = tmp_path / f"map{suffix}"
        style_chart(points, ["jazz", "bach"], path)
        assert path.read_bytes().startswith(start)
    with pytest.raises(UserError, match="must end in"):
        style_chart(points, ["jazz", "bach"], tmp_path / "map.gif")
