"""Score -> Standard MIDI File."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

import numpy as np

from musenet.errors import UserError
from musenet.files import write_atomically
from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.midi import smf
from musenet.midi.describing import COMMENT_PREFIX
from musenet.midi.notes import DRUM_CHANNEL, unify
from musenet.midi.smf import Message
from musenet.score import Array, Score, last_at_tick, resample

FILE_TICKS_PER_BEAT = 480
"""Resolution of files whose score divides it: music programs expect it."""
PITCHED_CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)

_MAX_DIVISION = 0x7FFF
_MAX_MICROSECONDS = 0xFFFFFF
RELEASE_VELOCITY = 64


@dataclass(frozen=True, eq=False)
class Part:
    """Notes of one instrument, on their way into a track.

    Attributes:
        instrument: index into `INSTRUMENTS`.
        channel: MIDI channel from 0.
        program: General MIDI program, or the number of the drum kit.
        notes: array of `NOTE`.
        begins: tick at which a new track states its program; None in a track of a given file.
    """

    instrument: int
    channel: int
    program: int
    notes: Array
    begins: int | None


def save(score: Score, path: Path | str, *, title: str = "", comment: str = "") -> None:
    """Writes a score as a Standard MIDI File, whole or not at all; see `to_bytes`.

    Raises:
        UserError: the score is too long for a MIDI file, or the path cannot be written.
    """
    write_atomically(Path(path), to_bytes(score, title=title, comment=comment))


def to_bytes(score: Score, *, title: str = "", comment: str = "") -> bytes:
    """A score as a Standard MIDI File of format 1, the same bytes for the same score.

    A conductor track with the title, tempo, metre and comment is followed by one named track an
    instrument, in the order of their ids, drums on channel 10. Pitched instruments have a
    channel each; from the 16th on they share them, with a change of program before each note
    that needs one (more ports would be the other way, but few programs heed them). Notes of an
    instrument are first made one part by `unify`. Changes of tempo and metre after the last note
    are left out. A score whose ticks divide `FILE_TICKS_PER_BEAT` is written in these, without
    loss; `load` gives back all else as it was, with tempo in whole microseconds a beat.

    Args:
        score: the music.
        title: name of the piece.
        comment: how the piece was made, a JSON text; `comment` reads it back.

    Raises:
        UserError: the score is too long for a MIDI file.
    """
    fitting = _fitting(score)
    parts = _parts(fitting.notes)
    tracks = [[name(part), *played] for part, played in zip(parts, play(parts, {}), strict=True)]
    heading = [(0, smf.text_meta(smf.TRACK_NAME, title))] if title else []
    conductor = [*heading, *comment_message(0, comment), *changes(fitting)]
    return smf.file_bytes(1, fitting.ticks_per_beat, [conductor, *tracks], [fitting.end])


def _fitting(score: Score) -> Score:
    """The score in a file's ticks, settled."""
    ticks_per_beat = score.ticks_per_beat
    if FILE_TICKS_PER_BEAT % ticks_per_beat == 0 or ticks_per_beat > _MAX_DIVISION:
        ticks_per_beat = FILE_TICKS_PER_BEAT
    tidy = settled(score)
    check_length(tidy.end * ticks_per_beat // score.ticks_per_beat)
    return settled(resample(tidy, ticks_per_beat))


def settled(score: Score) -> Score:
    """The score with one part an instrument, and no change of tempo or metre after its end."""
    joined = replace(score, notes=unify(score.notes))
    tempos, metres = (part[part["tick"] <= joined.end] for part in (score.tempos, score.metres))
    return replace(joined, tempos=last_at_tick(tempos), metres=last_at_tick(metres))


def check_length(end: int) -> None:
    """Refuses a piece that ends later than a MIDI file can say.

    Raises:
        UserError: the tick is beyond `smf.MAX_TICK`.
    """
    if end > smf.MAX_TICK:
        raise UserError("the piece is too long for a MIDI file: shorten it")


def comment_message(tick: int, comment: str) -> list[Message]:
    """The text event that holds how a piece was made; none for an empty comment."""
    text = COMMENT_PREFIX.decode() + comment
    return [(tick, smf.text_meta(smf.TEXT, text))] if comment else []


def changes(score: Score) -> list[Message]:
    """The changes of metre and tempo in order, at one tick metre first."""
    messages = [(tick, _metre_meta(*metre)) for tick, *metre in score.metres.tolist()]
    messages += [(tick, _tempo_meta(bpm)) for tick, bpm in score.tempos.tolist()]
    return in_order(messages)


def in_order(messages: Iterable[Message]) -> list[Message]:
    """Messages by tick; those of one tick stay in order."""
    return sorted(messages, key=lambda message: message[0])


def _tempo_meta(bpm: float) -> bytes:
    microseconds = min(max(round(60e6 / bpm), 1), _MAX_MICROSECONDS)
    return smf.meta(smf.TEMPO, microseconds.to_bytes(3, "big"))


def _metre_meta(numerator: int, denominator: int) -> bytes:
    """A metre with its nearest power of two below, and a click a beat of the metre."""
    power = max(denominator, 1).bit_length() - 1
    click = max(1, 96 >> power)
    return smf.meta(smf.METRE, bytes([min(max(numerator, 1), 255), power, click, 8]))


def _parts(notes: Array) -> list[Part]:
    parts = [
        (instrument, notes[notes["instrument"] == instrument])
        for instrument in np.unique(notes["instrument"]).tolist()
    ]
    channels = cycle(PITCHED_CHANNELS)
    return [new_part(instrument, own, channels, 0) for instrument, own in parts]


def new_part(instrument: int, notes: Array, channels: Iterator[int], begins: int) -> Part:
    """A part on the next of the channels, or on that of the drums, with its own program."""
    if instrument == DRUMS:
        return Part(instrument, DRUM_CHANNEL, 0, notes, begins)
    return Part(instrument, next(channels), INSTRUMENTS[instrument].program, notes, begins)


def name(part: Part) -> Message:
    """The name of a new track."""
    return 0, smf.text_meta(smf.TRACK_NAME, INSTRUMENTS[part.instrument].name)


def play(parts: Sequence[Part], programs: Mapping[int, int]) -> list[list[Message]]:
    """The messages of each part.

    A change of program stands at the beginning of a new track, and before each note whose channel
    plays another program, as it does after a part that shares the channel.

    Args:
        parts: the parts, in the order of their tracks.
        programs: program of each channel before the first note, where it is not 0.
    """
    current = dict(programs)
    switches: list[list[Message]] = [[] for _ in parts]
    for tick, index in sorted(_moments(parts)):
        part = parts[index]
        begins = tick == part.begins and not switches[index]
        if begins or current.get(part.channel, 0) != part.program:
            current[part.channel] = part.program
            change = bytes([smf.PROGRAM | part.channel, part.program])
            switches[index].append((tick, change))
    return [
        in_order([*_releases(part), *switch, *_strokes(part)])
        for part, switch in zip(parts, switches, strict=True)
    ]


def _moments(parts: Sequence[Part]) -> set[tuple[int, int]]:
    """Ticks at which a part begins or strikes notes, each with the place of the part."""
    strokes = [np.unique(part.notes["onset"]).tolist() for part in parts]
    beginnings = [[] if part.begins is None else [part.begins] for part in parts]
    ticks = [*strokes, *beginnings]
    return {(tick, place % len(parts)) for place, own in enumerate(ticks) for tick in own}


def _strokes(part: Part) -> Iterator[Message]:
    notes, status = part.notes, smf.NOTE_ON | part.channel
    columns = (notes[name].tolist() for name in ("onset", "pitch", "velocity"))
    for tick, pitch, velocity in zip(*columns, strict=True):
        yield tick, bytes([status, pitch, velocity])


def _releases(part: Part) -> Iterator[Message]:
    notes, status = part.notes, smf.NOTE_OFF | part.channel
    ends = (notes["onset"] + notes["duration"]).tolist()
    for tick, pitch in zip(ends, notes["pitch"].tolist(), strict=True):
        yield tick, bytes([status, pitch, RELEASE_VELOCITY])
