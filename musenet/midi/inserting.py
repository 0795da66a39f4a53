"""New notes in the midst of given music, all else of which stays in its file as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from itertools import compress, cycle
from pathlib import Path

import numpy as np

from musenet.instruments import DRUMS
from musenet.midi import smf
from musenet.midi.describing import COMMENT_PREFIX
from musenet.midi.notes import (
    Bools,
    Events,
    Notes,
    all_events,
    instruments_of,
    let_ring,
    pair,
    programs_of,
    unify,
)
from musenet.midi.placing import placed
from musenet.midi.smf import Ints, Message, Track
from musenet.midi.writing import (
    PITCHED_CHANNELS,
    Part,
    comment_message,
    in_order,
    name,
    new_part,
    play,
)
from musenet.score import Array, Score

_PITCH_BITS = 40
_FOREVER = smf.MAX_TICK + 1
_PAST_ALL = 128 << _PITCH_BITS


@dataclass(frozen=True)
class Removal:
    """Notes to be taken out of a file: those that begin in a span, of some instruments.

    Attributes:
        start: first tick, in the file's own ticks from its beginning.
        stop: the tick after the last, None for the end of the file.
        instruments: ids of the instruments, None for all.
    """

    start: int = 0
    stop: int | None = None
    instruments: frozenset[int] | None = None


@dataclass(frozen=True, eq=False)
class _Given:
    """What is kept of a file, and what it leaves room for.

    Attributes:
        gone: which of the file's channel messages are taken out, shape (messages,).
        events: the channel messages that are kept.
        players: 256 times a voice plus an instrument that it plays somewhere, rising.
        taken: the kept notes, each with the end of its sound; and releases that let go of no key
            but would cut a new note, with no length.
        ends: tick at which each track ends.
        full: tracks that must not grow, for something in them sounds until their end.
    """

    gone: Bools
    events: Events
    players: Ints
    taken: Notes
    ends: Ints
    full: Ints


def insert(
    source: Path | str | bytes,
    addition: Score,
    *,
    removals: Sequence[Removal] = (),
    comment: str = "",
) -> bytes:
    """A MIDI file with other notes added, and some taken out, event for event as it was.

    Every event stays in its track, with its time, channel and values, but the two that begin and
    end a note that is taken out (paired as `load` pairs them), and an earlier comment where
    there is a new one. Tempo, metre, pedals and all other controllers stay, also those of notes
    that are taken out, and hold for new notes of the same channel.

    New notes join the first track that plays their instrument (or did before its notes were
    taken out), where its channel is set to that instrument at their onset, and where they do not
    make longer a track in which something sounds until its end. Others get a new track an
    instrument, named, with its program at tick 0, on a channel that the file leaves free; where
    there is none they share one, with a change of program before each note and back after it.
    No new note touches a kept one of its channel and pitch: it ends where a kept one begins, and
    it is left out where one sounds at its onset, held by key or pedal, and after one that is
    never let go. A format 0 file stays one if it needs no new track; format 2 becomes 1.

    Args:
        source: the given file.
        addition: the new notes, from the beginning of the file, in any resolution. Its tempos
            and metres are ignored, but where the file counts SMPTE frames, in which its times in
            seconds are kept.
        removals: notes to be taken out; those that any of them names.
        comment: how the piece was made, as for `to_bytes`.

    Raises:
        UserError: the file cannot be read, or the addition is too long for one.
    """
    file = smf.read(source)
    new = placed(addition, file, 0).notes
    given = _given(file.tracks, removals)
    seats = _seats(new, given)
    joining = [
        (seat // 16, _cleared(_joined(new[seats == seat], seat % 16), seat // 16, given.taken))
        for seat in np.unique(seats[seats >= 0]).tolist()
    ]
    joined = _channels(seats[seats >= 0])
    others = _others(new[seats < 0], joined, given)
    added: list[list[Message]] = [[] for _ in file.tracks]
    for track, part in joining:
        added[track] += _sounds(part)
    tracks = _tracks(file.tracks, added, given.gone, comment)
    use = Counter([*(part.channel for part in others), *(_channels(given.events.voice) | joined)])
    for part in others:
        switches = _switches(part, use[part.channel] == 1, given.events)
        tracks.append([name(part), *in_order([*switches, *_sounds(part)])])
    kind = 0 if file.format == 0 and len(tracks) == 1 else 1
    return smf.file_bytes(kind, file.division, tracks, given.ends.tolist())


def _given(tracks: Sequence[Track], removals: Sequence[Removal]) -> _Given:
    """The file without the notes that are taken out."""
    events = all_events(tracks)
    places = pair(replace(events, tick=np.arange(len(events.tick))))
    onset = events.tick[places.onset]
    instrument = instruments_of(places.voice, programs_of(events, places.voice, onset))
    chosen = _chosen(onset, instrument, removals)
    gone, keys = np.zeros(len(events.tick), bool), _key_messages(events)
    gone[places.onset[chosen]] = True
    gone[places.end[chosen & (places.end >= 0)]] = True
    gone &= keys  # what ends a note may let go all keys: that stays
    stray = keys.copy()
    stray[places.onset] = False
    stray[places.end[places.end >= 0]] = False
    kept, ends = events.where(~gone), np.array([track.end for track in tracks])
    taken, full = _taken(kept, events.where(stray), ends)
    return _Given(gone, kept, np.unique(places.voice << 8 | instrument), taken, ends, full)


def _key_messages(events: Events) -> Bools:
    """Which messages strike keys or let them go."""
    return np.isin(events.kind, (smf.NOTE_ON, smf.NOTE_OFF))


def _chosen(onset: Ints, instrument: Ints, removals: Sequence[Removal]) -> Bools:
    """Which notes any of the removals names."""
    chosen = np.zeros(len(onset), bool)
    for removal in removals:
        named = onset >= removal.start
        if removal.stop is not None:
            named &= onset < removal.stop
        if removal.instruments is not None:
            named &= np.isin(instrument, sorted(removal.instruments))
        chosen |= named
    return chosen


def _taken(kept: Events, stray: Events, ends: Ints) -> tuple[Notes, Ints]:
    """The fields `taken` and `full` of `_Given`."""
    notes = pair(kept)
    sound = let_ring(kept, notes, ends)
    full = np.unique(notes.voice[sound != let_ring(kept, notes, ends + 1)] // 16)
    sound = np.where(notes.end < 0, _FOREVER, np.maximum(sound, notes.onset + 1))
    taken = Notes(
        np.r_[notes.onset, stray.tick],
        np.r_[sound, stray.tick],
        np.r_[notes.pitch, stray.first],
        np.r_[notes.velocity, stray.second],
        np.r_[notes.voice, stray.voice],
    )
    return taken, full


def _seats(new: Array, given: _Given) -> Ints:
    """The voice that each new note joins, -1 for none, shape (notes,)."""
    onset, instruments = new["onset"].astype(np.int64), new["instrument"]
    seats = np.full(len(new), -1)
    for player in given.players.tolist():
        voice, instrument = divmod(player, 256)
        track, channel = divmod(voice, 16)
        fits = (seats < 0) & (instruments == instrument)
        if track in given.full:
            fits &= onset + new["duration"] <= given.ends[track]
        for view in (voice, 16 * given.events.tracks + channel):
            views = np.full(len(new), view)
            fits &= instruments_of(views, programs_of(given.events, views, onset)) == instrument
        seats[fits] = voice
    return seats


def _joined(notes: Array, channel: int) -> Part:
    """The new notes of a given voice, whose program may change, as one part."""
    one = notes.copy()
    one["instrument"] = notes["instrument"][0]
    return Part(int(one["instrument"][0]), channel, 0, unify(one), None)


def _others(new: Array, joined: Set[int], given: _Given) -> list[Part]:
    """New parts, on channels that neither kept notes nor other new notes need, if there are any."""
    taken, events = given.taken, given.events
    sounding = _channels(taken.voice) | joined
    programmed = events.voice[events.kind == smf.PROGRAM]
    following = _channels(np.setdiff1d(taken.voice, programmed))
    used = _channels(events.voice)
    by_choice = sorted(
        PITCHED_CHANNELS, key=lambda channel: (channel in following, channel in used)
    )
    channels = cycle([c for c in by_choice if c not in sounding] or by_choice)
    parts = (
        new_part(instrument, new[new["instrument"] == instrument], channels, 0)
        for instrument in np.unique(new["instrument"]).tolist()
    )
    cleared = [_cleared(part, events.tracks, taken) for part in parts]
    return [part for part in cleared if len(part.notes)]


def _channels(voice: Ints) -> set[int]:
    return set((voice % 16).tolist())


def _cleared(part: Part, track: int, taken: Notes) -> Part:
    """A part without what would touch taken notes of its channel.

    Players read the messages of one tick track by track, so beside a note of an earlier track a
    new one must end a tick before it, beside one of a later track begin a tick after it.
    """
    own = taken.voice % 16 == part.channel
    place, pitch = taken.voice[own] // 16, taken.pitch[own] << _PITCH_BITS
    begins = pitch + taken.onset[own] - (place < track)
    order = np.argsort(begins)
    begins = np.r_[-1, begins[order], _PAST_ALL]
    sounds = np.maximum.accumulate(np.r_[-1, (pitch + taken.end[own] + (place > track))[order]])
    onset = (part.notes["pitch"].astype(np.int64) << _PITCH_BITS) + part.notes["onset"]
    after = np.searchsorted(begins, onset, side="right")
    free = sounds[after - 1] <= onset
    notes = part.notes.copy()
    notes["duration"] = np.minimum(notes["duration"], begins[after] - onset)
    return replace(part, notes=notes[free])


def _sounds(part: Part) -> list[Message]:
    """The notes of a part, without programs."""
    (messages,) = play([replace(part, begins=None)], {part.channel: part.program})
    return messages


def _switches(part: Part, alone: bool, events: Events) -> list[Message]:
    """Changes of program of a new part: one, or to and fro where others use its channel."""
    change = bytes([smf.PROGRAM | part.channel, part.program])
    if alone:
        return [(0, change)]
    if part.instrument == DRUMS:
        return []
    onsets = np.unique(part.notes["onset"]).astype(np.int64)
    channel = np.full(len(onsets), 16 * events.tracks + part.channel)
    before = programs_of(events, channel, onsets + 1).tolist()
    back = [
        (tick + 1, bytes([smf.PROGRAM | part.channel, program]))
        for tick, program in zip(onsets.tolist(), before, strict=True)
    ]
    return [*back, *((tick, change) for tick in onsets.tolist())]


def _tracks(
    tracks: Sequence[Track], added: Sequence[list[Message]], gone: Bools, comment: str
) -> list[list[Message]]:
    """The given tracks with what is new: at one tick new notes end first and begin last."""
    result = []
    heading = comment_message(0, comment)
    stop = 0
    for track, new in zip(tracks, added, strict=True):
        channel_message = track.status < smf.SYSEX
        start, stop = stop, stop + int(channel_message.sum())
        stays = ~(_comments(track) & bool(comment))
        stays[channel_message] = ~gone[start:stop]
        kept = compress(track.messages(_FOREVER), stays.tolist())
        ends = [message for message in new if message[1][0] & 0xF0 == smf.NOTE_OFF]
        begins = [message for message in new if message[1][0] & 0xF0 == smf.NOTE_ON]
        result.append(in_order([*ends, *kept, *heading, *begins]))
        heading = []
    return result


def _comments(track: Track) -> Bools:
    """Which events say how the piece was made."""
    special = np.flatnonzero(track.status >= smf.SYSEX)
    ours = [text.startswith(bytes([smf.TEXT]) + COMMENT_PREFIX) for text in track.texts]
    result = np.zeros(len(track.status), bool)
    result[special] = ours
    result &= track.status == smf.META
    return result
