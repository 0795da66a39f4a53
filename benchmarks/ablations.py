"""What each part of the recipe is worth: the same short training run without it.

    python benchmarks/ablations.py CORPUS --out FOLDER [--preset small] [--steps N] [--only NAME]
        [--device cuda] [--json]

Every run has the same number of steps and events. The whole recipe is trained with several
seeds, and sigma is the standard deviation of its bits a note over them. The others are trained
with the first seed, those that differ by less than two sigma with the second one too. A
difference is from the whole recipe of the same seeds, which saw nearly the same windows. Its
own noise is the standard deviation of one seed's difference, pooled
over the variants with two seeds (sqrt(2) sigma where there is none); it is called noise where it
is less than two standard errors, 2 noise / sqrt(seeds).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from common import run
from trials import TOLD, Trial, Trials, Wanted, conduct, trial_parser, whole_recipe

from musenet.cli.output import print_facts, print_json, print_table
from musenet.echoes import ECHOES

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Variant:
    """The recipe with something changed.

    Attributes:
        name: what is changed.
        model: changed fields of `ModelConfig`.
        training: changed fields of `TrainingConfig`; "rate" stands for a factor.
        augmentation: changed fields of `Augmentation`.
        untold: as in `Trial`.
    """

    name: str
    model: Settings = field(default_factory=dict)
    training: Settings = field(default_factory=dict)
    augmentation: Settings = field(default_factory=dict)
    untold: tuple[str, ...] = ()

    def of(self, whole: Trial, seed: int) -> Trial:
        """The trial of this variant with a seed."""
        usual, training = whole.training, dict(self.training)
        rate = usual.learning_rate * training.pop("rate", 1.0)
        changed = replace(
            usual,
            model=replace(usual.model, **self.model),
            augmentation=replace(usual.augmentation, **self.augmentation),
            learning_rate=rate,
            seed=seed,
            **training,
        )
        return replace(whole, training=changed, untold=self.untold)


WHOLE = Variant("the whole recipe")
MUSENET = (
    Variant("no elapsed time", {"blind": ("tick",)}),
    Variant("no place in the chord", {"blind": ("chord place",)}),
    Variant("no part", {"blind": ("part",)}),
    Variant("no countdown", {"blind": ("countdown",)}),
    Variant("neither part nor countdown", {"blind": ("part", "countdown")}),
    Variant("no style told",
            augmentation={"drop_styles": 1.0, "show_style": 0.0, "splice": 0.0},
            untold=("styles",)),
    Variant("no instruments told", augmentation={"drop_instruments": 1.0, "orchestrate": 0.0},
            untold=("instruments",)),
    Variant("no transposition", augmentation={"transpose": 0.0}),
    Variant("transposition not lessened", augmentation={"lessen": 0.0}),
    Variant("loudness and tempo not varied", augmentation={"velocity": 0, "tempo": 0}),
    Variant("with mixup of half the batches", training={"mixup": 0.5}),
    Variant("no pieces in turn with another", augmentation={"splice": 0.0}),
    Variant("no parts for other instruments", augmentation={"orchestrate": 0.0}),
)  # fmt: skip
MODERN = (
    Variant("AdamW alone", training={"optimiser": "adamw"}),
    Variant("AdamW alone, learning rate / 2", training={"optimiser": "adamw", "rate": 0.5}),
    Variant("AdamW alone, learning rate / 4", training={"optimiser": "adamw", "rate": 0.25}),
    Variant("AdamW alone, learning rate x 2", training={"optimiser": "adamw", "rate": 2.0}),
    Variant("learning rate / 2", training={"rate": 0.5}),
    Variant("learning rate x 2", training={"rate": 2.0}),
    Variant("no normalised queries and keys", {"qk_norm": False}),
    Variant("GELU for squared ReLU", {"activation": "gelu"}),
    Variant("learned positions for rotary", {"positions": "learned", "musical_time": False}),
    Variant("no musical time", {"musical_time": False}),
    Variant("no echoes", {"blind": ECHOES}),
    Variant("no place in the bar", {"blind": ("tick in beat", "beat in bar", "bar in phrase")}),
    Variant("no bar in the phrase", {"blind": ("bar in phrase",)}),
    Variant("no token shift", {"token_shift": False}),
    Variant("windows not lengthened", training={"lengthen": False}),
    Variant("with value embeddings", {"value_embeddings": True}),
    Variant("openings and endings count no more",
            augmentation={"openings": 0.0, "endings": 0.0}),
    Variant("beginnings of phrases count no more", augmentation={"phrases": 0.0}),
    Variant("no copying", {"copies": 0}),
    Variant("with averaged weights", training={"average": 0.05}),
    Variant("no weight decay", training={"weight_decay": 0.0}),
    Variant("no controls, no given notes",
            {"blind": ("chord", "density", "dynamics", "given", "key", "style")},
            augmentation={"show_chords": 0.0, "show_density": 0.0, "show_dynamics": 0.0,
                          "show_key": 0.0, "show_style": 0.0, "give": 0.0}),
)  # fmt: skip
VARIANTS = (*MUSENET, *MODERN)
COLUMNS = ("variant", "seeds", "nothing told", "more", "", "all told", "more ", " ")


@dataclass(frozen=True)
class Outcome:
    """Bits a note of a variant and of the whole recipe, a pair for each seed."""

    pairs: tuple[tuple[float, float], ...]

    @property
    def mean(self) -> float:
        """Bits a note of the variant, mean over the seeds."""
        return statistics.fmean(own for own, _ in self.pairs)

    @property
    def difference(self) -> float:
        """How much more than the whole recipe with the same seeds."""
        return statistics.fmean(own - usual for own, usual in self.pairs)

    @property
    def spread(self) -> float | None:
        """Standard deviation of one seed's difference, None for a single seed."""
        if len(self.pairs) < 2:
            return None
        return statistics.stdev(own - usual for own, usual in self.pairs)

    def is_noise(self, noise: float) -> bool:
        """Whether the difference is less than two standard errors.

        Args:
            noise: standard deviation of one seed's difference.
        """
        return abs(self.difference) < 2 * noise / math.sqrt(len(self.pairs))


