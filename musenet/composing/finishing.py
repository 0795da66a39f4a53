"""From drafts to finished pieces: score, MIDI file and facts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from musenet import midi
from musenet.composing.arranging import Arrangement, addition_of
from musenet.composing.decoding import Draft
from musenet.composing.prompt import Opening, Prompt
from musenet.events import decode, is_note
from musenet.files import write_atomically
from musenet.instruments import INSTRUMENTS
from musenet.own_styles import SUFFIX, told_name
from musenet.score import Score, crop, seconds_at

TOLERANCE = 0.05
"""Share by which the length may differ from the one asked for."""


@dataclass(frozen=True)
class Composition:
    """A finished piece.

    Attributes:
        score: all of it, opening included.
        midi: the file.
        facts: how it was made and what is in it, ready for JSON.
    """

    score: Score
    midi: bytes
    facts: Mapping[str, Any]

    def save(self, path: str | Path) -> None:
        """Write the MIDI file, whole or not at all.

        Raises:
            UserError: it cannot be written.
        """
        write_atomically(Path(path), self.midi)


def rate(drafts: Sequence[Draft], opening_rows: int, seconds: float) -> float:
    """New notes a second over all candidates."""
    new = sum(int((is_note(draft.table) & ~draft.given)[opening_rows:].sum()) for draft in drafts)
    return round(new / max(seconds, 1e-9), 1)


def finished(
    draft: Draft,
    prompt: Prompt,
    opening: Opening,
    source: bytes | None,
    recipe: dict[str, Any],
    speed: float,
) -> Composition:
    """A piece composed to a prompt, behind the given file if there is one.

    Args:
        draft: what the decoder made.
        prompt: what was asked for.
        opening: what the draft begins with.
        source: the given file.
        recipe: how it was made, for the file to tell.
        speed: notes a second.
    """
    score = decode(draft.table)
    if source is None:
        score = _played_at(score, prompt, opening.pace)
        data = midi.to_bytes(score, title=_title(prompt), comment=json.dumps(recipe))
    else:
        data = _carried_on(score, opening, source, recipe)
        score = midi.load(data)
    facts = recipe | facts_of(score) | {
        "forced": draft.forced, "ended_by": "model" if draft.ended else "limit",
        "notes_per_second": speed,
    }  # fmt: skip
    return Composition(score, data, facts)


def arranged(
    draft: Draft, layout: Arrangement, source: bytes, recipe: dict[str, Any], speed: float
) -> Composition:
    """A given file with the new notes in it."""
    addition = addition_of(draft, layout)
    removals = () if layout.removal is None else (layout.removal,)
    data = midi.insert(source, addition, removals=removals, comment=json.dumps(recipe))
    score = midi.load(data)
    facts = recipe | facts_of(score) | {
        "forced": draft.forced, "new_notes": len(addition.notes), "notes_per_second": speed,
    }  # fmt: skip
    return Composition(score, data, facts)


def _carried_on(score: Score, opening: Opening, source: bytes, recipe: dict[str, Any]) -> bytes:
    """The given file with the new notes behind it, in its own tempo until one changes it."""
    new = crop(score, opening.earliest, score.end + 1)
    tempos = new.tempos.copy()
    tempos["bpm"] *= opening.pace
    changes = int((score.metres["tick"] >= opening.earliest).sum())
    addition = replace(new, tempos=tempos, metres=new.metres[len(new.metres) - changes :])
    return midi.extend(source, opening.cut, addition, comment=json.dumps(recipe))


def _played_at(score: Score, prompt: Prompt, pace: float) -> Score:
    """Tempi as people write them: the one asked for exactly, others as whole numbers.

    Where whole numbers would spoil the length asked for, they have two decimals.
    """
    exact = score.tempos.copy()
    exact["bpm"] = np.round(exact["bpm"] * pace, 2 if prompt.tempo is None else 6)
    whole = exact.copy()
    whole["bpm"] = np.round(exact["bpm"])
    plain = replace(score, tempos=whole)
    fits = abs(plain.seconds / prompt.seconds - 1.0) <= TOLERANCE and prompt.tempo is None
    return plain if fits else replace(score, tempos=exact)


def _title(prompt: Prompt) -> str:
    names = ", ".join(told_name(name).removesuffix(SUFFIX) for name, _ in prompt.styles)
    return f"musenet: {names}" if names else "musenet"


def facts_of(score: Score) -> dict[str, Any]:
    """What is in a score: length, notes, and how much each instrument plays."""
    seconds = score.seconds
    minute = (seconds_at(score, score.notes["onset"]) // 60).astype(int)
    shares, playing = {}, {}
    for player in score.instruments:
        own = score.notes["instrument"] == player
        name = INSTRUMENTS[player].name
        shares[name] = round(float(own.mean()), 4)
        playing[name] = len(np.unique(minute[own]))
    return {
        "seconds": round(seconds, 2), "notes": len(score.notes), "instruments": shares,
        "minutes_playing": playing,
    }  # fmt: skip
