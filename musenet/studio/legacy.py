"""Words of OpenAI's MuseNet service of 2019: what its clients send and expect."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from musenet import openai_encoding
from musenet.errors import UserError
from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.own_styles import SUFFIX, find_own
from musenet.score import Score, crop, seconds_at, ticks_at
from musenet.styles import find_style

SECONDS_A_TOKEN = 0.06
"""Music that a token holds, generously: what is too much is cut off."""
COMPLETIONS = 4
_FAMILIES = {
    "piano": ("piano",), "strings": ("violin", "cello"), "winds": ("flute", "clarinet", "trumpet"),
    "drums": ("drums",), "harp": ("harp",), "guitar": ("acoustic guitar",),
    "bass": ("acoustic bass",),
}  # fmt: skip
_GENRES = {
    "thebeatles": "rock", "journey": "rock", "ladygaga": "pop", "adele": "pop",
    "franksinatra": "swing", "broadway": "foxtrot", "disney": "pop", "video": "game",
    "jazz": "jazz", "country": "country", "bluegrass": "bluegrass",
}  # fmt: skip
_NAMES = {
    "acoustic bass": "bass", "electric bass": "bass", "synth bass": "bass",
    "acoustic guitar": "guitar", "electric guitar": "guitar", "distorted guitar": "guitar",
}  # fmt: skip
_WAIT = openai_encoding.START - 129
"""A wait of n ticks is this and n."""
_ENDS = (openai_encoding.END, openai_encoding.END_OF_SAMPLE)
_MOST_WAIT, _FIRST_DRUM, _TICK = 128, 3840, 0.01
MOST_IDS = 20_000
FORMATS = ("mp3", "ogg", "wav", "flac")


def ids_of(encoding: str | Sequence[int]) -> list[int]:
    """The ids of a request, up to the first end: nothing behind one counts.

    Raises:
        UserError: they are none, or too many.
    """
    ids = openai_encoding.parse(encoding) if isinstance(encoding, str) else list(encoding)
    if len(ids) > MOST_IDS:
        raise UserError(f"{len(ids):,} ids are more than {MOST_IDS:,}: send fewer")
    wrong = next((i for i in ids if not 0 <= i < openai_encoding.VOCABULARY), None)
    if wrong is not None:
        raise UserError(f"{wrong} is no id of the service: they go from 0 to 4835")
    return list(takewhile(lambda i: i not in _ENDS, ids))


def style_of(genre: str) -> dict[str, float]:
    """The style that a genre of the service comes closest to, or one's own by that name."""
    name = _GENRES.get(genre.lower().replace(" ", ""), genre)
    if name.endswith(SUFFIX):  # no request opens a file by its path
        return {}
    return {name: 1.0} if find_style(name) is not None or find_own(name) is not None else {}


def players_of(asked: Mapping[str, bool]) -> list[str]:
    """The instruments of the families that are asked for."""
    return [name for family, names in _FAMILIES.items() if asked.get(family) for name in names]


def audio_format(name: str) -> str:
    """The format that is meant, "" for none.

    Raises:
        UserError: there is no such format.
    """
    plain = name.lower().removeprefix("audio/")
    plain = {"mpeg": "mp3", "midi": "mid"}.get(plain, plain)
    if plain not in (*FORMATS, "mid", ""):
        raise UserError(f"audioFormat '{name[:20]}' is not known: one of {', '.join(FORMATS)}")
    return plain


def seconds_of(ids: Sequence[int]) -> float:
    """How far ids move in time."""
    waits = (i - _WAIT for i in ids if _WAIT < i < openai_encoding.START)
    return sum(waits) * _TICK


def continued(ids: Sequence[int], score: Score, cut: float, most: int) -> list[int]:
    """The ids that were sent, unchanged, and those of what comes behind them.

    Args:
        ids: what was sent.
        score: the whole piece.
        cut: seconds at which the new music begins.
        most: new ids.
    """
    new = crop(score, round(float(ticks_at(score, cut))), score.end + 1)
    gap = round((cut - seconds_of(ids)) / _TICK) if ids else 0
    waits = [_WAIT + _MOST_WAIT] * (gap // _MOST_WAIT)
    waits += [_WAIT + gap % _MOST_WAIT] if gap % _MOST_WAIT else []
    behind = [*_hanging(ids), *waits, *openai_encoding.encode(new)]
    return [*ids, *behind[:most]]


def _hanging(ids: Sequence[int]) -> list[int]:
    """The ids that end what ids leave sounding."""
    down: dict[int, None] = {}
    for number in ids:
        if number >= _FIRST_DRUM:
            continue
        block, pitch = divmod(number, 128)
        is_piano = block < 14
        off = pitch if is_piano else number if block % 2 else number + 128
        if block and (is_piano or block % 2 == 0):
            down[off] = None
        else:
            down.pop(off, None)
    return list(down)


def completion(ids: Sequence[int], audio: bytes = b"") -> dict[str, Any]:
    """An answer of the service; the audio stands as Python writes bytes, as it always did."""
    score = openai_encoding.decode(ids)
    return {
        "encoding": " ".join(map(str, ids)), "totalTime": round(score.seconds, 3),
        "tracks": [_track(score, player) for player in score.instruments],
        "audioFile": repr(base64.b64encode(audio)),
    }  # fmt: skip


def _track(score: Score, player: int) -> dict[str, Any]:
    notes = score.notes[score.notes["instrument"] == player]
    on = seconds_at(score, notes["onset"])
    off = seconds_at(score, notes["onset"].astype(int) + notes["duration"])
    name = "drums" if player == DRUMS else INSTRUMENTS[player].name
    columns = zip(notes["pitch"].tolist(), on.tolist(), (off - on).tolist(), strict=True)
    return {
        "instrument": _NAMES.get(name, name),
        "notes": [
            {"pitch": pitch, "time_on": round(begin, 3), "duration": round(length, 3)}
            for pitch, begin, length in columns
        ],
    }  # fmt: skip


def given_midi(text: str) -> bytes:
    """A MIDI file from base64, bare or as Python writes bytes.

    Raises:
        UserError: it is none.
    """
    plain = text.strip()
    if plain.startswith("b'") and plain.endswith("'"):
        plain = plain[2:-1]
    try:
        return base64.b64decode(plain.partition(",")[2] if "," in plain else plain, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UserError("midi is no base64: send the file as base64") from error