@dataclass(frozen=True)
class Study:
    """The whole recipe, its results, and with how many seeds it is trained."""

    whole: Trial
    trials: Trials
    seeds: int

    def run(self, variants: Sequence[Variant], again: bool, stop: Wanted) -> bool:
        """Run what is missing; whether all is done."""
        if not self._all([WHOLE], range(self.seeds), stop) or not self._all(variants, [0], stop):
            return False
        close = [variant for variant in variants if self._is_close(variant)] if again else []
        return self._all(close, [0, 1], stop)

    def _all(self, variants: Sequence[Variant], seeds: Sequence[int], stop: Wanted) -> bool:
        named = [
            (f"{variant.name}, seed {seed}", variant.of(self.whole, seed))
            for variant in variants
            for seed in seeds
        ]
        return self.trials.run(named, stop)

    def outcome(self, variant: Variant, told: str) -> Outcome:
        """What a variant gave with the seeds that it was trained with to the end."""
        pairs = []
        for seed in range(self.seeds):
            own = self.trials.bits(variant.of(self.whole, seed), told)
            usual = self.trials.bits(WHOLE.of(self.whole, seed), told)
            if own is not None and usual is not None:
                pairs.append((own, usual))
        return Outcome(tuple(pairs))

    def sigma(self, told: str) -> float:
        """Standard deviation of the whole recipe over its seeds."""
        return statistics.stdev(own for own, _ in self.outcome(WHOLE, told).pairs)

    def noise(self, told: str) -> float:
        """Standard deviation of one seed's difference, pooled over variants with two seeds."""
        spreads = [self.outcome(variant, told).spread for variant in VARIANTS]
        known = [spread for spread in spreads if spread is not None]
        if not known:
            return math.sqrt(2) * self.sigma(told)
        return math.sqrt(statistics.fmean(spread**2 for spread in known))

    def _is_close(self, variant: Variant) -> bool:
        """Whether by either measure the first seed differs by less than two sigma."""
        for told in TOLD:
            first = Outcome(self.outcome(variant, told).pairs[:1])
            if first.pairs and abs(first.difference) < 2 * self.sigma(told):
                return True
        return False

    def row(self, variant: Variant) -> tuple[object, ...]:
        """A line of the table."""
        cells: list[object] = []
        for told in TOLD:
            found = self.outcome(variant, told)
            if not found.pairs:
                cells += [None, "not finished", None]
            elif variant is WHOLE:
                cells += [round(found.mean, 3), None, None]
            else:
                noise = "noise" if found.is_noise(self.noise(told)) else None
                cells += [round(found.mean, 3), f"{found.difference:+.3f}", noise]
        return (variant.name, len(self.outcome(variant, "all told").pairs), *cells)


def main() -> None:
    """Run what is missing and print."""
    made = trial_parser(__doc__)
    made.add_argument("--seeds", type=int, default=3, help="of the whole recipe (default 3)")
    made.add_argument("--only", nargs="+", metavar="NAME", default=[""],
                      help="variants to run, by name or part of it")  # fmt: skip
    made.add_argument("--once", action="store_true", help="no second seeds")
    arguments = made.parse_args()
    if arguments.seeds < 2:
        made.error("--seeds: give 2 or more, for the noise to be known")
    chosen = [v for v in VARIANTS if any(part in v.name for part in arguments.only)]
    trials = Trials(arguments.out, arguments.device)
    study = Study(whole_recipe(arguments), trials, arguments.seeds)
    if not arguments.table:
        conduct(lambda stop: study.run(chosen, not arguments.once, stop))
    if len(study.outcome(WHOLE, "all told").pairs) < 2:
        raise SystemExit("the whole recipe was not trained with two seeds: run without --table")
    facts: dict[str, object] = {
        "steps": arguments.steps,
        "parameters": trials.records[study.whole.key]["parameters"],
        "events of a run": trials.records[study.whole.key]["events"],
        **{f"sigma, {told}": round(study.sigma(told), 4) for told in TOLD},
        **{f"noise of a difference, {told}": round(study.noise(told), 4) for told in TOLD},
    }
    rows = [study.row(variant) for variant in (WHOLE, *chosen)]
    if arguments.json:
        named = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
        print_json({**facts, "results": named, "trials": list(trials.records.values())})
        return
    print_facts(facts)
    print_table(COLUMNS, rows)


if __name__ == "__main__":
    run(main)
