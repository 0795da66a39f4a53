"""`musenet ids`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from musenet.cli.options import check_place
from musenet.cli.output import say
from musenet.errors import UserError


def ids(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False,
                       help="A MIDI file; with --decode a text file of ids."),
    ],
    decode: Annotated[
        bool, typer.Option("--decode", help="Make MIDI of ids instead of ids of MIDI.")
    ] = False,
    framed: Annotated[
        bool, typer.Option("--framed", help="Put the set of instruments, start and end around "
                           "the ids.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", show_default="ids go to stdout",
                     help="Where the result goes."),
    ] = None,
) -> None:  # fmt: skip
    """Music to and from the ids of OpenAI's MuseNet web service of 2019."""
    if out:
        check_place(out.parent)
    if not decode:
        _write_ids(file, out, framed=framed)
        return
    if out is None:
        raise UserError("--decode makes a MIDI file: name it with --out FILE.mid")
    _write_midi(file, out)


def _write_ids(file: Path, out: Path | None, *, framed: bool) -> None:
    from musenet.files import write_atomically
    from musenet.midi import load
    from musenet.openai_encoding import encode

    text = " ".join(map(str, encode(load(file), framed=framed)))
    if out:
        write_atomically(out, f"{text}\n".encode())
    else:
        say(text)


def _write_midi(file: Path, out: Path) -> None:
    from musenet.midi import save
    from musenet.openai_encoding import decode, parse

    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is no text of ids: give numbers separated by spaces") from error
    score = decode(parse(text))
    save(score, out, title=out.stem)
    say(f"{out} is made: {len(score.notes):,} notes, {score.seconds:.0f} seconds")
