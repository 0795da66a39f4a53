"""The catalogue: all that is known of the pieces while a corpus is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.corpus.labels import Labels
from musenet.corpus.sources import Entry, Provenance
from musenet.corpus.titles import ARRANGED


@dataclass(frozen=True)
class Catalogue:
    """All pieces that the files gave, before any is left out; one entry a piece in each field.

    Attributes:
        facts: array of `PREPARED`.
        files: place of each piece's file in `entries`.
        entries: all files.
        provenance: the manifest's row of each file.
        labels: labels of each file.
        rejected: reason for each file without pieces, by its place in `entries`.
    """

    facts: NDArray[np.void]
    files: NDArray[np.int64]
    entries: Sequence[Entry]
    provenance: Sequence[Provenance]
    labels: Sequence[Labels]
    rejected: Mapping[int, str]

    @property
    def arranged(self) -> NDArray[np.bool_]:
        """Which pieces are arrangements."""
        flags = np.array([row.flag == ARRANGED for row in self.provenance], dtype=bool)
        return flags[self.files]

    def name(self, piece: int) -> str:
        """Archive, path and movement of a piece."""
        return f"{self.entries[self.files[piece]].name}#{self.facts['movement'][piece]}"


def values(provenance: Sequence[Provenance], field: str) -> list[str]:
    """All that the manifests say in a column, sorted; "unknown" for nothing."""
    return sorted({getattr(row, field) or "unknown" for row in provenance})
