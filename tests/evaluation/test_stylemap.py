import sys

import numpy as np
import pytest

from musenet.errors import UserError
from musenet.evaluation.stylemap import (
    FAMILIES,
    FEWEST_STYLES,
    family_of,
    known_styles,
    style_map,
)
from musenet.styles import STYLES, style_id


def clusters(seed: int = 0) -> np.ndarray:
    """Twenty embeddings around each of three directions, at different lengths."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(np.eye(3, 32), 20, axis=0)
    noisy = centres + 0.05 * rng.normal(size=(60, 32))
    return (noisy * rng.uniform(0.5, 8.0, (60, 1))).astype(np.float32)


def test_styles_of_one_direction_lie_together() -> None:
    points = style_map(clusters())
    assert points.shape == (60, 2)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (distances.argmin(axis=1) // 20 == np.arange(60) // 20).all()
    assert np.abs(points).max() == pytest.approx(1.0)


def test_a_map_is_the_same_every_time() -> None:
    assert np.array_equal(style_map(clusters()), style_map(clusters()))
    assert not np.array_equal(style_map(clusters(1)), style_map(clusters()))


@pytest.mark.parametrize("styles", [FEWEST_STYLES, 7])
def test_few_styles_make_a_map(styles: int) -> None:
    assert np.isfinite(style_map(clusters()[:styles])).all()


def test_too_few_styles() -> None:
    with pytest.raises(UserError, match="at least 4 styles"):
        style_map(clusters()[: FEWEST_STYLES - 1])


def test_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    with pytest.raises(UserError, match=r"pip install 'musenet\[map\]'"):
        style_map(clusters())


def test_styles_with_enough_works() -> None:
    counts = {"bach": [19, 1], "jazz": [10, 9], "folk": [0, 20]}
    assert known_styles(counts, 20) == sorted([style_id("bach"), style_id("folk")])


def test_families() -> None:
    assert family_of("bach") == family_of("fugue") == "renaissance and baroque"
    assert family_of("bossa nova") == "latin and reggae"
    assert {family_of(style.name) for style in STYLES} == set(FAMILIES)
    unknown = [style for style in STYLES if family_of(style.name) == FAMILIES[-1]]
    assert {style.kind for style in unknown} == {"composer"}
