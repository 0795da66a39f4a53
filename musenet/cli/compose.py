"""`musenet compose`."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from musenet.cli.musical import (
    Candidates,
    Density,
    Dynamics,
    Endings,
    Guidance,
    Out,
    Processes,
    Seed,
    Sound,
    Temperature,
    TopP,
)
from musenet.cli.options import Device, Json, Model, On, SoundFont, check_place
from musenet.cli.originality import copies_in
from musenet.cli.pieces import SEEDS, check_sound, composing, output_files, report, save
from musenet.composing.sampling import Sampling
from musenet.composing.sections import Section, parse_plan, parse_section
from musenet.errors import UserError


def compose(
    style: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME[:WEIGHT]", help="A style; give several to blend them, with "
                     "weights as you like: those that do not go together take turns. 'musenet "
                     "styles' lists them; a file of 'musenet finetune' is one too."),
    ] = None,
    instrument: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="An instrument; give several for an ensemble. Only "
                     "these play, and all of them. 'musenet instruments' lists them."),
    ] = None,
    minutes: Annotated[
        float, typer.Option(metavar="NUMBER", help="Length of the whole piece.")
    ] = 4.0,
    tempo: Annotated[
        float | None, typer.Option(metavar="BPM", show_default="one of the style's pieces",
                                   help="Beats a minute at the beginning.")
    ] = None,
    metre: Annotated[
        str | None, typer.Option(metavar="METRE", show_default="one of the style's pieces",
                                 help="Such as 3/4.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", show_default="one of the style's pieces",
                                 help="Such as 'Eb major' or 'F# minor'.")
    ] = None,
    chords: Annotated[
        str | None,
        typer.Option(metavar="CHORDS", help="Chords bar by bar, repeated to the end, such as "
                     "'C | Am F | G7 | C'."),
    ] = None,
    density: Density = None,
    dynamics: Dynamics = None,
    section: Annotated[
        list[str] | None,
        typer.Option(metavar="'TIME NAME=VALUE...'", help="What changes from a time on, such as "
                     "'1:00 style=swing instrument=piano,drums tempo=120 density=light "
                     "dynamics=f key=Am chords=C | F'; give several."),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(metavar="FILE.json", exists=True, dir_okay=False,
                     help="Sections as a JSON list: [{\"at\": \"1:00\", \"style\": \"swing\"}]."),
    ] = None,
    notes: Annotated[
        str, typer.Option(metavar="NOTES", help="A melody to begin with, such as "
                          "'C4 E4 G4:2 C4+E4 R': note, two beats, chord, rest.")
    ] = "",
    given: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE.mid", exists=True, dir_okay=False,
                     help="A MIDI file to continue; it is kept as it is."),
    ] = None,
    at: Annotated[
        int | None,
        typer.Option(metavar="BAR", show_default="its end",
                     help="Go on from that bar of the file, counted from 1: what begins before it "
                     "is kept, notes that sound into it end there."),
    ] = None,
    again: Annotated[
        Path | None,
        typer.Option(metavar="FILE.mid", exists=True, dir_okay=False,
                     help="Compose that piece again from what its file tells: the same bytes. "
                     "What else is asked of the music does not count."),
    ] = None,
    out: Out = Path("pieces"),
    candidates: Candidates = 1,
    processes: Processes = None,
    best: Annotated[
        bool, typer.Option("--best", help="Keep the best of the candidates alone.")
    ] = False,
    copies: Annotated[
        Path | None,
        typer.Option("--originality", metavar="CORPUS|INDEX", exists=True,
                     show_default="that of 'musenet corpus index --usual'",
                     help="Tell the longest passage that each piece shares with the training "
                     "pieces, as 'musenet originality' finds it; candidates that copy come last."),
    ] = None,
    seed: Seed = None,
    temperature: Temperature = Sampling.temperature,
    top_p: TopP = Sampling.top_p,
    guidance: Guidance = None,
    endings: Endings = Sampling.endings,
    audio: Sound = None,
    soundfont: SoundFont = None,
    model: Model = None,
    device: On = Device.AUTO,
    json: Json = False,
) -> None:  # fmt: skip
    """Compose pieces: in a style or a blend, for the instruments you name, after your notes."""
    from musenet.composing.processes import usual

    check_place(output_files(out, 1 if best else candidates, audio)[0]["midi"].parent)
    started = time.perf_counter()
    sections = _sections(section or (), plan)
    if again is not None and candidates > 1:
        raise UserError("--again is one piece: leave --candidates out")
    find_copy = copies_in(copies)
    check_sound(soundfont)
    with composing(model, device, 60.0 * minutes if again is None else None) as (composer, show):
        composer.judge = replace(composer.judge, find_copy=find_copy)
        if again is not None:
            pieces = [composer.again(again, given, progress=show)]
        else:
            pieces = composer.compose(
                styles=style or (), instruments=instrument or (), minutes=minutes, tempo=tempo,
                metre=metre, notes=notes, given=given, at=at, key=key, chords=chords,
                density=density, dynamics=dynamics, sections=sections, candidates=candidates,
                processes=processes or usual(candidates, 60.0 * minutes),
                temperature=temperature, top_p=top_p, guidance=guidance, endings=endings,
                progress=show, seed=secrets.randbelow(SEEDS) if seed is None else seed,
            )  # fmt: skip
    pieces = pieces[:1] if best else pieces
    files = save(pieces, out, audio, soundfont)
    taken = time.perf_counter() - started
    report(pieces, files, taken, compared=find_copy is not None, as_json=json)


def _sections(texts: Sequence[str], plan: Path | None) -> list[Section]:
    """The sections of the command line and of a plan."""
    try:
        planned = () if plan is None else parse_plan(plan.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {plan}: give a JSON file of sections") from error
    return [*planned, *map(parse_section, texts)]
