"""Whether a piece is in the key that was asked for.

    python benchmarks/keys.py CORPUS [--guidance 1 2] [--prompts 80] [--seconds 30]

Prompts are the styles and instruments of random held-out pieces, each with a key drawn from all 24.
The key heard is that of all notes (`key.key_of`, Krumhansl-Schmuckler); related are dominant,
subdominant, relative and the other mode. "then" is a section as long that follows in another key
drawn. Below stands the beginning, as long, of held-out human pieces, against the key of the whole
piece.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from common import parse, run, tell
from held_out import options, prompts, shuffled

from musenet.analysis.arrays import bars_of
from musenet.cli.output import say
from musenet.composing.composer import load
from musenet.composing.sections import Section
from musenet.corpus.shards import Split, open_split
from musenet.evaluation.comparing import summary
from musenet.evaluation.harmony import harmony
from musenet.events import decode
from musenet.key import KEYS, NO_KEY, key_of
from musenet.score import Score, crop, ticks_at

HUMAN = 400
"""Pieces, at most."""
MEASURES = ("key_clarity", "scale_consistency", "key_drift_8_bars")


def main() -> None:
    """Compose, measure and print."""
    made = options(__doc__, prompts=80, candidates=2, seconds=30.0)
    made.add_argument("--guidance", type=float, nargs="+", default=[1.0, 2.0])
    arguments = parse(made)
    composer, split = load(arguments.model), open_split(arguments.data, arguments.split)
    wishes = prompts(split, arguments.prompts, arguments.seed)
    asked = np.random.default_rng(arguments.seed).integers(NO_KEY, size=(len(wishes), 2)).tolist()
    rows: list[tuple[object, ...]] = []
    for guidance in arguments.guidance:
        halves: tuple[list[tuple[int, Score]], ...] = ([], [])
        for number, (wish, keys) in enumerate(zip(wishes, asked, strict=True)):
            pieces = composer.compose(
                **wish, key=KEYS[keys[0]], minutes=2.0 * arguments.seconds / 60.0,
                sections=[Section(arguments.seconds, key=KEYS[keys[1]])], guidance=guidance,
                candidates=arguments.candidates, seed=arguments.seed + number,
            )  # fmt: skip
            for half, (heard, key) in enumerate(zip(halves, keys, strict=True)):
                heard += [(key, _part(piece.score, half, arguments.seconds)) for piece in pieces]
        for name, heard in zip(("", ", then"), halves, strict=True):
            rows.append((f"guidance {guidance:g}{name}", *_row(heard)))
            if not arguments.json:
                say(f"{rows[-1]}", stderr=True)
    rows.append(("human", *_row(_human(split, arguments.seconds))))
    columns = ("by", "pieces", "in the key", "related", "clarity", "in the scale",
               "drift by 8 bars")  # fmt: skip
    tell(arguments, columns, rows, {"model": composer.name, "seconds": arguments.seconds})


def related(key: int) -> set[int]:
    """The keys nearest to one: a fifth up and down, the relative, and the other mode."""
    mode, tonic = divmod(key, 12)
    other = 1 - mode
    relative = 12 * other + (tonic + (3 if mode else 9)) % 12
    return {12 * mode + (tonic + 7) % 12, 12 * mode + (tonic + 5) % 12, relative,
            12 * other + tonic}  # fmt: skip


def _part(score: Score, number: int, seconds: float) -> Score:
    """One of the parts of a piece that last some seconds each."""
    start, stop = ticks_at(score, [number * seconds, (number + 1) * seconds]).astype(int).tolist()
    return crop(score, start, stop)


def _row(heard: Sequence[tuple[int, Score]]) -> list[object]:
    keys = [(key, int(key_of(score)[0])) for key, score in heard]
    measured = [harmony(score, bars_of(score)) for _, score in heard]
    right = summary([float(key == found) for key, found in keys])
    near = np.mean([found in related(key) for key, found in keys])
    return [
        len(keys), f"{right.mean:.2f} ({right.low:.2f}-{right.high:.2f})", float(near),
        *(float(np.nanmean([each[name] for each in measured])) for name in MEASURES),
    ]  # fmt: skip


def _human(split: Split, seconds: float) -> list[tuple[int, Score]]:
    """Beginnings of pieces half as long again or longer, with the key of the whole."""
    found: list[tuple[int, Score]] = []
    for piece in shuffled(split):
        row = split.pieces[piece]
        if row["seconds"] >= 1.5 * seconds and row["key"] != NO_KEY and len(found) < HUMAN:
            found.append((int(row["key"]), _part(decode(split.table(piece)), 0, seconds)))
    return found


if __name__ == "__main__":
    run(main)
