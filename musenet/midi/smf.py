"""Standard MIDI File bytes <-> tracks of events, with nothing of music in it.

One tolerant reader of our own serves loading, describing and extending alike. Libraries were
tried first: symusic is 20 times faster, but drops channels and most meta events and refuses RIFF,
SMPTE frames and damaged files; mido stops at the first odd byte and loses the time of unknown
meta events. A copy that is exact tick for tick needs every event.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musenet.errors import UserError

MAX_BYTES = 64 * 2**20
"""Largest file that is read."""
MAX_TRACKS = 1024
MAX_EVENTS = 4_000_000
MAX_TEXTS = 500_000
"""Most meta and system exclusive events."""
MAX_TICK = 2**28 - 1
"""Latest tick of a track: the largest time that one MIDI event can wait."""

NOTE_OFF, NOTE_ON, CONTROL, PROGRAM, BEND = 0x80, 0x90, 0xB0, 0xC0, 0xE0
SYSEX, ESCAPE, META = 0xF0, 0xF7, 0xFF
TEXT, TRACK_NAME, END_OF_TRACK, TEMPO, METRE = 0x01, 0x03, 0x2F, 0x51, 0x58

_SMPTE_BPM = 120
_SYSTEM_DATA_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}

Ints = NDArray[np.int64]
Message = tuple[int, bytes]
"""A tick and the bytes of one whole event, as they stand in a file without running status."""


@dataclass(frozen=True, eq=False)
class Track:
    """The events of a track in file order, without the end of track.

    Attributes:
        tick: absolute time of each event, shape (events,); so are status, first and second.
        status: status byte, 0x80-0xEF with the channel, or `SYSEX`, `ESCAPE`, `META`.
        first: first data byte of a channel message.
        second: second data byte of a channel message, 0 where there is none.
        texts: contents of the system exclusive and meta events, in order; a meta event's begin
            with its type.
        end: tick at which the track ends.
    """

    tick: Ints
    status: Ints
    first: Ints
    second: Ints
    texts: tuple[bytes, ...]
    end: int

    def metas(self, kind: int) -> Iterator[tuple[int, bytes]]:
        """Tick and contents of each meta event of a kind."""
        special = self.status >= SYSEX
        ticks, statuses = self.tick[special].tolist(), self.status[special].tolist()
        for tick, status, text in zip(ticks, statuses, self.texts, strict=True):
            if status == META and text[0] == kind:
                yield tick, text[1:]

    def messages(self, until: int) -> Iterator[Message]:
        """The events before tick `until`."""
        texts = iter(self.texts)
        columns = (self.tick, self.status, self.first, self.second)
        for tick, status, first, second in zip(*(c.tolist() for c in columns), strict=True):
            if tick >= until:
                return
            if status == META:
                text = next(texts)
                yield tick, meta(text[0], text[1:])
            elif status >= SYSEX:
                text = next(texts)
                yield tick, bytes([status]) + variable_length(len(text)) + text
            elif status & 0xE0 == PROGRAM:
                yield tick, bytes([status, first])
            else:
                yield tick, bytes([status, first, second])


@dataclass(frozen=True, eq=False)
class MidiFile:
    """What a Standard MIDI File holds.

    Attributes:
        name: what error messages call it.
        format: 0, 1 or 2; the patterns of a format 2 file are laid one after the other.
        division: the 16 bits of the time division.
        tracks: the tracks.
        damaged: whether a part of the file could not be read.
    """

    name: str
    format: int
    division: int
    tracks: tuple[Track, ...]
    damaged: bool

    @property
    def ticks_per_second(self) -> float:
        """Rate of a time division in SMPTE frames; 0 where time is counted in beats."""
        if self.division < 0x8000:
            return 0.0
        frames = 256 - (self.division >> 8)
        return (30000 / 1001 if frames == 29 else frames) * (self.division & 0xFF)

    @property
    def ticks_per_beat(self) -> int:
        """Ticks to a quarter note; of SMPTE frames about those of half a second."""
        if self.division < 0x8000:
            return self.division
        return max(1, round(self.ticks_per_second * 60 / _SMPTE_BPM))


def read_bytes(source: Path | str | bytes) -> tuple[str, bytes]:
    """A name for messages, and the bytes of a file (or the bytes that are given).

    Raises:
        UserError: no such file, not a file, too large, empty or not readable.
    """
    if isinstance(source, bytes):
        name, data = "the MIDI data", source
    else:
        name, data = str(source), _file_bytes(Path(source))
    if len(data) > MAX_BYTES:
        raise UserError(f"{name}: larger than {MAX_BYTES >> 20} MiB; give a smaller MIDI file")
    if not data:
        raise UserError(f"{name}: empty; give a MIDI file")
    return name, data


def _file_bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise UserError(f"{path}: a folder; give one MIDI file")
        if not path.exists():
            raise UserError(f"{path}: no such file")
        if not path.is_file():
            raise UserError(f"{path}: not a plain file; give a MIDI file")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{path}: cannot be read ({reason})") from error


def read(source: Path | str | bytes) -> MidiFile:
    """Reads a Standard MIDI File, bare or wrapped in RIFF, and saves what can be of a damaged one.

    Lengths of chunks are believed only where another chunk or the end of the file follows; a
    track is read up to its end of track or to the first byte that makes no sense.

    Raises:
        UserError: the file is no MIDI file, is cut off before its first track, or is too large.
    """
    name, data = read_bytes(source)
    start = data.find(b"MThd")
    if start < 0:
        raise UserError(f"{name}: not a MIDI file (it has no MThd header)")
    header = data[start + 8 : start + 14]
    if len(header) < 6:
        raise UserError(f"{name}: cut off in its header; get the whole file")
    kind, count, division = struct.unpack(">HHH", header)
    if not _has_meaning(division):
        raise UserError(
            f"{name}: its time division 0x{division:04x} means nothing; mend its header"
        )
    tracks, damaged = _tracks(name, data, start + 14)
    if kind == 2:
        tracks = _in_sequence(tracks)
    damaged = damaged or len(tracks) < count
    return MidiFile(name, min(kind, 2), division, tuple(tracks), damaged)


def _has_meaning(division: int) -> bool:
    """Whether a time division is ticks to a quarter note or known frames a second."""
    if division < 0x8000:
        return division > 0
    return 256 - (division >> 8) in (24, 25, 29, 30) and division & 0xFF > 0


def _tracks(name: str, data: bytes, position: int) -> tuple[list[Track], bool]:
    tracks: list[Track] = []
    damaged, room, texts = False, MAX_EVENTS, 0
    while (position := data.find(b"MTrk", position)) >= 0:
        if len(tracks) == MAX_TRACKS:
            raise UserError(f"{name}: more than {MAX_TRACKS} tracks")
        start = position + 8
        stop = start + int.from_bytes(data[position + 4 : start], "big")
        honest = stop == len(data) or (stop < len(data) and data[stop : stop + 4].isalpha())
        if not honest:
            stop = data.find(b"MTrk", start)
            stop = len(data) if stop < 0 else stop
        track, size, whole = _parse(data[start:stop], room)
        room -= len(track.tick)
        texts += len(track.texts)
        if room <= 0 or texts > MAX_TEXTS:
            raise UserError(f"{name}: too many events; give a smaller MIDI file")
        tracks.append(track)
        damaged |= not whole
        position = stop if honest else start + size
    if not tracks:
        raise UserError(f"{name}: cut off before its first track; get the whole file")
    return tracks, damaged


def _parse(body: bytes, room: int) -> tuple[Track, int, bool]:
    """A track, the number of its bytes, and whether it has a proper end."""
    events, texts = array("q"), list[bytes]()
    try:
        end, size = _events(body, events, texts, room)
        whole = True
    except IndexError:
        end, size, whole = (events[-1] >> 24 if events else 0), len(body), False
    packed = np.frombuffer(events, np.int64) if events else np.zeros(0, np.int64)
    columns = (packed >> 24, packed >> 16 & 0xFF, packed >> 8 & 0xFF, packed & 0xFF)
    return Track(*columns, tuple(texts), end), size, whole


def _events(body: bytes, events: array[int], texts: list[bytes], room: int) -> tuple[int, int]:
    """Appends each event as tick, status and data bytes in one integer; returns tick and size.

    Written as one flat loop because it takes most of the time of reading a corpus.

    Raises:
        IndexError: the track ends too early or makes no sense from here on.
    """
    position = tick = running = 0
    for _ in range(room):
        delta = body[position]
        position += 1
        if delta >= 0x80:
            delta, position = _variable_length(body, position - 1)
        tick += delta
        if tick > MAX_TICK:
            raise IndexError
        status = body[position]
        if status >= 0x80:
            position += 1
        else:
            status = running
        if status < 0x80:
            raise IndexError
        if status < SYSEX:
            running = status
            first = body[position]
            if status & 0xE0 == PROGRAM:
                second = 0
                position += 1
            else:
                second = body[position + 1]
                position += 2
            if (first | second) >= 0x80:
                raise IndexError
            events.append(tick << 24 | status << 16 | first << 8 | second)
        elif status in (SYSEX, ESCAPE, META):
            at = position + (status == META)
            length, start = _variable_length(body, at)
            if start + length > len(body):
                raise IndexError
            text = body[position:at] + body[start : start + length]
            position = start + length
            if status == META and text[0] == END_OF_TRACK:
                return tick, position
            events.append(tick << 24 | status << 16)
            texts.append(text)
        else:
            position += _SYSTEM_DATA_BYTES.get(status, 0)
    return tick, position


def _variable_length(body: bytes, position: int) -> tuple[int, int]:
    """A number of seven bits a byte, at most four bytes, and the position after it."""
    value = 0
    for place in range(position, position + 4):
        value = value << 7 | body[place] & 0x7F
        if body[place] < 0x80:
            return value, place + 1
    raise IndexError


def _in_sequence(tracks: list[Track]) -> list[Track]:
    starts = np.cumsum([0, *(track.end for track in tracks)]).tolist()
    return [
        replace(track, tick=track.tick + start, end=track.end + start)
        for track, start in zip(tracks, starts, strict=False)
    ]


def variable_length(value: int) -> bytes:
    """A number as seven bits a byte, the high bit set in all but the last."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def meta(kind: int, content: bytes) -> bytes:
    """The bytes of a meta event."""
    return bytes([META, kind]) + variable_length(len(content)) + content


def text_meta(kind: int, text: str) -> bytes:
    """The bytes of a meta event that holds text, in UTF-8."""
    return meta(kind, text.encode("utf-8", errors="replace"))


def file_bytes(
    kind: int, division: int, tracks: Iterable[Iterable[Message]], ends: Iterable[int] = ()
) -> bytes:
    """A Standard MIDI File from messages that rise in tick.

    Args:
        kind: format, 0 or 1.
        division: the 16 bits of the time division.
        tracks: messages of each track, without the end of track.
        ends: ticks at which the first tracks end, or with their last events if those are later;
            the others end with their last events.
    """
    timed = zip(tracks, chain(ends, repeat(0)), strict=False)
    bodies = [_track_bytes(track, end) for track, end in timed]
    header = b"MThd" + struct.pack(">IHHH", 6, kind, len(bodies), division)
    return header + b"".join(b"MTrk" + struct.pack(">I", len(body)) + body for body in bodies)


def _track_bytes(messages: Iterable[Message], end: int) -> bytes:
    parts: list[bytes] = []
    now = 0
    for tick, message in messages:
        parts += (variable_length(tick - now), message)
        now = tick
    parts += (variable_length(max(0, end - now)), meta(END_OF_TRACK, b""))
    return b"".join(parts)
