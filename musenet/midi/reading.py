"""Standard MIDI File -> Score."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from musenet.errors import UserError
from musenet.midi import smf
from musenet.midi.notes import all_events, instruments_of, let_ring, pair, programs_of, unify
from musenet.midi.smf import MidiFile
from musenet.score import METRE, NOTE, TEMPO, Array, Score, last_at_tick, records

MAX_NOTES = 1_000_000
MAX_BEATS = 200_000
MAX_HOURS = 24
MAX_DENOMINATOR = 64
"""Finest metre that is believed."""


def load(source: Path | str | bytes) -> Score:
    """The music of a Standard MIDI File, in the file's own ticks.

    Formats 0, 1 and 2 (its patterns one after the other), bare or in RIFF. Tracks of one
    instrument become one part, see `unify`. The sustain pedal is turned into note lengths. A
    track's own programs and pedal on a channel hold for it; a track that has none follows the
    other tracks of that channel. A note that is never let go lasts until its track ends, and none
    is shorter than a tick. SMPTE frames become beats at about 120 bpm, exact in time. Changes of
    tempo and metre after the last note are left out. Of a damaged file the sound part is kept.
    The score may have no notes.

    Raises:
        UserError: no MIDI file, or one of more than `smf.MAX_BYTES`, `MAX_NOTES`, `MAX_BEATS` or
            `MAX_HOURS`.
    """
    return score_of(smf.read(source))


def score_of(file: MidiFile) -> Score:
    """The music of a file that has been read; see `load`."""
    division = file.ticks_per_beat
    notes = _notes(file, division)
    end = int((notes["onset"] + notes["duration"]).max(initial=0))
    if file.ticks_per_second:
        tempos = records(TEMPO, [(0, 60 * file.ticks_per_second / division)])
    else:
        tempos = _changes(file, smf.TEMPO, TEMPO, _bpm, end)
    score = Score(notes, tempos, _changes(file, smf.METRE, METRE, _metre, end), division)
    if score.seconds > MAX_HOURS * 3600:
        raise UserError(f"{file.name}: longer than {MAX_HOURS} hours; give a shorter MIDI file")
    return score


def _notes(file: MidiFile, division: int) -> Array:
    events = all_events(file.tracks)
    if int(events.note_on.sum()) > MAX_NOTES:
        raise UserError(f"{file.name}: more than {MAX_NOTES:,} notes; give a smaller MIDI file")
    found = pair(events)
    ends = let_ring(events, found, np.array([track.end for track in file.tracks]))
    if int(ends.max(initial=0)) > min(smf.MAX_TICK, MAX_BEATS * division):
        raise UserError(f"{file.name}: longer than {MAX_BEATS:,} beats; give a shorter MIDI file")
    notes = np.zeros(len(ends), NOTE)
    notes["onset"], notes["duration"] = found.onset, ends - found.onset
    notes["pitch"], notes["velocity"] = found.pitch, found.velocity
    program = programs_of(events, found.voice, found.onset)
    notes["instrument"] = instruments_of(found.voice, program)
    return unify(notes)


def _changes(
    file: MidiFile,
    kind: int,
    dtype: np.dtype[np.void],
    value: Callable[[bytes], tuple[float, ...] | None],
    end: int,
) -> Array:
    """Tempos or metres of all tracks up to a tick, those that make no sense left out."""
    rows = [
        (tick, *found)
        for track in file.tracks
        for tick, content in track.metas(kind)
        if tick <= end and (found := value(content))
    ]
    return last_at_tick(records(dtype, sorted(rows, key=lambda row: row[0])))


def _bpm(content: bytes) -> tuple[float] | None:
    microseconds = int.from_bytes(content[:3], "big")
    return (60e6 / microseconds,) if microseconds else None


def _metre(content: bytes) -> tuple[int, int] | None:
    if len(content) < 2 or not content[0] or 2 ** content[1] > MAX_DENOMINATOR:
        return None
    return content[0], 2 ** content[1]
