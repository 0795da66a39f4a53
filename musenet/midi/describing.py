"""What a MIDI file says of itself: the table of `musenet info`, and how a piece was made."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from musenet.instruments import INSTRUMENTS
from musenet.midi import smf
from musenet.midi.notes import Events, all_events, instruments_of, programs_of
from musenet.midi.reading import score_of
from musenet.midi.smf import MidiFile, Track
from musenet.score import bar_starts

COMMENT_PREFIX = b"musenet "
"""Begins the text event that says how a piece was made."""


def comment(source: Path | str | bytes) -> str | None:
    """How a piece was made, as `to_bytes` and `extend` were told; the latest, or None.

    Raises:
        UserError: not a readable MIDI file.
    """
    return _comment_of(smf.read(source))


def describe(source: Path | str | bytes) -> dict[str, object]:
    """The facts of a MIDI file, fit for JSON.

    Keys: format, ticks_per_beat, damaged (whether a part could not be read), tracks (a list of
    name, programs from 0, channels from 1, instruments, notes), notes (as `load` counts them,
    unisons of an instrument once), seconds, bars, bpm (slowest and fastest, empty where the file
    gives none), metres (such as "3/4", in order of appearance) and comment (or None).

    Raises:
        UserError: as `load`.
    """
    file = smf.read(source)
    score = score_of(file)
    events = all_events(file.tracks)
    bpm = score.tempos["bpm"]
    metres = (f"{metre['numerator']}/{metre['denominator']}" for metre in score.metres)
    return {
        "format": file.format,
        "ticks_per_beat": file.ticks_per_beat,
        "damaged": file.damaged,
        "tracks": [
            _describe_track(track, events, index) for index, track in enumerate(file.tracks)
        ],
        "notes": len(score.notes),
        "seconds": score.seconds,
        "bars": len(bar_starts(score)),
        "bpm": [float(bpm.min()), float(bpm.max())] if len(bpm) else [],
        "metres": list(dict.fromkeys(metres)),
        "comment": _comment_of(file),
    }


def _describe_track(track: Track, events: Events, index: int) -> dict[str, object]:
    own = events.where(events.voice // 16 == index)
    notes = own.where(own.note_on)
    program = programs_of(events, notes.voice, notes.tick)
    instruments = np.unique(instruments_of(notes.voice, program))
    return {
        "name": next((_text(content) for _, content in track.metas(smf.TRACK_NAME)), ""),
        "programs": np.unique(own.first[own.kind == smf.PROGRAM]).tolist(),
        "channels": (np.unique(notes.voice % 16) + 1).tolist(),
        "instruments": [INSTRUMENTS[instrument].name for instrument in instruments],
        "notes": len(notes.tick),
    }


def _text(content: bytes) -> str:
    """Text of unknown encoding, without control characters."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return "".join(letter for letter in text if letter.isprintable()).strip()


def _comment_of(file: MidiFile) -> str | None:
    found = [
        (tick, content.removeprefix(COMMENT_PREFIX))
        for track in file.tracks
        for tick, content in track.metas(smf.TEXT)
        if content.startswith(COMMENT_PREFIX)
    ]
    if not found:
        return None
    return max(found, key=lambda row: row[0])[1].decode("utf-8", errors="replace")
