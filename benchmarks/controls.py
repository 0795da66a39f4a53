"""What controls cost: the time of a note with each of them on, against plain composing.

    python benchmarks/controls.py --clock cpu [--notes 600]

All prompts have the same four instruments; each composes until it has so many notes, and the
time to compose one of them is set against that of the plain prompt. They take turns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from common import parse, parser, run, tell, times

from musenet.composing.composer import Composer, load
from musenet.composing.decoding import Stopped
from musenet.composing.sections import Section
from musenet.events import Table, is_note

PLAYERS = ("violin", "viola", "cello", "piano")
WISHES: Mapping[str, Mapping[str, Any]] = {
    "styles": {"styles": {"mozart": 0.6, "ragtime": 0.4}},
    "tempo, metre and key": {"tempo": 110.0, "metre": "4/4", "key": "C"},
    "chords": {"chords": "C | Am F | G7 | C"},
    "density and dynamics": {"density": "dense", "dynamics": "f"},
    "sections": {"sections": [Section(10.0, styles=(("jazz", 1.0),), density=6.0)]},
    "an opening": {"notes": "C4 E4 G4:2 C5 B4 A4 G4:2"},
}
EVERY: dict[str, Any] = {name: value for wish in WISHES.values() for name, value in wish.items()}
PROMPTS: Mapping[str, Mapping[str, Any]] = {
    "plain": {}, **WISHES, "all of these": EVERY, "all, and guidance": {**EVERY, "guidance": 2.0},
}  # fmt: skip


def main() -> None:
    """Compose, measure and print."""
    made = parser(__doc__)
    made.add_argument("--model", type=Path, help="default: the model that comes with musenet")
    made.add_argument("--notes", type=int, default=600, help="of each piece (default 600)")
    made.add_argument("--only", nargs="*", choices=PROMPTS, default=list(PROMPTS))
    arguments = parse(made)
    composer = load(arguments.model)
    works: dict[str, Callable[[], object]] = {
        name: partial(compose, composer, arguments.notes, PROMPTS[name])
        for name in dict.fromkeys(["plain", *arguments.only])
    }
    _ = composer.network  # laid out before anything is timed
    taken = {name: timing.best for name, timing in times(works, arguments).items()}
    rows = [
        (name, 1000 * seconds / arguments.notes, seconds / taken["plain"])
        for name, seconds in taken.items()
    ]
    facts = {"model": composer.name, "notes": arguments.notes}
    tell(arguments, ("prompt", "ms a note", "times plain"), rows, facts)


def compose(composer: Composer, notes: int, asked: Mapping[str, Any]) -> None:
    """Compose until there are so many notes."""
    count = 0

    def on_rows(_: int, rows: Table) -> None:
        nonlocal count
        count += int(is_note(rows).sum())

    try:
        composer.compose(
            instruments=PLAYERS, minutes=10.0, seed=1, on_rows=on_rows,
            stop=lambda: count >= notes, **asked,
        )  # fmt: skip
    except Stopped:
        return
    raise RuntimeError(f"the piece was over after {count} notes: ask for fewer")


if __name__ == "__main__":
    run(main)
