"""Music as surprising as human music: a temperature that follows what is being written.

At any fixed temperature a network is sooner or later caught in what it has just written, a loop,
which is likelier each time it comes, or strays, each unlikely note making the next less sure; and
where one ends and the other begins differs from style to style. So the surprise of what is written,
its bits by the network itself, is held near that of human music for such styles and instruments:
where it falls the temperature rises, and the other way round. This is the aim of Mirostat (Basu et
al., 2021), with a temperature for its cut-off and human music for its target.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from musenet.checkpoint import beside, read_tensors, write_tensors
from musenet.condition import INSTRUMENT_SLOTS, Condition
from musenet.errors import UserError
from musenet.files import digest

Floats = NDArray[np.float64]

SURPRISE_FILE = "surprise.safetensors"
"""Name of what is known of human music that stands beside its model."""
NEAREST = 12
"""Human pieces that tell how surprising music is to be: those most like what is asked for."""
SAME_STYLE, SAME_KIND = 2.0, 0.3
"""What a style in common weighs, and how velocities are, beside the likeness of ensembles."""
MEMORY = 120.0
"""Events over which surprise is averaged, so many that a section may be repeated: human music is
surprising in what is new and hardly at all in what is repeated."""
PULL = 1.0
"""How strongly the temperature follows: it rises by 2 ** PULL where surprise is half of human."""
SURENESS = 0.1
"""How much cooler choices are of which the network is nearly sure (`sampling.sample`): in what is
repeated each note is one, and one that strays ends the repeat."""
LOOPING = 0.5
"""Share of human surprise at which that ends, growing from nothing there to all of it at human
surprise: a loop is what the network is surest of."""
HITS = 0.75
"""By how much the choice of drums is cooler: a kit that strays in a bar strays on in the next."""
COOLEST, WARMEST = 0.85, 2.0
DARING = 3.0
"""Surprise is to grow as this power of the temperature that is asked for, as it does unheld."""
SLACK = 0.1
"""Bits that are added to both sides, so that nothing is divided by nothing."""
MOST = 60.0
"""Bits above which an event counts no more: it was forced."""
_FORMAT = 1
_NAMES = ("styles", "players", "kind", "bits")


@dataclass(frozen=True)
class HumanSurprise:
    """How surprising pieces of human music are to a network.

    Attributes:
        styles: ids of each piece's styles, -1 for none, shape (pieces, any).
        players: whether each instrument plays, shape (pieces, `INSTRUMENT_SLOTS`).
        kind: as `condition.Condition`, shape (pieces,).
        bits: bits an event, mean over the piece, shape (pieces,).
        name: tells one from another, for pieces to tell how they were made.
    """

    styles: NDArray[np.int16]
    players: NDArray[np.bool_]
    kind: NDArray[np.int16]
    bits: NDArray[np.float32]
    name: str = ""

    def usual(self, told: Condition) -> float:
        """Bits an event of the human pieces that are most like what is told."""
        asked = np.zeros(INSTRUMENT_SLOTS, dtype=np.bool_)
        asked[list(told.instruments)] = True
        alike = (self.players & asked).sum(axis=1) / (self.players | asked).sum(axis=1)
        alike += SAME_KIND * (self.kind % 2 == told.kind % 2)
        if not told.styles:
            return self._nearest(alike)
        each = [
            self._nearest(alike + SAME_STYLE * (self.styles == style).any(axis=1))
            for style, _ in told.styles
        ]
        return float(np.average(each, weights=[weight for _, weight in told.styles]))

    def _nearest(self, alike: Floats) -> float:
        order = np.argsort(-alike, kind="stable")[:NEAREST]
        return float(self.bits[order].mean())


class Held:
    """Candidates whose surprise is held near that of human music."""

    def __init__(self, usual: float | None, candidates: int, temperature: float = 1.0) -> None:
        """Nothing written yet.

        Args:
            usual: bits an event of human music; None to hold nothing.
            candidates: how many.
            temperature: that is asked for; 1 for music as surprising as human music.
        """
        self.aim = None if usual is None else usual * temperature**DARING
        self.recent = np.full(candidates, self.aim or 0.0)

    @property
    def sureness(self) -> Floats | float:
        """How much cooler sure choices of each candidate are, shape (candidates, 1)."""
        if self.aim is None:
            return 0.0
        ratio = (self.recent + SLACK) / (self.aim + SLACK)
        share: Floats = np.minimum(np.maximum((ratio - LOOPING) / (1.0 - LOOPING), 0.0), 1.0)
        return SURENESS * share[:, None]

    def warmth(self, hit: NDArray[np.bool_] | bool = False) -> Floats | float:
        """What the temperature is multiplied by, for each candidate, shape (candidates, 1).

        Args:
            hit: whether it is for which drum is struck.
        """
        if self.aim is None:
            return 1.0
        ratio = (self.aim + SLACK) / (self.recent + SLACK)
        within: Floats = np.minimum(np.maximum(ratio**PULL, COOLEST), WARMEST)
        within *= np.where(hit, HITS, 1.0)
        return within[:, None]

    def take_in(self, bits: Floats, counted: NDArray[np.bool_]) -> None:
        """Note down how surprising the events were that were just chosen, shape (candidates,)."""
        if self.aim is not None:
            change = (np.minimum(bits, MOST) - self.recent) / MEMORY
            self.recent += np.where(counted, change, 0.0)


def surprisal(
    scores: NDArray[np.floating[Any]], allowed: NDArray[np.bool_], chosen: NDArray[np.int64]
) -> Floats:
    """Bits of chosen values among those allowed, shape (rows,).

    Args:
        scores: logits, shape (rows, values).
        allowed: which values might have been chosen, shape (rows, values).
        chosen: values, shape (rows,).
    """
    beside = scores - scores[np.arange(len(chosen)), chosen][:, None]
    np.minimum(beside, MOST, out=beside)
    np.exp(beside, out=beside)
    beside *= allowed
    bits: Floats = np.log2(np.maximum(np.add.reduce(beside, axis=1, dtype=np.float64), 1.0))
    return bits


def save_surprise(path: Path, found: HumanSurprise, model: str) -> None:
    """Write what was found; `model` is the fingerprint of the weights that were surprised."""
    tensors = {name: torch.from_numpy(getattr(found, name)) for name in _NAMES}
    tensors["players"] = torch.from_numpy(np.packbits(found.players, axis=1))
    write_tensors(path, tensors, {"format": _FORMAT, "model": model})


def surprise_beside(path: Path, name: str) -> HumanSurprise | None:
    """What stands beside a model, or None where nothing was measured for these weights.

    Args:
        path: the model's file, or the folder of its run.
        name: fingerprint of its weights.

    Raises:
        UserError: it is damaged.
    """
    file = beside(path, name, SURPRISE_FILE)
    if file is None:
        return None
    tensors, _ = read_tensors(file)
    try:
        styles, packed, kind, bits = (tensors[key].numpy() for key in _NAMES)
    except KeyError as error:
        raise UserError(f"{file} is damaged: make it with 'musenet evaluate surprise'") from error
    players = np.unpackbits(packed, axis=1).astype(np.bool_)
    return HumanSurprise(styles, players, kind, bits, digest(file.read_bytes()))
