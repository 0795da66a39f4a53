"""`musenet render`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from musenet.cli.options import SoundFont, check_place
from musenet.cli.output import say

_PICTURES = (".png", ".svg", ".pdf")


def render(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.mid", exists=True, dir_okay=False, help="A MIDI file.")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="What to make, by the end of its name: "
                     ".png, .svg or .pdf for a piano roll, .wav, .flac, .ogg or .mp3 for audio."),
    ],
    soundfont: SoundFont = None,
) -> None:  # fmt: skip
    """Make a picture or audio of a MIDI file."""
    from musenet.midi import load

    check_place(out.parent)
    score = load(file)
    if out.suffix.lower() in _PICTURES:
        from musenet.rendering.pianoroll import piano_roll

        piano_roll(score, out, title=file.stem)
    else:
        from musenet.rendering.audio import save_audio

        save_audio(file.read_bytes(), out, soundfont=soundfont)
    say(f"{out} is made")
