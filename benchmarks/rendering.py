"""How long audio, its encodings and piano rolls of real pieces take.

    python benchmarks/rendering.py FOLDER_OR_ZIP... [--files 5]

Pieces of one to six minutes are taken. "times real time" is seconds of music made a second.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from common import midi_files, parse, parser, run, tell, times

from musenet.midi import load
from musenet.rendering import audio, pianoroll
from musenet.rendering.resampling import Sound
from musenet.score import Score

SHORTEST, LONGEST = 60.0, 360.0
RATE = 44_100


def main() -> None:
    """Measure and print."""
    made = parser(__doc__, music=True)
    made.set_defaults(files=5)
    arguments = parse(made)
    files = _pieces(arguments)
    scores = [load(data) for data in files]
    sounds = [audio.render(data) for data in files]
    seconds = sum(len(sound) for sound in sounds) / RATE
    notes = sum(len(score.notes) for score in scores)
    with tempfile.TemporaryDirectory() as folder:
        works: dict[str, Callable[[], object]] = {
            "audio: synthesizer": lambda: [audio.render(data) for data in files],
            **{f"audio: encoding {suffix}": partial(_encode, sounds, suffix)
               for suffix in audio.FORMATS},
            **{f"piano roll {suffix}": partial(_draw, scores, Path(folder) / f"roll{suffix}")
               for suffix in pianoroll.FORMATS},
        }  # fmt: skip
        taken = times(works, arguments)
    count = len(files)
    rows = [
        (name, own.best / count, own.median / count, seconds / own.best, notes / own.best)
        for name, own in taken.items()
    ]
    columns = ("what", "seconds a piece", "median", "times real time", "notes a second")
    tell(arguments, columns, rows, {"pieces": count, "seconds of music": seconds, "notes": notes})


def _pieces(arguments: argparse.Namespace) -> list[bytes]:
    """As many pieces of a usual length as are asked for."""
    found = []
    for data in midi_files(arguments.music, 8 * arguments.files, arguments.seed):
        if SHORTEST <= load(data).seconds <= LONGEST:
            found.append(data)
    return found[: arguments.files]


def _encode(sounds: list[Sound], suffix: str) -> None:
    for sound in sounds:
        audio.encode(sound, RATE, suffix)


def _draw(scores: list[Score], path: Path) -> None:
    for score in scores:
        pianoroll.piano_roll(score, path, title="benchmark")


if __name__ == "__main__":
    run(main)
