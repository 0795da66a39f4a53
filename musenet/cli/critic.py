"""`musenet critic`: training and measuring the inner critic, and the limits of the checks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from musenet.cli.options import Corpus, Json, Model, check_place, check_weights, positive
from musenet.cli.output import bar, print_facts, print_json, print_table, say
from musenet.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from musenet.composing.composer import Composer
    from musenet.composing.critic import Critic
    from musenet.corpus.shards import Split
    from musenet.evaluation.continuations import Continuation
    from musenet.evaluation.critic import Pairs
    from musenet.score import Score

_ROWS, _HELD_OUT_ROWS = 512, 1024
_CANDIDATES, _HELD_OUT_CANDIDATES = 4, 2
_VALID_EVERY = 4
"""One place in so many is of held-out works."""
_WRITING = 0.6
"""Share of the time in which the model writes; reading it and training take the rest."""
_SAVED_EVERY = 60.0
_HUMAN = 300
"""Human pieces that strangeness is measured from."""


def train(
    data: Corpus,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE.safetensors",
                           help="The critic. What the model wrote for it is kept beside it; given "
                           "again, the command writes more and trains on all.")
    ],
    minutes: Annotated[
        float, typer.Option(metavar="NUMBER", callback=positive,
                            help="About how long: the model writes for six tenths of it.")
    ] = 15.0,
    seed: Annotated[int, typer.Option(metavar="NUMBER", min=0, help="Of places and weights.")] = 0,
    model: Model = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Train the critic by which candidates are ranked: human music against the model's own.

    The model goes on from random places of the training pieces, with their prompts, and a small
    head on its frozen trunk learns to tell what it wrote from what stands there. Held-out works
    say when to stop. From what the trunk makes of human pieces it knows how strange others are.
    """
    from musenet.composing.composer import bundled_model, load
    from musenet.composing.critic import save_critic
    from musenet.corpus.shards import open_split
    from musenet.evaluation.critic import fit

    check_weights(out)
    composer = load(model or bundled_model())
    splits = {name: open_split(data, name) for name in ("train", "valid")}
    found = _written(composer, splits, out, seconds=60 * minutes * _WRITING, seed=seed)
    seen = {name: _read(composer, splits[name], own) for name, own in found.items()}
    critic = fit(seen["train"], seen["valid"], _usual(composer, splits["train"], seed))
    facts = {
        "places": {name: len(own) for name, own in found.items()},
        "events": sum(len(rows) for each in found["train"] for rows in each.written),
        **_measured(critic, seen["valid"]),
    }
    save_critic(out, critic, composer.name, facts)
    _tell({"critic": str(out), "split": "valid", **facts}, as_json=json)


def evaluate(
    critic: Annotated[
        Path, typer.Argument(metavar="CRITIC", exists=True, dir_okay=False, help="The critic.")
    ],
    data: Corpus,
    split: Annotated[
        str, typer.Option(metavar="train|valid|test", help="Part of the corpus.")
    ] = "test",
    places: Annotated[
        int, typer.Option(metavar="NUMBER", min=2, help="Places that the model goes on from.")
    ] = 60,
    seed: Annotated[int, typer.Option(metavar="NUMBER", min=0, help="Of the places.")] = 1,
    model: Model = None,
    json: Json = False,
) -> None:  # fmt: skip
    """How well a critic tells held-out human music from what the model writes in its place.

    Both have the same prompt, the same music before them and the same number of events.
    """
    from itertools import islice

    from musenet.composing.composer import bundled_model, load
    from musenet.composing.critic import load_critic
    from musenet.corpus.shards import open_split
    from musenet.evaluation.continuations import continued

    composer = load(model or bundled_model())
    head, _ = load_critic(critic, composer.name)
    pieces = open_split(data, split)
    made = continued(
        composer, pieces, rows=_HELD_OUT_ROWS, candidates=_HELD_OUT_CANDIDATES, seed=seed
    )
    with bar("writing") as shown:
        found = list(shown.track(islice(made, places), total=places))
    facts = {"places": places, **_measured(head, _read(composer, pieces, found))}
    _tell({"critic": str(critic), "split": split, **facts}, as_json=json)


