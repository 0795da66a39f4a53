"""`musenet compose`."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

from musenet.cli.options import (
    Device,
    Json,
    Model,
    On,
    SoundFont,
    check_place,
    make_folder,
    torch_device,
)
from musenet.cli.output import clock, print_json, print_table, progress, say
from musenet.composing.sampling import Sampling
from musenet.errors import UserError

if TYPE_CHECKING:
    from musenet.composing.composer import Composition

_MIDI_SUFFIXES = (".mid", ".midi")
_OTHER_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".png", ".svg", ".pdf")
_SEEDS = 1_000_000
"""Seeds that are drawn where none is given: short enough to be typed again."""


class Audio(StrEnum):
    """Sound files that are offered."""

    MP3 = "mp3"
    OGG = "ogg"
    FLAC = "flac"
    WAV = "wav"
    NONE = "none"


def compose(
    style: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME[:WEIGHT]", help="A style; give several to blend them, with "
                     "weights as you like. 'musenet styles' lists them."),
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
        float | None, typer.Option(metavar="BPM", help="Beats a minute at the beginning.")
    ] = None,
    metre: Annotated[str | None, typer.Option(metavar="METRE", help="Such as 3/4.")] = None,
    notes: Annotated[
        str, typer.Option(metavar="NOTES", help="A melody to begin with, such as "
                          "'C4 E4 G4:2 C4+E4 R': note, two beats, chord, rest.")
    ] = "",
    given: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE.mid", exists=True, dir_okay=False,
                     help="A MIDI file to continue; it is kept as it is."),
    ] = None,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FOLDER|FILE.mid",
                     help="A folder for MIDI, picture and audio of each piece, where pieces are "
                     "numbered on; or a name ending in .mid for the MIDI of one piece."),
    ] = Path("pieces"),
    candidates: Annotated[
        int, typer.Option(metavar="NUMBER", min=1, help="How many pieces to compose.")
    ] = 1,
    seed: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", min=0, show_default="a new one each time",
                     help="The same seed gives the same piece."),
    ] = None,
    temperature: Annotated[
        float, typer.Option(metavar="NUMBER", help="Below 1 plainer, above 1 wilder.")
    ] = Sampling.temperature,
    top_p: Annotated[
        float, typer.Option(metavar="NUMBER",
                            help="Share of the likeliest values to choose among.")
    ] = Sampling.top_p,
    audio: Annotated[
        Audio | None,
        typer.Option(metavar="mp3|ogg|flac|wav|none", show_default="mp3",
                     help="Sound files in the folder."),
    ] = None,
    soundfont: SoundFont = None,
    model: Model = None,
    device: On = Device.AUTO,
    json: Json = False,
) -> None:  # fmt: skip
    """Compose pieces: in a style or a blend, for the instruments you name, after your notes."""
    files = _files(out, candidates, audio)
    check_place(files[0]["midi"].parent)
    started = time.perf_counter()
    pieces = _composed(
        model, device,
        {"styles": style or (), "instruments": instrument or (), "minutes": minutes,
         "tempo": tempo, "metre": metre, "notes": notes, "given": given,
         "candidates": candidates, "temperature": temperature, "top_p": top_p,
         "seed": secrets.randbelow(_SEEDS) if seed is None else seed},
    )  # fmt: skip
    make_folder(files[0]["midi"].parent)
    for piece, own in zip(pieces, files, strict=True):
        _save(piece, own, soundfont)
    _report(pieces, files, time.perf_counter() - started, as_json=json)


def _files(out: Path, candidates: int, audio: Audio | None) -> list[dict[str, Path]]:
    """The files of each candidate, by what they are; in a folder they are numbered on."""
    suffix = out.suffix.lower()
    if suffix in _OTHER_SUFFIXES:
        raise UserError(f"--out {out}: give a folder, which gets MIDI, picture and audio, "
                        "or a name ending in .mid")  # fmt: skip
    if suffix in _MIDI_SUFFIXES and not out.is_dir():
        if candidates > 1 or audio not in (None, Audio.NONE):
            wish = f"{candidates} candidates" if candidates > 1 else "audio"
            raise UserError(f"--out {out} is one MIDI file: give a folder for {wish}")
        return [{"midi": out}]
    first = 1 + max(map(_number, out.glob("piece-*")), default=0)
    return [_of_piece(out / f"piece-{first + i}", audio or Audio.MP3) for i in range(candidates)]


def _number(path: Path) -> int:
    number = path.stem.removeprefix("piece-")
    return int(number) if number.isdecimal() else 0


def _of_piece(stem: Path, audio: Audio) -> dict[str, Path]:
    files = {"midi": stem.with_suffix(".mid"), "picture": stem.with_suffix(".png")}
    return files if audio is Audio.NONE else files | {"audio": stem.with_suffix(f".{audio}")}


def _composed(model: Path | None, device: Device, wishes: Mapping[str, Any]) -> list[Composition]:
    """The pieces; a bar shows the seconds of music so far."""
    from musenet.composing.composer import load

    composer = load(model, device=torch_device(device))
    columns = (
        TextColumn("composing"), BarColumn(), TextColumn("{task.fields[clock]} of music"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with progress(*columns) as bar:
        task = bar.add_task("composing", total=60 * wishes["minutes"], clock=clock(0))

        def show(seconds: float) -> None:
            bar.update(task, completed=seconds, clock=clock(seconds))

        return composer.compose(progress=show, **wishes)


def _save(piece: Composition, files: Mapping[str, Path], soundfont: Path | None) -> None:
    piece.save(files["midi"])
    if "picture" in files:
        from musenet.rendering.pianoroll import piano_roll

        piano_roll(piece.score, files["picture"], title=_title(piece.facts))
    if "audio" in files:
        from musenet.rendering.audio import save_audio

        save_audio(piece.midi, files["audio"], soundfont=soundfont)


def _title(facts: Mapping[str, Any]) -> str:
    styles = ", ".join(name for name, _ in facts["prompt"]["styles"])
    return f"{styles or 'musenet'}, seed {facts['seed']}"


def _report(
    pieces: Sequence[Composition], files: Sequence[Mapping[str, Path]], taken: float, *,
    as_json: bool,
) -> None:  # fmt: skip
    if as_json:
        made = [
            {**piece.facts, "files": {kind: str(path) for kind, path in own.items()}}
            for piece, own in zip(pieces, files, strict=True)
        ]
        print_json({"pieces": made, "seconds_taken": round(taken, 2)})
        return
    rows = [_row(piece.facts, own) for piece, own in zip(pieces, files, strict=True)]
    print_table(("files", "length", "notes", "instruments (share of the notes)", "ended by"), rows)
    music = sum(piece.facts["seconds"] for piece in pieces)
    seed = pieces[0].facts["seed"]
    say(f"{clock(music)} of music in {clock(taken)} minutes, with --seed {seed}")


def _row(facts: Mapping[str, Any], files: Mapping[str, Path]) -> tuple[object, ...]:
    names = "\n".join(map(str, files.values()))
    shares = sorted(facts["instruments"].items(), key=lambda item: -item[1])
    playing = ", ".join(f"{name} {share:.0%}" for name, share in shares)
    return names, clock(facts["seconds"]), facts["notes"], playing, f"the {facts['ended_by']}"
