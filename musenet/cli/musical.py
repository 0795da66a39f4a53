"""Options of what is composed."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Audio(StrEnum):
    """Sound files that are offered."""

    MP3 = "mp3"
    OGG = "ogg"
    FLAC = "flac"
    WAV = "wav"
    NONE = "none"


Out = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="FOLDER|FILE.mid",
                 help="A folder for MIDI, picture and audio of each piece, where pieces are "
                 "numbered on; or a name ending in .mid for the MIDI of one piece."),
]  # fmt: skip
Candidates = Annotated[
    int, typer.Option(metavar="NUMBER", min=1, help="How many pieces to compose.")
]
Processes = Annotated[
    int | None,
    typer.Option(metavar="NUMBER", min=1, show_default="one a core, as far as it pays",
                 help="How many processes share the candidates; they are the same for any "
                 "number."),
]  # fmt: skip
Seed = Annotated[
    int | None,
    typer.Option(metavar="NUMBER", min=0, show_default="a new one each time",
                 help="The same seed gives the same piece."),
]  # fmt: skip
Temperature = Annotated[
    float, typer.Option(metavar="NUMBER", help="Below 1 plainer, above 1 wilder; at 1 about as "
                        "surprising as human music.")
]  # fmt: skip
TopP = Annotated[
    float, typer.Option(metavar="NUMBER", help="Share of the likeliest values to choose among.")
]
Guidance = Annotated[
    float | None,
    typer.Option(metavar="NUMBER",
                 show_default="1; 2 for styles that do not go together and changes of style or key",
                 help="How strongly style and key are followed: 1 plain, 1.5 to 3 more strongly, "
                 "which takes up to twice the time."),
]  # fmt: skip
Endings = Annotated[
    int,
    typer.Option(metavar="NUMBER", help="How many ways to end each piece are tried, of which the "
                 "one that the model is surest of is kept; 1 is fastest."),
]  # fmt: skip
Sound = Annotated[
    Audio | None,
    typer.Option("--audio", metavar="mp3|ogg|flac|wav|none", show_default="mp3",
                 help="Sound files in the folder."),
]  # fmt: skip
Density = Annotated[
    str | None,
    typer.Option(metavar="sparse|light|medium|dense|full|NUMBER",
                 help="How many notes in all, or how many a beat."),
]  # fmt: skip
Dynamics = Annotated[str | None, typer.Option(metavar="ppp|pp|p|mp|mf|f|ff|fff", help="How loud.")]
