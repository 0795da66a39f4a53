"""Whether what is promised of a piece holds, over random prompts.

    python benchmarks/guarantees.py [--prompts 200] [--log FILE.jsonl] [--music FOLDER...]

Prompts have random styles, 1 to 10 instruments, half a minute to a minute and now and then more,
and some of tempo, metre, key, chords, density, dynamics, sections, an opening melody, a given
piece to go on with from a random bar, and a given piece to arrange. Given pieces are the studio's
famous openings and the beginnings of the files of `--music`. For each guarantee the table tells
the pieces that it holds for and those that break it; what breaks one is listed with its prompt.
With `--log` each prompt's result is kept as a line, and the same command goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from common import midi_files, parse, parser, run, tell
from numpy.typing import NDArray
from prompts import Given, Task, drawn, openings
from trials import Record, add_record, read_records

from musenet import midi
from musenet.cli.output import say
from musenet.composing.composer import Composer, load
from musenet.composing.finishing import Composition
from musenet.composing.sections import Section
from musenet.instruments import INSTRUMENTS, instrument_id
from musenet.score import Array, Score, out_of_range, seconds_at

LEAST_SHARE, LEAST_MINUTES, MOST_FORCED, TOLERANCE = 0.005, 0.75, 0.02, 0.05
LONG = 120.0
"""Seconds from which on an instrument is to be heard in most of the minutes."""
NAMES = [instrument.name for instrument in INSTRUMENTS]
Broken = str | None
"""What is wrong, "" for nothing, None where the guarantee does not apply."""


@dataclass(frozen=True)
class Made:
    """A task and its piece.

    Attributes:
        task: what was asked.
        given: the given piece up to where new music may begin, or None.
        piece: what was composed.
    """

    task: Task
    given: Score | None
    piece: Composition

    @property
    def score(self) -> Score:
        """The piece."""
        return self.piece.score

    @property
    def new(self) -> NDArray[np.bool_]:
        """Which notes are new, shape (notes,)."""
        known = set() if self.given is None else set(self.given.notes.tolist())
        return np.array([note not in known for note in self.score.notes.tolist()], dtype=bool)


def main() -> None:
    """Compose, check and print."""
    made = parser(__doc__)
    made.add_argument("--model", type=Path, help="default: the model that comes with musenet")
    made.add_argument("--prompts", type=int, default=200, help="how many (default 200)")
    made.add_argument("--first", type=int, default=0, help="number of the first (default 0)")
    made.add_argument("--seed", type=int, default=0, help="of the prompts (default 0)")
    made.add_argument("--log", type=Path, help="results so far; run again to go on")
    made.add_argument("--music", nargs="+", type=Path, default=[],
                      help="folders of MIDI files to go on with and to arrange")  # fmt: skip
    arguments = parse(made)
    composer = load(arguments.model)
    given = openings(midi_files(arguments.music, 60, arguments.seed) if arguments.music else [])
    kept = read_records(arguments.log) if arguments.log else []
    records = {found["number"]: found for found in kept}
    numbers = range(arguments.first, arguments.first + arguments.prompts)
    for number in numbers:
        if number not in records:
            records[number] = record(composer, drawn(number, arguments.seed, given), given)
            _keep(records[number], arguments)
    _report(composer, [records[number] for number in numbers], arguments)


def record(composer: Composer, task: Task, given: Mapping[str, Given]) -> Record:
    """The result of one task, ready for JSON."""
    piece = composed(composer, task, given)
    facts = piece.facts
    known = task.kept(given)
    made = Made(task, None if known is None else midi.load(known), piece)
    return {
        "number": task.number, "kind": task.kind, "asked": task.asked, "given": task.given,
        "broken": {name: check(made) for name, check in CHECKS.items()},
        "notes": facts["notes"], "new": int(made.new.sum()), "seconds": facts["seconds"],
        "forced": facts["forced"], "ended_by": facts.get("ended_by"),
    }  # fmt: skip


def composed(composer: Composer, task: Task, given: Mapping[str, Given]) -> Composition:
    """The piece that a task asks for."""
    if task.kind == "arrange":
        return composer.arrange(given[task.given].data, **task.asked)[0]
    sections = [Section(**section) for section in task.asked.get("sections", ())]
    asked = {**task.asked, "sections": sections}
    source = given[task.given].data if task.given else None
    return composer.compose(given=source, **asked)[0]


def _other_instruments(made: Made) -> Broken:
    """Names of those that play where nobody asked for them."""
    found: set[int] = set()
    onset, player = _onsets(made.score), made.score.notes["instrument"]
    for start, stop, allowed in _spans(made):
        inside = (onset >= start * (1 + TOLERANCE)) & (onset < stop * (1 - TOLERANCE))
        found |= set(np.unique(player[inside & made.new]).tolist()) - allowed if allowed else set()
    return ", ".join(NAMES[instrument] for instrument in sorted(found))


def _missing(made: Made) -> Broken:
    """Names of those asked for that have less than their share of the notes."""
    if not made.task.asked.get("instruments"):
        return None
    found: set[int] = set()
    onset, player = _onsets(made.score), made.score.notes["instrument"]
    for start, stop, _ in _spans(made):
        inside = (onset >= start * (1 - TOLERANCE)) & (onset < stop * (1 + TOLERANCE))
        own = player[inside & made.new] if made.task.kind == "arrange" else player[inside]
        found |= {i for i in _asked(made, start) if (own == i).sum() < LEAST_SHARE * len(own) or
                  not (own == i).any()}  # fmt: skip
    return ", ".join(NAMES[instrument] for instrument in sorted(found))


def _spans(made: Made) -> list[tuple[float, float, set[int]]]:
    """Sections: from when, to when, and who may play, empty for anybody."""
    plan = made.task.asked.get("sections", ())
    times = [0.0, *(section["at"] for section in plan), np.inf]
    others = set() if made.given is None else set(made.given.instruments)
    return [
        (start, stop, asked | others if (asked := _asked(made, start)) else
         others if made.task.kind != "compose" else set())
        for start, stop in pairwise(times)
    ]  # fmt: skip


def _asked(made: Made, at: float) -> set[int]:
    """Instruments asked for at a time, by id."""
    names: Sequence[str] = made.task.asked.get("instruments", ())
    for section in made.task.asked.get("sections", ()):
        if section["at"] <= at and section.get("instruments"):
            names = section["instruments"]
    return set(map(instrument_id, names))


def _onsets(score: Score) -> NDArray[np.float64]:
    return seconds_at(score, score.notes["onset"])


def _seldom(made: Made) -> Broken:
    """Names of those asked for that play in too few minutes of a long piece."""
    facts = made.piece.facts
    if facts["seconds"] < LONG or made.task.kind == "arrange" or made.task.asked.get("sections"):
        return None
    least = LEAST_MINUTES * np.floor(facts["seconds"] / 60)
    playing = facts["minutes_playing"]
    names = (NAMES[instrument] for instrument in sorted(_asked(made, 0.0)))
    return ", ".join(name for name in names if playing.get(name, 0) < least)


def _unplayable(made: Made) -> Broken:
    count = int((out_of_range(made.score) & made.new).sum())
    return f"{count} notes" if count else ""


def _forced(made: Made) -> Broken:
    share = made.piece.facts["forced"] / max(1, int(made.new.sum()))
    return f"{share:.1%}" if share >= MOST_FORCED else ""


def _changed(made: Made) -> Broken:
    """How many given notes are not in the piece as they were."""
    if made.given is None:
        return None
    kept = made.given.notes
    if made.task.kind == "arrange":
        kept = kept[~_replaced(made, kept)]
    missing = set(kept.tolist()) - set(made.score.notes.tolist())
    return f"{len(missing)} notes" if missing else ""


def _replaced(made: Made, notes: Array) -> NDArray[np.bool_]:
    """Which given notes an arrangement was asked to take the place of, shape (notes,)."""
    asked, score = made.task.asked, made.given
    assert score is not None
    players = _asked(made, 0.0) or set(score.instruments)
    inside = np.isin(notes["instrument"], list(players)) & (not asked.get("keep", False))
    if asked.get("bars"):
        first, last = asked["bars"]
        start, stop = midi.bar_tick(score, first), midi.bar_tick(score, last + 1)
        inside &= (notes["onset"] >= start) & (notes["onset"] < stop)
    return inside


def _length(made: Made) -> Broken:
    wanted = 60.0 * made.task.asked.get("minutes", 0.0)
    if made.task.kind == "arrange":
        assert made.given is not None
        wanted = made.given.seconds
    off = made.score.seconds / wanted - 1.0
    return f"{off:+.1%}" if abs(off) > TOLERANCE else ""


def _tempo(made: Made) -> Broken:
    wanted = made.task.asked.get("tempo")
    if wanted is None:
        return None
    first = float(made.score.tempos["bpm"][0])
    return "" if abs(first / wanted - 1.0) < 1e-3 else f"{first:.1f}"


def _metre(made: Made) -> Broken:
    wanted = made.task.asked.get("metre")
    if wanted is None:
        return None
    found = {f"{top}/{bottom}" for _, top, bottom in made.score.metres.tolist()}
    return ", ".join(sorted(found - {wanted}))


CHECKS: Mapping[str, Callable[[Made], Broken]] = {
    "no other instruments": _other_instruments,
    f"each asked for has {LEAST_SHARE:.1%} of the notes": _missing,
    "each plays in 3/4 of the minutes": _seldom,
    "within the playable range": _unplayable,
    f"less than {MOST_FORCED:.0%} of the notes forced": _forced,
    "given notes as they were": _changed,
    f"length within {TOLERANCE:.0%}": _length,
    "tempo at the beginning": _tempo,
    "metre": _metre,
}


def _keep(found: Record, arguments: argparse.Namespace) -> None:
    if arguments.log:
        add_record(arguments.log, found)
    broken = {name: words for name, words in found["broken"].items() if words}
    if not arguments.json:
        say(f"{found['number'] + 1}: {found['kind']}, {broken or 'all kept'}", stderr=True)


def _report(composer: Composer, records: Sequence[Record], arguments: argparse.Namespace) -> None:
    rows = []
    for name in CHECKS:
        known = [r for r in records if r["broken"][name] is not None]
        broken = [r for r in known if r["broken"][name]]
        rows.append((name, len(known), len(broken)))
    free = [r for r in records if r["ended_by"]]
    new = sum(r["new"] for r in records)
    facts = {
        "model": composer.name, "prompts": len(records), "new notes": f"{new:,}",
        "minutes of music": round(sum(r["seconds"] for r in records) / 60, 1),
        "notes forced": f"{sum(r['forced'] for r in records) / max(1, new):.3%}",
        "ended by the model": f"{sum(r['ended_by'] == 'model' for r in free)} of {len(free)}",
        "broken": [
            {key: r[key] for key in ("number", "kind", "asked", "given")} |
            {"broken": {name: words for name, words in r["broken"].items() if words}}
            for r in records if any(r["broken"].values())
        ],
    }  # fmt: skip
    tell(arguments, ("guarantee", "pieces", "broken"), rows, facts)


if __name__ == "__main__":
    run(main)
