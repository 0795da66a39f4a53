"""`musenet finetune`."""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn

from musenet import __version__
from musenet.cli.options import Device, Json, Model, On, check_place, positive, torch_device
from musenet.cli.output import print_json, progress, say
from musenet.cli.train import stopping
from musenet.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from musenet.model import Model as Network
    from musenet.training.finetune import Report


def finetune(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", exists=True,
                             help="MIDI files of one style: a folder, a zip archive, or one file.")
    ],
    out: Annotated[
        str, typer.Option("--out", "-o", metavar="NAME|FILE.safetensors",
                          help="Name of the style; or a file of its own, for 'compose --style "
                          "FILE.safetensors'.")
    ],
    minutes: Annotated[
        float, typer.Option(metavar="NUMBER", callback=positive, help="Longest time to learn for.")
    ] = 5.0,
    steps: Annotated[
        int | None, typer.Option(metavar="NUMBER", min=1, show_default="what the minutes allow",
                                 help="Steps to learn for, whatever the time: with the same seed "
                                 "the same style again.")
    ] = None,
    like: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME[:WEIGHT]", show_default="no style",
                     help="A known style that the music is like, to begin with and to compare "
                     "with; give several to blend them."),
    ] = None,
    rank: Annotated[
        int, typer.Option(metavar="NUMBER", min=1, max=64,
                          help="Of the change of each matrix: how much can be learnt.")
    ] = 8,
    learning_rate: Annotated[
        float, typer.Option(metavar="NUMBER", callback=positive, help="At its peak.")
    ] = 0.005,
    seed: Annotated[
        int, typer.Option(metavar="NUMBER", min=0, max=2**63 - 1,
                          help="Of what is held out and drawn.")
    ] = 0,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a style of that name.")
    ] = False,
    model: Model = None,
    device: On = Device.AUTO,
    json: Json = False,
) -> None:  # fmt: skip
    """Learn a style of your own from your MIDI files, on top of the bundled model.

    A fifth of the pieces is held out, and what is gained on them is told; where nothing is
    gained, nothing is written. Ctrl-C ends it with the best so far. 'musenet compose --style NAME'
    then composes in the style, also blended with others.
    """
    from dataclasses import replace as replaced

    from musenet.adapters import Adapter, save_adapter
    from musenet.checkpoint import fingerprint, load_model
    from musenet.cli.music import music_of
    from musenet.composing.composer import bundled_model
    from musenet.own_styles import file_for
    from musenet.training.finetune import Tuner, Tuning, compared, described
    from musenet.training.holdout import parted

    name, file = file_for(out, replace=replace)
    check_place(file.parent)
    weights = model or bundled_model()
    network, known = load_model(weights, device=torch_device(device))
    start = _embedding(network, like or ())
    music = music_of([folder], "train")
    train, held = parted(music.pieces, seed)
    tuning = Tuning(minutes=minutes, steps=steps, seed=seed, rank=rank,
                    learning_rate=learning_rate)  # fmt: skip
    context = int(known.get("config", {}).get("context", network.config.context // 2))
    tuner = Tuner(network, train, held, tuning, context=context, like=start)
    started = time.monotonic()
    with stopping() as stop, _shown() as show:
        learnt = tuner.fit(show, stop.wanted)
    adapter = Adapter(name, fingerprint(weights), learnt.embedding, learnt.factors, {})
    gain = compared(network, adapter.halved(), start, held, context)
    facts = {
        **described(train), **gain, "like": list(like or ()), "steps": learnt.step,
        "minutes": round((time.monotonic() - started) / 60, 2), "version": __version__,
    }  # fmt: skip
    if gain["bits_after"] >= gain["bits_before"]:
        raise UserError(
            f"nothing is gained on the held-out pieces: {gain['bits_before']:.3f} bits a note "
            f"before, {gain['bits_after']:.3f} after; no style is written, add pieces or --minutes"
        )
    save_adapter(file, replaced(adapter, facts=facts))
    told = {"style": name, "file": str(file), **facts, "left_out": dict(music.left_out)}
    print_json(told) if json else _report(told)


def _embedding(network: Network, like: Sequence[str]) -> Tensor | None:
    """The embedding of a blend of known styles, shape (D,); None for no style."""
    from musenet.composing.prompt import style_ids
    from musenet.composing.sections import Section, style_weights

    if not like:
        return None
    rows = network.style.weight.detach()
    asked = Section(styles=style_weights(like))
    parts = [share * rows[style] for style, share in style_ids(asked.styles or ())]
    return sum(parts[1:], parts[0])


@contextmanager
def _shown() -> Iterator[Report]:
    """Shows how far it is, and the bits of the last look."""
    columns = (TextColumn("learning"), BarColumn(), TextColumn("{task.fields[line]}"),
               TimeElapsedColumn())  # fmt: skip
    with progress(*columns) as bar:
        task = bar.add_task("learning", total=1.0, line="")

        def show(facts: Mapping[str, float]) -> None:
            bar.update(task, completed=facts["progress"])
            if "bits" in facts:
                line = f"{facts['bits']:.3f} bits a note on held-out pieces"
                bar.update(task, line=f"{line}, best {facts['best']:.3f}")

        yield show


def _report(told: Mapping[str, Any]) -> None:
    left_out = Counter(told["left_out"].values())
    if left_out:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in left_out.most_common())
        say(f"{left_out.total()} files could not be used: {reasons}")
    say(f"learnt from {told['pieces']:,} pieces, {told['notes']:,} notes, in "
        f"{told['minutes']:.1f} minutes and {told['steps']:,} steps")  # fmt: skip
    before, after = told["bits_before"], told["bits_after"]
    say(f"on {told['held_pieces']:,} held-out pieces, {told['held_notes']:,} notes: "
        f"{before:.3f} bits a note before, {after:.3f} after: "
        f"{before - after:.3f} gained ({1 - after / before:.1%})")  # fmt: skip
    say(f"{told['file']} is made; compose with it: musenet compose --style {_asked(told)}")


def _asked(told: Mapping[str, Any]) -> str:
    from musenet.own_styles import find_own

    name = str(told["style"])
    by_name = find_own(name) == Path(told["file"])
    return shlex.quote(name if by_name else str(told["file"]))
