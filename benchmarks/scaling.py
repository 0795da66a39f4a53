"""Bits a note against parameters, data and length of training, with fitted power laws.

    python benchmarks/scaling.py CORPUS --out FOLDER [--sizes 1x48 2x96 3x192] [--steps N]
        [--shares 0.0625 0.25 1] [--budgets 0.25 0.5 1] [--device cuda] [--json]

Only one of the three is varied at a time: the size at all of the data and steps; the data (all
pieces of a random share of the works) at the preset and all steps; the steps, each with its own
schedule, at the preset and all of the data. Sizes are presets or LAYERSxWIDTH. The line is the
least-squares one in log-log, bits = factor * x ^ -exponent, without an irreducible offset: three
points cannot tell one. Parameters are the elements of the matrices; tables that are looked up do
not count. With the --out of `ablations.py` what both need is run once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from common import run
from trials import Trial, Trials, conduct, sized, trial_parser, whole_recipe

from musenet.cli.output import print_json, print_table, say


@dataclass(frozen=True)
class PowerLaw:
    """y = factor · x ^ -exponent."""

    factor: float
    exponent: float

    @classmethod
    def fitted(cls, x: Sequence[float], y: Sequence[float]) -> PowerLaw:
        """The least-squares line through log y over log x, of two points and more."""
        slope, level = np.polyfit(np.log(x), np.log(y), 1)
        return cls(math.exp(level), -float(slope))

    def __call__(self, x: float) -> float:
        """y at x."""
        return self.factor * float(x**-self.exponent)


@dataclass(frozen=True)
class Series:
    """Trials that differ in one thing.

    Attributes:
        name: of what is varied.
        measure: what of a record stands for it.
        trials: with their names.
    """

    name: str
    measure: str
    trials: tuple[tuple[str, Trial], ...]

    def result(self, done: Trials) -> dict[str, Any]:
        """The points, the fitted line, and where it leads."""
        records = [(name, done.records[trial.key]) for name, trial in self.trials
                   if done.bits(trial) is not None]  # fmt: skip
        points = [
            {
                "trial": name,
                self.name: record[self.measure],
                "bits a note": round(record["bits_per_note"]["nothing told"]["all"], 3),
                "all told": round(record["bits_per_note"]["all told"]["all"], 3),
            }
            for name, record in records
        ]
        amounts = [point[self.name] for point in points]
        if len(amounts) < 2:
            return {"points": points}
        law = PowerLaw.fitted(amounts, [point["bits a note"] for point in points])
        for point in points:
            point["fitted"] = round(law(point[self.name]), 3)
        ahead = {f"{times} times the most": round(law(times * max(amounts)), 2)
                 for times in (2, 10)}  # fmt: skip
        return {"points": points, "factor": law.factor, "exponent": law.exponent, **ahead}


def series(
    whole: Trial, sizes: Sequence[str], shares: Sequence[float], budgets: Sequence[float]
) -> tuple[Series, ...]:
    """The three things that are varied."""
    usual = whole.training
    steps = usual.steps or 1
    by_size = [
        (size, replace(whole, training=replace(usual, model=sized(size, usual.context))))
        for size in sizes
    ]
    drawn_here = replace(whole, training=replace(usual, loaders=0))
    by_share = [(f"{share:.3g} of the works", replace(drawn_here, share=share)) for share in shares]
    by_steps = [
        (f"{fewer} steps", replace(whole, training=replace(usual, steps=fewer)))
        for fewer in (round(steps * part) for part in budgets)
    ]
    return (
        Series("parameters", "matrices", tuple(by_size)),
        Series("events to draw from", "events_to_draw_from", tuple(by_share)),
        Series("events trained on", "events", tuple(by_steps)),
    )


def main() -> None:
    """Run what is missing and print."""
    made = trial_parser(__doc__)
    add = made.add_argument
    add("--sizes", nargs="+", default=["1x48", "2x96", "3x192"], help="default 1x48 2x96 3x192")
    add("--shares", nargs="+", type=float, default=[1 / 256, 1 / 64, 1 / 16, 1.0],
        help="of the works (default 1/256, 1/64, 1/16 and 1)")  # fmt: skip
    add("--budgets", nargs="+", type=float, default=[0.25, 0.5, 1.0],
        help="of the steps (default a quarter, half and all)")  # fmt: skip
    arguments = made.parse_args()
    if min(map(len, (arguments.sizes, arguments.shares, arguments.budgets))) < 2:
        made.error("give two sizes, shares and budgets or more, for a line")
    trials = Trials(arguments.out, arguments.device)
    varied = series(whole_recipe(arguments), arguments.sizes, arguments.shares, arguments.budgets)
    named = [pair for own in varied for pair in own.trials]
    if not arguments.table:
        conduct(lambda stop: trials.run(named, stop))
    results = {own.name: own.result(trials) for own in varied}
    if arguments.json:
        print_json(results)
        return
    for result in filter(_is_line, results.values()):
        columns = tuple(result["points"][0])
        print_table(columns, [tuple(point.values()) for point in result["points"]])
        ahead = ", ".join(f"{name}: {bits}" for name, bits in result.items() if "times" in name)
        say(f"bits a note = {result['factor']:.4g} * x ^ {-result['exponent']:+.4f}; {ahead}\n")


def _is_line(result: dict[str, Any]) -> bool:
    return "factor" in result


if __name__ == "__main__":
    run(main)
