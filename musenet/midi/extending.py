"""New music after given music, which stays in its file as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np

from musenet.errors import UserError
from musenet.midi import smf
from musenet.midi.notes import SILENCE, Events, all_events, instruments_of, programs_of
from musenet.midi.placing import placed
from musenet.midi.smf import Message, Track
from musenet.midi.writing import (
    PITCHED_CHANNELS,
    RELEASE_VELOCITY,
    Part,
    changes,
    comment_message,
    in_order,
    name,
    new_part,
    play,
)
from musenet.score import Array, Score

_HOLDING = (64, 66)
"""Controllers that hold notes: sustain and sostenuto pedal."""
_BEND_CENTRE = (0, 64)


@dataclass(frozen=True)
class _Seat:
    """Where an instrument of the file sits: its track, its channel from 0 and its program."""

    track: int
    channel: int
    program: int


def extend(
    source: Path | str | bytes, keep_until_tick: int, addition: Score, *, comment: str = ""
) -> bytes:
    """A MIDI file whose opening is that of another, event for event, and then goes on.

    Every event of the file before the cut is kept in its track, with its time, channel and
    values; what comes at the cut or later is left out. Notes that sound across the cut end
    there, pedals are lifted and pitch bends centred; what a track that ends earlier never lets
    go ends with it. New notes join the first track that plays their instrument at the cut, on
    its channel; other instruments get new tracks, named, on a channel that the opening leaves
    free, or else on one that the addition does (past 15, shared as `to_bytes` does). Tempo,
    metre and comment of the addition go into the first track, at the cut and after it. A format
    0 file stays one if it needs no new track; format 2 becomes 1.
    Where the file counts SMPTE frames, the addition's times are kept and its tempo goes unsaid.

    Args:
        source: the given file.
        keep_until_tick: the cut, in the file's own ticks from its beginning.
        addition: the new music, from tick 0 at the cut, in any resolution. Without a tempo at
            its tick 0 it goes on at that of the file.
        comment: how the piece was made, as for `to_bytes`.

    Raises:
        UserError: the file cannot be read, the cut is negative or the whole is too long.
    """
    cut = keep_until_tick
    if cut < 0:
        raise UserError(f"cannot keep {cut} ticks: give a number from 0")
    file = smf.read(source)
    new = placed(addition, file, cut)
    events = all_events(file.tracks)
    opening = events.where(events.tick < cut)
    homes, parts = _seated(new.notes, _seats(events, opening, cut), opening, cut)
    tracks = [[*track.messages(cut), *_endings(track, cut)] for track in file.tracks]
    later: list[list[Message]] = [[] for _ in tracks]
    later[0] += [*comment_message(cut, comment), *changes(new)]
    for home, part, played in zip(homes, parts, play(parts, _programs(opening)), strict=True):
        if home is None:
            tracks.append([name(part)])
            later.append(played)
        else:
            later[home] += played
    whole = [[*kept, *in_order(added)] for kept, added in zip(tracks, later, strict=True)]
    kind = 0 if file.format == 0 and len(whole) == 1 else 1
    return smf.file_bytes(kind, file.division, whole, [max(cut, new.end)])


def _seats(events: Events, opening: Events, cut: int) -> dict[int, _Seat]:
    """The first track of each instrument, by what it plays at the cut."""
    voices = np.unique(events.voice[events.note_on])
    programs = programs_of(opening, voices, np.full(len(voices), cut))
    seats: dict[int, _Seat] = {}
    rows = zip(instruments_of(voices, programs), voices, programs, strict=True)
    for instrument, voice, program in rows:
        seats.setdefault(int(instrument), _Seat(int(voice) // 16, int(voice) % 16, int(program)))
    return seats


def _seated(
    notes: Array, seats: Mapping[int, _Seat], opening: Events, cut: int
) -> tuple[list[int | None], list[Part]]:
    """The parts of the addition, and the track of each, None for a new one."""
    instruments = np.unique(notes["instrument"]).tolist()
    taken = {seats[instrument].channel for instrument in instruments if instrument in seats}
    played = set((opening.voice % 16).tolist())
    by_choice = sorted(PITCHED_CHANNELS, key=lambda channel: (channel in taken, channel in played))
    channels = cycle(by_choice)
    parts = []
    for instrument in instruments:
        own, seat = notes[notes["instrument"] == instrument], seats.get(instrument)
        if seat:
            parts.append(Part(instrument, seat.channel, seat.program, own, None))
        else:
            parts.append(new_part(instrument, own, channels, cut))
    return [seats[i].track if i in seats else None for i in instruments], parts


def _programs(opening: Events) -> dict[int, int]:
    """The last program of each channel."""
    change = opening.where(opening.kind == smf.PROGRAM)
    order = np.argsort(change.tick, kind="stable")
    return dict(zip(*((c[order]).tolist() for c in (change.voice % 16, change.first)), strict=True))


def _endings(track: Track, cut: int) -> Iterator[Message]:
    """Ends all that a track sounds or holds at the cut: notes, pedals, pitch bends.

    Notes and pedals of a track that ends before the cut end with it, as they are read.
    """
    end = min(cut, track.end)
    before = track.tick < cut
    down, held, bent = Counter[tuple[int, int]](), dict[tuple[int, int], int](), set[int]()
    columns = (track.status[before], track.first[before], track.second[before])
    for status, first, second in zip(*(column.tolist() for column in columns), strict=True):
        kind, channel = status & 0xF0, status & 0x0F
        if kind == smf.NOTE_ON and second:
            down[channel, first] += 1
        elif kind in (smf.NOTE_ON, smf.NOTE_OFF):
            down[channel, first] -= down[channel, first] > 0
        elif kind == smf.CONTROL and first in SILENCE:
            down = Counter({key: count for key, count in down.items() if key[0] != channel})
        elif kind == smf.CONTROL and first in _HOLDING:
            held[channel, first] = second
        elif kind == smf.BEND:
            (bent.discard if (first, second) == _BEND_CENTRE else bent.add)(channel)
    for (channel, pitch), count in down.items():
        release = bytes([smf.NOTE_OFF | channel, pitch, RELEASE_VELOCITY])
        yield from [(end, release)] * count
    for (channel, controller), value in held.items():
        if value >= 64:
            yield end, bytes([smf.CONTROL | channel, controller, 0])
    for channel in sorted(bent):
        yield cut, bytes([smf.BEND | channel, *_BEND_CENTRE])
