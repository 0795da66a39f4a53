"""Events of MIDI tracks -> notes: pairing, programs, the sustain pedal, all as array operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.instruments import DRUMS, INSTRUMENT_OF_PROGRAM
from musenet.midi import smf
from musenet.midi.smf import Ints, Track
from musenet.score import Array, sort_notes

DRUM_CHANNEL = 9

_SUSTAIN, _RESET = 64, 121
SILENCE = (120, 123)
"""Controllers that let go all keys of a channel: all sound off and all notes off."""
_TICK_BITS = 40

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Events:
    """Events of all tracks, end to end; every array has shape (events,).

    Attributes:
        tick: time.
        kind: status byte without its channel.
        first: first data byte.
        second: second data byte.
        voice: who plays: 16 times the track, plus the channel.
        tracks: number of tracks.
    """

    tick: Ints
    kind: Ints
    first: Ints
    second: Ints
    voice: Ints
    tracks: int

    @property
    def anywhere(self) -> Ints:
        """A voice beyond those of the tracks that stands for the channel in any track."""
        return 16 * self.tracks + self.voice % 16

    @property
    def note_on(self) -> Bools:
        """Which events begin a note."""
        result: Bools = (self.kind == smf.NOTE_ON) & (self.second > 0)
        return result

    def where(self, chosen: Bools | Ints) -> Events:
        """Some of the events."""
        return Events(
            self.tick[chosen],
            self.kind[chosen],
            self.first[chosen],
            self.second[chosen],
            self.voice[chosen],
            self.tracks,
        )


@dataclass(frozen=True, eq=False)
class Notes:
    """Notes of all tracks as they stand in the file; every array has shape (notes,).

    Attributes:
        onset: tick at which it begins.
        end: tick at which its key is let go, by its release or with all others of its voice; -1
            where the file does not say.
        pitch: MIDI pitch or drum key.
        velocity: 1-127.
        voice: as in `Events`.
    """

    onset: Ints
    end: Ints
    pitch: Ints
    velocity: Ints
    voice: Ints


def all_events(tracks: Sequence[Track]) -> Events:
    """The channel messages of all tracks."""
    tick, status, first, second = (
        np.concatenate([np.zeros(0, np.int64), *columns])
        for columns in (
            [track.tick for track in tracks],
            [track.status for track in tracks],
            [track.first for track in tracks],
            [track.second for track in tracks],
        )
    )
    track = np.repeat(np.arange(len(tracks)), [len(track.tick) for track in tracks])
    everything = Events(tick, status & 0xF0, first, second, 16 * track + status % 16, len(tracks))
    return everything.where(status < smf.SYSEX)


def pair(events: Events) -> Notes:
    """Notes from the events that begin and end them, first in, first out.

    A key let go that was not struck means nothing. The k-th stroke of a key ends with its k-th
    release, so two voices in unison on one channel keep all the time that they sound. All notes
    off and all sound off let go every key of their voice.
    """
    on = events.note_on
    off = (events.kind == smf.NOTE_OFF) | ((events.kind == smf.NOTE_ON) & ~on)
    chosen = np.flatnonzero(on | off)
    silence = np.flatnonzero((events.kind == smf.CONTROL) & np.isin(events.first, SILENCE))
    silenced = events.voice[silence]
    # By place in the file, not by tick: at one tick a key may be struck before a silence or after.
    before = in_force(silenced, silence, silence, events.voice[chosen], chosen)
    key = (events.voice[chosen] * 128 + events.first[chosen]) << _TICK_BITS | before + 1
    order = np.argsort(key, kind="stable")
    chosen, key = chosen[order], key[order]
    sound = ~_stray_releases(key, on[chosen])
    chosen, key = chosen[sound], key[sound]
    struck = on[chosen]
    strokes, releases = chosen[struck], chosen[~struck]
    stroke_key, release_key = key[struck], key[~struck]
    place = np.searchsorted(release_key, stroke_key)
    place += np.arange(len(stroke_key)) - np.searchsorted(stroke_key, stroke_key)
    paired = place < np.searchsorted(release_key, stroke_key, side="right")
    rows, never = events.where(strokes), np.full(len(strokes), -1)
    let_go = _next_tick(silenced, silence, rows.voice, strokes, never)
    let_go[paired] = releases[place[paired]]
    end = np.where(let_go < 0, -1, events.tick[let_go])
    return Notes(rows.tick, end, rows.first, rows.second, rows.voice)


def _stray_releases(key: Ints, on: Bools) -> Bools:
    """Which releases find no key down, for events sorted by key."""
    if not len(key):
        return np.zeros(0, bool)
    begins = np.r_[True, key[1:] != key[:-1]]
    rank = np.cumsum(begins) - 1
    step = np.where(on, 1, -1)
    total = np.cumsum(step)
    down = total - (total - step)[begins][rank]
    shift = rank * (2 * len(key) + 1)
    lowest = np.minimum(np.minimum.accumulate(down - shift) + shift, 0)
    before = np.where(begins, 0, np.r_[0, lowest[:-1]])
    result: Bools = lowest < before
    return result


def let_ring(events: Events, notes: Notes, track_ends: Ints) -> Ints:
    """Ticks at which notes stop to sound, with hanging notes ended and the pedal applied."""
    limit = track_ends[notes.voice // 16]
    end = np.where(notes.end < 0, np.maximum(limit, notes.onset), notes.end)
    control = events.where(events.kind == smf.CONTROL)
    pedal = control.where(
        np.isin(control.first, (_SUSTAIN, _RESET)) & (control.voice % 16 != DRUM_CHANNEL)
    )
    if not len(pedal.tick):
        return end
    own = np.isin(notes.voice, pedal.voice)
    voice = np.where(own, notes.voice, 16 * events.tracks + notes.voice % 16)
    by = np.r_[pedal.voice, pedal.anywhere]
    tick = np.r_[pedal.tick, pedal.tick]
    down = np.tile((pedal.first == _SUSTAIN) & (pedal.second >= 64), 2)
    held = in_force(by, tick, down.astype(np.int64), voice, end - 1) == 1
    lifted = _next_tick(by[~down], tick[~down], voice, end, np.maximum(limit, end))
    return np.where(held, lifted, end)


def programs_of(events: Events, voice: Ints, tick: Ints) -> Ints:
    """The General MIDI program in force for each voice and tick, shape (n,)."""
    change = events.where(events.kind == smf.PROGRAM)
    own = in_force(change.voice, change.tick, change.first, voice, tick)
    anywhere = 16 * events.tracks + voice % 16
    other = in_force(change.anywhere, change.tick, change.first, anywhere, tick)
    return np.where(own >= 0, own, np.maximum(other, 0))


def instruments_of(voice: Ints, program: Ints) -> Ints:
    """Instrument of each voice that plays with a program: its channel may be that of the drums."""
    instrument = INSTRUMENT_OF_PROGRAM[program].astype(np.int64)
    return np.where(voice % 16 == DRUM_CHANNEL, DRUMS, instrument)


def in_force(voice: Ints, tick: Ints, value: Ints, of_voice: Ints, at_tick: Ints) -> Ints:
    """The last value of a voice set at or before a tick, -1 where there is none.

    Args:
        voice: voice of each change; changes of one tick stand in the order in which they happen.
        tick: tick of each change.
        value: value of each change.
        of_voice: voices asked for, shape (n,).
        at_tick: ticks asked for, shape (n,).
    """
    code = voice << _TICK_BITS | tick
    order = np.argsort(code, kind="stable")
    code = np.r_[-1, code[order]]
    asked = (of_voice << _TICK_BITS) + at_tick
    place = np.searchsorted(code, asked, side="right") - 1
    found = code[place] >> _TICK_BITS == of_voice
    return np.where(found, np.r_[-1, value[order]][place], -1)


def _next_tick(voice: Ints, tick: Ints, of_voice: Ints, at_tick: Ints, default: Ints) -> Ints:
    """The first tick of a voice at or after each one asked for."""
    code = np.sort(voice << _TICK_BITS | tick)
    place = np.searchsorted(code, of_voice << _TICK_BITS | at_tick)
    code = np.r_[code, -1]
    found = code[place] >> _TICK_BITS == of_voice
    return np.where(found, code[place] & ((1 << _TICK_BITS) - 1), default)


def unify(notes: Array) -> Array:
    """One part an instrument: no two of its notes of one pitch sound at once.

    Notes that begin together are one, the longest and the loudest; a note struck again ends the
    earlier one. Durations are at least one tick, velocities 1-127.
    """
    if not len(notes):
        return notes
    notes = notes[np.lexsort([notes[key] for key in ("onset", "pitch", "instrument")])]
    part = notes["instrument"].astype(np.int64) * 256 + notes["pitch"]
    onset = notes["onset"].astype(np.int64)
    starts = np.flatnonzero(np.r_[True, (np.diff(part) != 0) | (np.diff(onset) != 0)])
    joined = notes[starts].copy()
    velocity = np.maximum.reduceat(notes["velocity"], starts)
    end = np.maximum.reduceat(onset + np.maximum(1, notes["duration"]), starts)
    part, onset = part[starts], onset[starts]
    again = part[1:] == part[:-1]
    end[:-1] = np.where(again, np.minimum(end[:-1], onset[1:]), end[:-1])
    joined["duration"] = end - onset
    joined["velocity"] = velocity.clip(1, 127)
    return sort_notes(joined)
