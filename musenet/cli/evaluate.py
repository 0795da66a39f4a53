"""`musenet evaluate likelihood`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn

from musenet.cli.music import music_of
from musenet.cli.options import Device, Json, Model, On, torch_device
from musenet.cli.output import print_json, print_table, progress, say

if TYPE_CHECKING:
    from musenet.corpus.shards import Split
    from musenet.evaluation.likelihood import Likelihood
    from musenet.events import Table
    from musenet.model import Model as Network

_GROUP = 16
"""Pieces whose windows are in memory at once."""
_BATCH_EVENTS = 8192


def likelihood(
    data: Annotated[
        list[Path],
        typer.Argument(metavar="DATA...", exists=True,
                       help="A corpus folder, or folders, zip archives and files of MIDI."),
    ],
    model: Model = None,
    split: Annotated[
        str, typer.Option(metavar="train|valid|test", help="Part of the corpus.")
    ] = "test",
    max_events: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", min=1, show_default="all",
                     help="Score a fixed random choice of pieces with about so many events."),
    ] = None,
    context: Annotated[
        int | None,
        typer.Option(metavar="EVENTS", min=16, show_default="as the model was trained",
                     help="Events that the model sees at once."),
    ] = None,
    device: On = Device.AUTO,
    json: Json = False,
) -> None:  # fmt: skip
    """Bits a note of a model on music, beside LZMA and unigrams on the same events."""
    from musenet.checkpoint import load_model
    from musenet.composing.composer import bundled_model
    from musenet.evaluation.likelihood import lzma_bits_per_note, unigram_bits

    path = model or bundled_model()
    network, facts = load_model(path, device=torch_device(device))
    window = context or int(facts.get("config", {}).get("context", network.config.context // 2))
    music = music_of(data, split)
    pieces = music.some(max_events)
    tables = [music.pieces.table(piece) for piece in pieces]
    scores = {
        "no prompt": _scored(network, music.pieces, pieces, window, prompted=False),
        "with prompt": _scored(network, music.pieces, pieces, window, prompted=True),
        "unigram": unigram_bits(_tables(music.train) if music.train else tables, tables),
    }
    bits = {name: {"all": value.bits_per_note, **value.by_field} for name, value in scores.items()}
    result = {
        "model": str(path), "data": [str(place) for place in data],
        "split": split if music.train else None, "context": window, "pieces": len(pieces),
        "events": sum(map(len, tables)), "notes": scores["no prompt"].notes,
        "left_out": dict(music.left_out),
        "unigram_counted_on": "train" if music.train else "these events",
        "bits_per_note": {**bits, "LZMA": {"all": lzma_bits_per_note(tables)}},
    }  # fmt: skip
    if json:
        print_json(result)
    else:
        _print(result)


def _scored(
    network: Network, music: Split, pieces: Sequence[int], context: int, *, prompted: bool
) -> Likelihood:
    from musenet.evaluation.likelihood import NOTHING, score, split_samples

    total = NOTHING
    with progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task("", total=len(pieces))
        for first in range(0, len(pieces), _GROUP):
            group = pieces[first : first + _GROUP]
            windows = split_samples(music, group, context, prompted=prompted)
            total = sum(score(network, windows, _BATCH_EVENTS), total)
            bar.advance(task, len(group))
    return total


def _tables(split: Split) -> Iterator[Table]:
    return (split.table(piece) for piece in range(len(split)))


def _print(result: Mapping[str, Any]) -> None:
    bits: Mapping[str, Mapping[str, float]] = result["bits_per_note"]
    fields = list(bits["no prompt"])
    rows = [
        (name, *(round(own[field], 3) if field in own else None for field in fields))
        for name, own in bits.items()
    ]
    say(
        f"bits a note on {result['pieces']:,} pieces with {result['notes']:,} notes, "
        f"{result['context']} events at once; unigrams counted on {result['unigram_counted_on']}"
    )
    print_table(("", *fields), rows)
    if result["left_out"]:
        say(f"left out as unusable: {len(result['left_out'])} files (--json names them)")