def limits(
    data: Annotated[
        Path, typer.Argument(metavar="CORPUS", exists=True, file_okay=False, help="Human music.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.json", help="The limits.")],
    pieces: Annotated[
        int, typer.Option(metavar="NUMBER", min=1,
                          help="Most pieces of each size of ensemble, a fixed random choice.")
    ] = 1000,
    json: Json = False,
) -> None:  # fmt: skip
    """Count how much of each fault human pieces have, for the checks of candidates.

    Limits are those that 99 % of the training pieces keep, by the number of instruments; beside
    them stands how many of the held-out pieces have a fault.
    """
    from musenet.composing.checks import limits_of
    from musenet.corpus.shards import open_split
    from musenet.files import write_atomically

    check_place(out.parent)
    found = limits_of(_scores(open_split(data, "train"), pieces))
    faults = [found.faults(score) for score in _scores(open_split(data, "test"), pieces)]
    write_atomically(out, found.to_json().encode("utf8"))
    share = sum(map(bool, faults)) / max(1, len(faults))
    facts = {"limits": str(out), "pieces": list(found.pieces), "held_out_pieces": len(faults),
             "held_out_with_faults": round(share, 4)}  # fmt: skip
    if json:
        print_json(facts | {"by_check": {name: list(own) for name, own in found.limits.items()}})
        return
    print_facts(facts)
    print_table(["", "1 instrument", "2-4", "5-8", "9 and more"],
                [(name, *own) for name, own in found.limits.items()])  # fmt: skip


def _scores(split: Split, most: int) -> Iterator[Score]:
    """Pieces of 20 seconds and more, at most so many of each group of ensembles."""
    import numpy as np

    from musenet.composing.checks import ENSEMBLES, SHORTEST, group_of
    from musenet.events import decode
    from musenet.instruments import DRUMS

    counts = [0] * (len(ENSEMBLES) + 1)
    order = np.random.default_rng(0).permutation(len(split))
    with bar("counting") as shown:
        for piece in shown.track(order.tolist()):
            kinds = np.unique(split.table(piece)[:, 1])
            group = group_of(int((kinds <= DRUMS).sum()))
            if split.pieces["seconds"][piece] >= SHORTEST and counts[group] < most:
                counts[group] += 1
                yield decode(split.table(piece))


def _written(
    composer: Composer, splits: Mapping[str, Split], out: Path, *, seconds: float, seed: int
) -> dict[str, list[Continuation]]:  # fmt: skip
    """What the model wrote before for this critic, and what it writes now in some seconds."""
    from musenet.evaluation.continuations import (
        continued,
        read_continuations,
        write_continuations,
    )

    kept = out.with_suffix(".continuations.safetensors")
    about = {"model": composer.name, "seed": seed, "train": len(splits["train"])}
    found: dict[str, list[Continuation]] = {name: [] for name in splits}
    if kept.exists():
        found, made_for = read_continuations(kept)
        if made_for != about:
            raise UserError(f"{kept} is of another model, corpus or seed: move it away")
    sources = {
        "train": continued(composer, splits["train"], rows=_ROWS, candidates=_CANDIDATES,
                           seed=seed, first=len(found["train"])),
        "valid": continued(composer, splits["valid"], rows=_HELD_OUT_ROWS,
                           candidates=_HELD_OUT_CANDIDATES, seed=seed, first=len(found["valid"])),
    }  # fmt: skip
    started = saved = time.monotonic()
    with bar("writing") as shown:
        task = shown.add_task("", total=seconds)
        while time.monotonic() < started + seconds or not all(found.values()):
            held_out = len(found["train"]) >= (_VALID_EVERY - 1) * (len(found["valid"]) + 1)
            name = "valid" if held_out else "train"
            found[name].append(next(sources[name]))
            shown.update(task, completed=time.monotonic() - started)
            if time.monotonic() > saved + _SAVED_EVERY:
                write_continuations(kept, found, about)
                saved = time.monotonic()
    write_continuations(kept, found, about)
    return found


def _read(composer: Composer, split: Split, found: Sequence[Continuation]) -> Pairs:
    from musenet.evaluation.critic import read

    with bar("reading") as shown:
        return read(composer.model, split, shown.track(found))


def _usual(composer: Composer, split: Split, seed: int) -> Tensor:
    """Pooled states of human pieces, taken as often as in training."""
    import numpy as np

    from musenet.evaluation.critic import usual
    from musenet.training.mixture import piece_weights

    weights = piece_weights(split, composer.context)
    pieces = np.random.default_rng(seed).choice(len(split), _HUMAN, p=weights / weights.sum())
    with bar("reading human pieces") as shown:
        return usual(composer.model, split, shown.track(pieces.tolist()), composer.context)


def _measured(critic: Critic, seen: Pairs) -> dict[str, Any]:
    from musenet.evaluation.critic import LENGTHS, measured

    return {"windows": {str(length): measured(critic, seen, length) for length in LENGTHS}}


def _tell(facts: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(facts)
        return
    print_facts({name: value for name, value in facts.items() if name != "windows"})
    columns = ("events", "pairs", "AUC", "low", "high", "same place", "beginnings", "later")
    rows = [(length, *own.values()) for length, own in facts["windows"].items()]
    print_table(columns, rows)
    say("AUC: how often a human window is above a written one; same place: of those that stand "
        "in one place of one piece")  # fmt: skip
