"""`musenet arrange`."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from musenet.cli.musical import (
    Candidates,
    Density,
    Dynamics,
    Guidance,
    Out,
    Seed,
    Sound,
    Temperature,
    TopP,
)
from musenet.cli.options import Device, Json, Model, On, SoundFont, check_place
from musenet.cli.originality import copies_in
from musenet.cli.pieces import SEEDS, check_sound, composing, output_files, report, save
from musenet.composing.sampling import Sampling
from musenet.errors import UserError

_BARS = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")


def arrange(
    given: Annotated[
        Path, typer.Argument(metavar="FILE.mid", exists=True, dir_okay=False,
                             help="The given piece.")
    ],
    instrument: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", show_default="all that play in it",
                     help="An instrument to compose for; give several. One that plays in the "
                     "piece is replaced, another is added."),
    ] = None,
    bars: Annotated[
        str | None,
        typer.Option(metavar="FIRST-LAST", show_default="all",
                     help="Bars to compose, counted from 1, such as 9-16."),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep what these instruments play there, and add to it.")
    ] = False,
    style: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME[:WEIGHT]", help="A style; give several to blend them."),
    ] = None,
    density: Density = None,
    dynamics: Dynamics = None,
    out: Out = Path("pieces"),
    candidates: Candidates = 1,
    seed: Seed = None,
    temperature: Temperature = Sampling.temperature,
    top_p: TopP = Sampling.top_p,
    guidance: Guidance = None,
    audio: Sound = None,
    soundfont: SoundFont = None,
    model: Model = None,
    device: On = Device.AUTO,
    json: Json = False,
) -> None:  # fmt: skip
    """Compose into a given piece: add parts, replace one, fill in bars. The rest stays as it is.

    A melody gets its accompaniment with --instrument, a gap its music with --bars.
    """
    check_place(output_files(out, candidates, audio)[0]["midi"].parent)
    span = None if bars is None else _span(bars)
    started = time.perf_counter()
    find_copy = copies_in(None)
    check_sound(soundfont)
    with composing(model, device, None) as (composer, show):
        composer.judge = replace(composer.judge, find_copy=find_copy)
        pieces = composer.arrange(
            given, instruments=instrument or (), bars=span, keep=keep, styles=style or (),
            density=density, dynamics=dynamics, candidates=candidates, temperature=temperature,
            top_p=top_p, guidance=guidance, progress=show,
            seed=secrets.randbelow(SEEDS) if seed is None else seed,
        )  # fmt: skip
    files = save(pieces, out, audio, soundfont)
    taken = time.perf_counter() - started
    report(pieces, files, taken, compared=find_copy is not None, as_json=json)


def _span(bars: str) -> tuple[int, int]:
    """First and last bar.

    Raises:
        UserError: it is no span of bars.
    """
    match = _BARS.fullmatch(bars.strip())
    if match is None:
        raise UserError(f"--bars {bars}: give the first and the last bar, such as 9-16")
    return int(match[1]), int(match[2] or match[1])
