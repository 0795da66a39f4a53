"""`musenet evaluate likelihood`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn

from musenet.cli.music import Music, music_of
from musenet.cli.options import Device, Json, Model, On, torch_device
from musenet.cli.output import print_json, print_table, progress, say
from musenet.errors import UserError

if TYPE_CHECKING:
    from musenet.corpus.shards import Split
    from musenet.evaluation.likelihood import Likelihood, Scores
    from musenet.events import Table
    from musenet.model import Model as Network
    from musenet.presets import ModelConfig

_GROUP = 16
"""Pieces whose windows are in memory at once."""
_LONGEST = 2048
_CPU_BATCH, _GPU_BATCH = 2048, 65_536
_UNLABELLED = "(no style)"


class By(StrEnum):
    """What pieces are told apart by."""

    STYLE = "style"
    SOURCE = "source"


@dataclass(frozen=True)
class _Windows:
    """Events a window, of which `overlap` were scored before."""

    context: int
    overlap: int


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
    by: Annotated[
        By | None,
        typer.Option(metavar="style|source", show_default="all together",
                     help="Print a table by style, or by archive or folder; --json has both."),
    ] = None,
    max_events: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", min=1, show_default="all",
                     help="Score a fixed random choice of pieces with about so many events."),
    ] = None,
    context: Annotated[
        int | None,
        typer.Option(metavar="EVENTS", min=16,
                     show_default="2048, or as the model was trained where that is less",
                     help="Events that the model sees at once."),
    ] = None,
    overlap: Annotated[
        int | None,
        typer.Option(metavar="EVENTS", min=0,
                     show_default="1024, or half of a --context below 1536",
                     help="Events before each scored one, where its piece has them."),
    ] = None,
    batch_events: Annotated[
        int | None,
        typer.Option(metavar="EVENTS", min=1, show_default="2048, on a GPU 65536",
                     help="Events that are scored together; changes speed and memory, "
                     "not the result."),
    ] = None,
    bf16: Annotated[
        bool,
        typer.Option("--bf16", help="Score in bf16: twice as fast where the hardware has it; the "
                     "result is off by some 0.02 % and depends on the batch."),
    ] = False,
    device: On = Device.AUTO,
    json: Json = False,
) -> None:  # fmt: skip
    """Bits a note of a model on music, beside LZMA and unigrams on the same events."""
    import torch

    from musenet.checkpoint import load_model
    from musenet.composing.composer import bundled_model

    path = model or bundled_model()
    dtype = torch.bfloat16 if bf16 else torch.float32
    network, facts = load_model(path, dtype=dtype, device=torch_device(device))
    trained = facts.get("config", {}).get("context")
    windows = _windows(network.config, trained, context, overlap)
    music = music_of(data, split)
    pieces = music.some(max_events)
    batch = batch_events or (_GPU_BATCH if network.device.type == "cuda" else _CPU_BATCH)
    scores = _scores(network, music, pieces, windows, batch)
    result = {
        "model": str(path), "data": [str(place) for place in data],
        "split": split if music.train else None, "context": windows.context,
        "overlap": windows.overlap, "precision": "bf16" if bf16 else "fp32",
        "events": int(music.pieces.pieces["events"][pieces].sum()),
        "left_out": dict(music.left_out),
        "unigram_counted_on": "train" if music.train else "these events",
        **scores.summary(range(len(pieces))),
        **_by_group(music, pieces, scores),
    }  # fmt: skip
    if json:
        print_json(result)
    else:
        _print(result, by)


def _windows(
    config: ModelConfig, trained: int | None, context: int | None, overlap: int | None
) -> _Windows:
    """The windows asked for, or the longest that the model was made for and trained on.

    Raises:
        UserError: the model cannot take them, or they leave no events to score.
    """
    from musenet.evaluation.likelihood import default_overlap
    from musenet.training.settings import longest_window

    most = longest_window(config)
    window = context or min(_LONGEST, most, trained or most)
    if config.positions == "learned" and window > most:
        raise UserError(f"the model takes windows of {most} events at most: give --context {most}")
    before = default_overlap(window) if overlap is None else overlap
    if before > window - 3:
        raise UserError(
            f"windows of {window} events cannot overlap by {before}: "
            f"give --overlap {window // 2} or a larger --context"
        )
    return _Windows(window, before)


def _scores(
    network: Network, music: Music, pieces: Sequence[int], windows: _Windows, batch_events: int
) -> Scores:
    from musenet.evaluation.likelihood import Scores, lzma_bits, unigram_bits

    tables = [music.pieces.table(piece) for piece in pieces]
    by_model = {
        "no prompt": _scored(network, music, pieces, windows, batch_events, prompted=False),
        "with prompt": _scored(network, music, pieces, windows, batch_events, prompted=True),
        "unigram": unigram_bits(_tables(music.train) if music.train else tables, tables),
    }
    seconds = music.pieces.pieces["seconds"][pieces].astype(float).tolist()
    return Scores(by_model, [lzma_bits(table) for table in tables], seconds)


def _scored(
    network: Network,
    music: Music,
    pieces: Sequence[int],
    windows: _Windows,
    batch_events: int,
    *,
    prompted: bool,
) -> list[Likelihood]:
    from musenet.evaluation.likelihood import score, split_samples

    results: list[Likelihood] = []
    with progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task("", total=len(pieces))
        for first in range(0, len(pieces), _GROUP):
            group = pieces[first : first + _GROUP]
            samples = split_samples(
                music.pieces, group, windows.context, prompted=prompted, overlap=windows.overlap
            )
            results += score(network, samples, batch_events)
            bar.advance(task, len(group))
    return results


def _by_group(music: Music, pieces: Sequence[int], scores: Scores) -> dict[str, dict[str, Any]]:
    """Summaries by style and by source; a piece counts in each of its styles."""
    from musenet.evaluation.likelihood import grouped
    from musenet.styles import STYLES

    styles = [
        [STYLES[style].name for style in own if style >= 0] or [_UNLABELLED]
        for own in music.pieces.pieces["styles"][pieces].tolist()
    ]
    labels = {By.STYLE: styles, By.SOURCE: [[music.sources[piece]] for piece in pieces]}
    return {
        f"by_{kind}": {name: scores.summary(members) for name, members in grouped(own).items()}
        for kind, own in labels.items()
    }


def _tables(split: Split) -> Iterator[Table]:
    return (split.table(piece) for piece in range(len(split)))


def _print(result: Mapping[str, Any], by: By | None) -> None:
    bits: Mapping[str, Mapping[str, float]] = result["bits_per_note"]
    fields = list(bits["no prompt"])
    rows = [
        (name, *(round(own[field], 3) if field in own else None for field in fields),
         round(result["bits_per_second"][name], 2))
        for name, own in bits.items()
    ]  # fmt: skip
    say(
        f"bits a note on {result['pieces']:,} pieces with {result['notes']:,} notes, "
        f"{result['context']:,} events at once, at least {result['overlap']:,} before each where "
        f"its piece has them; unigrams counted on {result['unigram_counted_on']}"
    )
    print_table(("", *fields, "bits a second"), rows)
    if by:
        _print_groups(by, result[f"by_{by}"])
    if result["left_out"]:
        say(f"left out as unusable: {len(result['left_out'])} files (--json names them)")


def _print_groups(by: By, groups: Mapping[str, Mapping[str, Any]]) -> None:
    """Bits a note of each group, and bits a second of the model alone."""
    scorers = ("no prompt", "with prompt", "unigram", "LZMA")
    rows = [
        (name, own["pieces"], own["notes"],
         *(round(own["bits_per_note"][scorer]["all"], 3) for scorer in scorers),
         round(own["bits_per_second"]["no prompt"], 2))
        for name, own in groups.items()
    ]  # fmt: skip
    print_table((by.value, "pieces", "notes", *scorers, "bits a second"), rows)
