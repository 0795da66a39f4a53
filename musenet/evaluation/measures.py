"""What can be measured of a piece of music, one number a measure.

docs/measures.md has each measure's formula, unit and source.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from musenet.analysis.arrays import bars_of
from musenet.analysis.repetition import repetition
from musenet.analysis.timing import ending, silence, tempo
from musenet.evaluation.coherence import coherence
from musenet.evaluation.harmony import harmony
from musenet.evaluation.texture import texture
from musenet.score import Score

YES_NO = "yes"
"""Unit of a measure that is 1 or 0: its mean is a share of pieces."""


@dataclass(frozen=True)
class Measure:
    """A measure.

    Attributes:
        unit: what its number counts; `YES_NO` for one that is 1 or 0.
        needs: whether the score must tell beats, or its tempo, for the measure to mean anything.
    """

    unit: str
    needs: Literal["notes", "beats", "tempo"] = "notes"


MEASURES: dict[str, Measure] = {
    "pitch_class_entropy": Measure("bits"),
    "scale_consistency": Measure("share"),
    "key_clarity": Measure("correlation"),
    "key_clarity_8_bars": Measure("correlation", "beats"),
    "key_drift_8_bars": Measure("share", "beats"),
    "key_distance_8_bars": Measure("fifths", "beats"),
    "polyphony": Measure("pitches"),
    "polyphony_rate": Measure("share"),
    "instruments": Measure("instruments"),
    "notes_per_second": Measure("notes/s"),
    "note_beats_mean": Measure("beats", "beats"),
    "note_beats_median": Measure("beats", "beats"),
    "note_seconds_mean": Measure("s"),
    "note_seconds_median": Measure("s"),
    "pitch_mean": Measure("MIDI pitch"),
    "pitch_range": Measure("semitones"),
    "out_of_range": Measure("share"),
    "velocity_mean": Measure("1-127"),
    "velocity_spread": Measure("1-127"),
    "groove_consistency": Measure("share", "beats"),
    "similarity_1": Measure("share", "beats"),
    "similarity_2": Measure("share", "beats"),
    "similarity_4": Measure("share", "beats"),
    "similarity_8": Measure("share", "beats"),
    "drum_similarity_1": Measure("share", "beats"),
    "drum_similarity_2": Measure("share", "beats"),
    "longest_loop": Measure("bars", "beats"),
    "stuck": Measure("share"),
    "longest_stuck": Measure("s"),
    "tempo": Measure("beats/min", "tempo"),
    "tempo_spread": Measure("ln ratio", "tempo"),
    "tempo_changes": Measure("1/min", "tempo"),
    "empty_bars": Measure("share", "beats"),
    "empty_beats": Measure("share", "beats"),
    "longest_silence": Measure("s"),
    "ending_tonic": Measure(YES_NO),
    "ending_bass": Measure(YES_NO),
    "ending_held": Measure(YES_NO),
    "ending_strong_beat": Measure(YES_NO, "beats"),
    "minute_key_clarity": Measure("correlation"),
    "minute_key_drift": Measure("share"),
    "minute_key_distance": Measure("fifths"),
    "minute_tempo_drift": Measure("ln ratio", "tempo"),
    "minute_balance_drift": Measure("share"),
    "minute_absence": Measure("share"),
}
"""All measures by name, in the order of `measures`."""


def measures(score: Score, *, beats: bool = True, tempos: bool = True) -> dict[str, float]:
    """All measures of a piece, NaN for those that mean nothing for it.

    Args:
        score: any score; one from an event table is on the grid that numbers compare on.
        beats: whether its beats are those of the music (not so for an untracked performance).
        tempos: whether its tempo is known and no guess.
    """
    bars = bars_of(score)
    values = {
        **harmony(score, bars),
        **texture(score),
        **repetition(score, bars),
        **tempo(score),
        **silence(score, bars),
        **ending(score, bars),
        **coherence(score),
    }
    told = {"notes": True, "beats": beats, "tempo": beats and tempos}
    return {name: values[name] if told[m.needs] else math.nan for name, m in MEASURES.items()}
