"""The learned style embeddings in two dimensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from musenet.corpus.composers import period_of
from musenet.errors import UserError
from musenet.styles import STYLES

FEWEST_STYLES = 4
_PERPLEXITY = 12.0

_FAMILIES = {
    "renaissance and baroque": "renaissance, baroque, fugue, suite, madrigal",
    "classical period": "classical period",
    "romantic": "romantic",
    "modern": "modern",
    "classical forms": "classical, art song, keyboard, chamber, string quartet, orchestral,"
    " guitar, opera, symphony, concerto, sonata, prelude, etude, variations, rondo, fantasia,"
    " nocturne, minuet, waltz, mazurka, polonaise, krakowiak, polka, march, harmony exercises",
    "sacred": "sacred, hymns, organ, vocal, mass, requiem, vespers, litany, motet, psalm, carols,"
    " gospel",
    "folk": "folk, irish, scottish, british, american fiddle, jig, reel, hornpipe, strathspey,"
    " parlour song",
    "jazz and blues": "jazz, blues, tin pan alley, ragtime, swing, big band, dixieland, foxtrot,"
    " gypsy jazz, jazz combo, fusion, boogie, country blues, slow blues, shuffle",
    "latin and reggae": "latin, reggae, bossa nova, samba, tango, salsa, mambo, calypso, cha cha,"
    " rumba, ska",
    "pop, rock and country": "pop, rock, country, chinese pop, ballad, folk rock, metal,"
    " western swing, bluegrass, cajun",
    "groove and games": "funk and soul, electronic, game, drums, funk, soul, dance, hip hop",
}
_OTHER = "period not known"
FAMILIES = (*_FAMILIES, _OTHER)
_FAMILY_OF = {name: family for family, names in _FAMILIES.items() for name in names.split(", ")}


def family_of(style: str) -> str:
    """The one of `FAMILIES` that a style belongs to; a composer's is the period."""
    return _FAMILY_OF.get(style) or _FAMILY_OF.get(period_of(style), _OTHER)


def known_styles(counts: Mapping[str, Sequence[int]], works: int) -> list[int]:
    """Ids of the styles with at least so many works, real and arranged together."""
    return [index for index, style in enumerate(STYLES) if sum(counts.get(style.name, ())) >= works]


def style_map(weights: NDArray[np.float32], *, seed: int = 0) -> NDArray[np.float64]:
    """Embeddings in two dimensions by t-SNE (van der Maaten and Hinton, 2008).

    Rows at a small angle come to lie near one another. The axes mean nothing, nor do distances
    between far groups. The same weights and seed give the same map.

    Args:
        weights: an embedding a row, shape (n, width); n at least `FEWEST_STYLES`.
        seed: of the search.

    Returns:
        Coordinates, shape (n, 2), centred, the farthest from the centre at 1 on its axis.

    Raises:
        UserError: there are too few rows, or scikit-learn is not installed.
    """
    if len(weights) < FEWEST_STYLES:
        raise UserError(f"a map needs at least {FEWEST_STYLES} styles: ask for fewer works of each")
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise UserError("the map needs scikit-learn: pip install 'musenet[map]'") from error
    directions = weights / np.maximum(np.linalg.norm(weights, axis=1, keepdims=True), 1e-9)
    method = TSNE(
        perplexity=min(_PERPLEXITY, (len(weights) - 1) / 3),
        init="pca",
        method="exact",
        random_state=seed,
    )
    points: NDArray[np.float64] = method.fit_transform(directions.astype(np.float64))
    points = points - (points.max(axis=0) + points.min(axis=0)) / 2
    return points / max(float(np.abs(points).max()), 1e-9)
