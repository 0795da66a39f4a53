"""Parts of a piece given to other instruments, so that asked instruments are at home anywhere.

The corpus has few of the ensembles that may be asked for: without this a banjo told beside a
harpsichord is hardly ever given a note.
"""

from __future__ import annotations

import numpy as np

from musenet.events import Table, decode, encode
from musenet.instruments import DRUMS, INSTRUMENTS, instrument_id
from musenet.score import Array, Score, sort_notes

_UNPITCHED = frozenset(
    (DRUMS, *map(instrument_id, ("percussion", "sound effects", "timpani", "synth effects")))
)
CHORDAL = frozenset(
    map(
        instrument_id,
        ("piano", "electric piano", "harpsichord", "celesta", "vibraphone", "marimba", "bells",
         "organ", "accordion", "acoustic guitar", "electric guitar", "distorted guitar",
         "strings", "harp", "choir", "brass", "synth lead", "synth pad", "sitar", "banjo"),
    )
)  # fmt: skip
"""Instruments, or sections of them, that play chords."""
_CHORDS = 0.05
"""Share of its moments with two notes or more from which on a part goes to these alone."""


def orchestrated(table: Table, rng: np.random.Generator) -> Table:
    """A piece some of whose parts are played by others, drawn among those with their notes.

    Percussion stays. No two parts come to share an instrument.
    """
    score = decode(table)
    playing = set(score.instruments)
    parts = np.array(sorted(playing - _UNPITCHED))
    notes = score.notes.copy()
    for part in parts[rng.random(len(parts)) < rng.uniform(0.25, 1.0)].tolist():
        own = notes["instrument"] == part
        choices = sorted(_able(notes[own]) - playing)
        if choices:
            taking = int(rng.choice(choices))
            playing.add(taking)
            notes["instrument"][own] = taking
    return encode(Score(sort_notes(notes), score.tempos, score.metres))


def _able(notes: Array) -> set[int]:
    """The instruments that can play a part."""
    low, high = notes["pitch"].min(), notes["pitch"].max()
    _, together = np.unique(notes["onset"], return_counts=True)
    among = CHORDAL if (together > 1).mean() > _CHORDS else set(range(DRUMS)) - _UNPITCHED
    return {i for i in among if INSTRUMENTS[i].low <= low and high <= INSTRUMENTS[i].high}
