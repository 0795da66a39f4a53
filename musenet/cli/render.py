"""`musenet render`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from musenet.cli.options import SoundFont, check_place
from musenet.cli.output import say

if TYPE_CHECKING:
    from musenet.rendering.notation.notate import Notation
    from musenet.score import Score

_PICTURES = (".png", ".svg", ".pdf")
_NOTATION = (".musicxml", ".xml", ".mxl")


def render(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.mid", exists=True, dir_okay=False, help="A MIDI file.")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="What to make, by the end of its name: "
                     ".png, .svg or .pdf for a piano roll, .wav, .flac, .ogg or .mp3 for audio, "
                     ".musicxml or .mxl for a notation program."),
    ],
    score: Annotated[
        bool,
        typer.Option("--score", help="Make a score in staves: .svg and .pdf are printed pages "
                     "(by Verovio, of the extra 'notation'), not a piano roll."),
    ] = False,
    soundfont: SoundFont = None,
) -> None:  # fmt: skip
    """Make a picture, a score or audio of a MIDI file."""
    from musenet.midi import load

    check_place(out.parent)
    music = load(file)
    suffix = out.suffix.lower()
    if score or suffix in _NOTATION:
        _write_score(music, out, file.stem)
        return
    if suffix in _PICTURES:
        from musenet.rendering.pianoroll import piano_roll

        piano_roll(music, out, title=file.stem)
    else:
        from musenet.rendering.audio import save_audio

        save_audio(file.read_bytes(), out, soundfont=soundfont)
    say(f"{out} is made")


def _write_score(music: Score, out: Path, title: str) -> None:
    from musenet.rendering.notation.notate import notate
    from musenet.rendering.notation.saving import check_name, save_notation

    check_name(out)
    notation = notate(music)
    files = save_notation(notation, out, title=title)
    last = f" to {files[-1].name}" if len(files) > 1 else ""
    say(f"{files[0]}{last} {'are' if last else 'is'} made")
    for line in _remarks(notation):
        say(line, stderr=True)


def _remarks(notation: Notation) -> list[str]:
    """What the page does not say as the file does, and why."""
    remarks = []
    if notation.is_performed:
        remarks.append(
            "warning: the notes follow no beat, as in a free performance; bars and rhythm of the "
            "score are a guess"
        )
    changes = (
        (notation.moved, "onsets rounded to 32nds or triplet 16ths"),
        (notation.merged, "notes written as one with another of the same pitch beside them"),
        (notation.cut, "notes shortened since no voice was free"),
    )
    if told := [f"{count:,} {what}" for count, what in changes if count]:
        remarks.append(f"of {notation.notes:,} notes: {', '.join(told)}")
    return remarks
