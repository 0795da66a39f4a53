"""Megabytes and files a second from MIDI files to notes, beside other libraries.

    pip install pretty_midi mido symusic
    python benchmarks/parsing.py FOLDER_OR_ZIP... [--files 300]

`midi.load` reads, pairs and sorts notes, applies the pedal, folds programs into instruments and
unites tracks. symusic pairs notes, pretty_midi does so in seconds, mido stops at messages.
Files that one of them refuses are counted and left out of the timing.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence

import mido
import pretty_midi
import symusic
from common import midi_files, parse, parser, run, tell, times

from musenet.midi import load

READERS: dict[str, Callable[[bytes], object]] = {
    "musenet": load,
    "symusic": symusic.Score.from_midi,
    "mido": lambda data: mido.MidiFile(file=io.BytesIO(data)),
    "pretty_midi": lambda data: pretty_midi.PrettyMIDI(io.BytesIO(data)),
}


def main() -> None:
    """Measure and print."""
    arguments = parse(parser(__doc__, music=True))
    warnings.simplefilter("ignore")
    files = midi_files(arguments.music, arguments.files, arguments.seed)
    refused = {name: [_refuses(read, data) for data in files] for name, read in READERS.items()}
    read_by_all = [data for data, *bad in zip(files, *refused.values(), strict=True)
                   if not any(bad)]  # fmt: skip
    works = {name: _all_of(read, read_by_all) for name, read in READERS.items()}
    taken = times(works, arguments)
    size = sum(map(len, read_by_all))
    rows = [
        (name, size / 1e6 / own.best, len(read_by_all) / own.best, len(read_by_all) / own.median,
         own.best / taken["musenet"].best, sum(refused[name]))
        for name, own in taken.items()
    ]  # fmt: skip
    columns = ("reader", "MB a second", "files a second", "median", "times as long", "refused")
    tell(arguments, columns, rows, {"files": len(files), "megabytes": size / 1e6})


def _refuses(read: Callable[[bytes], object], data: bytes) -> bool:
    try:
        read(data)
    except Exception:  # each library has its own ways to fail
        return True
    return False


def _all_of(read: Callable[[bytes], object], files: Sequence[bytes]) -> Callable[[], object]:
    return lambda: [read(data) for data in files]


if __name__ == "__main__":
    run(main)
