"""Pieces as JSON, and edits of them: pure functions over MIDI files and scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from musenet import midi
from musenet.composing.finishing import facts_of
from musenet.errors import UserError
from musenet.instruments import DRUMS, INSTRUMENTS, instrument_id
from musenet.midi import bar_tick, comment, extend, to_bytes
from musenet.rendering.appearance import instrument_colours
from musenet.score import (
    METRE,
    NOTE,
    TEMPO,
    Array,
    Score,
    bar_starts,
    crop,
    last_at_tick,
    note_ends,
    records,
    seconds_at,
    sort_notes,
)
from musenet.studio.problems import over_limit
from musenet.studio.settings import Limits

MOST_BARS = 10_000


def read(data: bytes, limits: Limits) -> Score:
    """The music of a MIDI file that was sent.

    Raises:
        UserError: it is none, or has no notes.
        Problem: it is larger than allowed.
    """
    score = midi.load(data)
    check(score, limits)
    return score


def check(score: Score, limits: Limits) -> None:
    """Refuse a piece that has no notes or is larger than allowed.

    Raises:
        UserError: it has no notes.
        Problem: it is too large.
    """
    if not len(score.notes):
        raise UserError("there are no notes in it: give a piece that has some")
    if len(score.notes) > limits.notes:
        raise over_limit(f"{len(score.notes):,} notes are more than {limits.notes:,}: give fewer")
    if score.seconds > 60 * limits.minutes:
        minutes = score.seconds / 60
        raise over_limit(f"{minutes:.1f} minutes are more than {limits.minutes:g}: give less")
    if len(bar_starts(score)) > MOST_BARS:
        raise over_limit(f"there are more than {MOST_BARS:,} bars: give a shorter piece")


def summary(score: Score) -> dict[str, Any]:
    """What a node tells of its piece."""
    facts = facts_of(score)
    bars = len(bar_starts(score))
    return {"seconds": facts["seconds"], "notes": facts["notes"], "bars": bars,
            "instruments": facts["instruments"]}  # fmt: skip


def to_json(score: Score) -> dict[str, Any]:
    """A score as the API tells it, but for the revision."""
    bars = bar_starts(score)
    return {
        "ticks_per_beat": score.ticks_per_beat, "end": score.end,
        "seconds": round(score.seconds, 4), "parts": _parts(score), "notes": _notes(score),
        "bars": [{"tick": tick, "start": start} for tick, start in _timed(score, bars)],
        "tempos": [
            {"tick": tick, "bpm": round(bpm, 4), "start": start}
            for (tick, start), bpm in zip(
                _timed(score, score.tempos["tick"]), score.tempos["bpm"].tolist(), strict=True
            )
        ],
        "metres": [
            {"tick": tick, "numerator": numerator, "denominator": denominator}
            for tick, numerator, denominator in score.metres.tolist()
        ],
    }  # fmt: skip


def _timed(score: Score, ticks: np.ndarray) -> list[tuple[int, float]]:
    seconds = seconds_at(score, ticks).round(4).tolist()
    return list(zip(ticks.tolist(), seconds, strict=True))


def _parts(score: Score) -> list[dict[str, Any]]:
    colours, parts = instrument_colours(score.instruments), []
    for player in score.instruments:
        own = score.notes["pitch"][score.notes["instrument"] == player]
        parts.append(
            {"instrument": INSTRUMENTS[player].name, "colour": colours[player],
             "drums": player == DRUMS, "notes": len(own), "low": int(own.min()),
             "high": int(own.max())}
        )  # fmt: skip
    return parts


def _notes(score: Score) -> list[dict[str, Any]]:
    names = [instrument.name for instrument in INSTRUMENTS]
    starts = seconds_at(score, score.notes["onset"]).round(4).tolist()
    stops = seconds_at(score, note_ends(score)).round(4).tolist()
    return [
        {"instrument": names[player], "pitch": pitch, "velocity": velocity, "onset": onset,
         "duration": duration, "start": start, "stop": stop}
        for (onset, duration, pitch, velocity, player), start, stop in zip(
            score.notes.tolist(), starts, stops, strict=True
        )
    ]  # fmt: skip


def from_json(data: Mapping[str, Any], old: Score | None) -> Score:
    """A score from what was sent; tempos and metres that it leaves out stay as they were.

    Raises:
        UserError: an unknown instrument.
    """
    division = int(data["ticks_per_beat"])
    kept = old or Score()
    if old is not None and division != old.ticks_per_beat:
        raise UserError(f"ticks_per_beat is {division}: send {old.ticks_per_beat}, as you got it")
    rows = [
        (note["onset"], note["duration"], note["pitch"], note["velocity"],
         instrument_id(note["instrument"]))
        for note in data["notes"]
    ]  # fmt: skip
    tempos, metres = kept.tempos, kept.metres
    if data.get("tempos") is not None:
        tempos = _changes(TEMPO, [(t["tick"], t["bpm"]) for t in data["tempos"]])
    if data.get("metres") is not None:
        metres = _changes(
            METRE, [(m["tick"], m["numerator"], m["denominator"]) for m in data["metres"]]
        )
    notes = midi.unify(sort_notes(records(NOTE, rows)))
    return Score(notes, tempos, metres, division)


def _changes(dtype: np.dtype[np.void], rows: Sequence[tuple[float, ...]]) -> Array:
    return last_at_tick(records(dtype, sorted(rows, key=lambda row: row[0])))


def written(score: Score, before: bytes = b"") -> bytes:
    """The MIDI file of an edited score, which remembers how the one before was made."""
    told = (comment(before) if before else None) or ""
    return to_bytes(score, title="musenet", comment=told)


def trim(data: bytes, first: int, last: int | None) -> bytes:
    """A file with bars `first` to `last`, both included.

    Raises:
        UserError: there are no such bars, or nothing is played in them.
    """
    score = midi.load(data)
    bars = len(bar_starts(score))
    last = bars if last is None else last
    if first > last:
        raise UserError(f"bars {first} to {last} are none: give the first one first")
    start, stop = bar_tick(score, first), bar_tick(score, last + 1)
    onset = score.notes["onset"]
    if not ((onset >= start) & (onset < stop)).any():
        raise UserError(f"nothing is played in bars {first} to {last}: keep others")
    if first == 1:
        return extend(data, stop, Score())
    return written(crop(score, start, stop), data)


def transpose(
    data: bytes, semitones: int, first: int, stop: int | None, instruments: Sequence[str]
) -> bytes:
    """A file whose notes that begin in [first, stop) are moved, drums left alone.

    Args:
        data: the file.
        semitones: how much higher.
        first: tick.
        stop: tick, or None for the end.
        instruments: names of those that are moved; empty for all.

    Raises:
        UserError: notes would leave the range of MIDI, or there are none to move.
    """
    score = midi.load(data)
    notes = score.notes.copy()
    chosen = (notes["onset"] >= first) & (notes["instrument"] != DRUMS)
    if stop is not None:
        chosen &= notes["onset"] < stop
    if instruments:
        chosen &= np.isin(notes["instrument"], [instrument_id(name) for name in instruments])
    pitch = notes["pitch"].astype(int) + semitones * chosen
    if not chosen.any():
        raise UserError("there are no notes there to transpose: choose others")
    if pitch.min() < 0 or pitch.max() > 127:
        raise UserError("some notes would leave the range of MIDI: transpose by less")
    notes["pitch"] = pitch
    return written(replace(score, notes=midi.unify(sort_notes(notes))), data)
