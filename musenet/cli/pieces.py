"""What `musenet compose` and `musenet arrange` share: progress, files and reports of pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

from musenet.cli.musical import Audio
from musenet.cli.options import Device, make_folder, torch_device
from musenet.cli.output import clock, print_json, print_table, progress, say
from musenet.errors import UserError

if TYPE_CHECKING:
    from musenet.composing.composer import Composer
    from musenet.composing.finishing import Composition

_MIDI_SUFFIXES = (".mid", ".midi")
_OTHER_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".png", ".svg", ".pdf")
SEEDS = 1_000_000
"""Seeds that are drawn where none is given: short enough to be typed again."""


@contextmanager
def composing(
    model: Path | None, device: Device, seconds: float | None
) -> Iterator[tuple[Composer, Callable[[float], None]]]:
    """A composer, and what to tell the seconds of music so far, which a bar shows.

    Args:
        model: as for `composer.load`.
        device: where to compose.
        seconds: of music that are to come, None if that is not known.
    """
    from musenet.composing.composer import load

    composer = load(model, device=torch_device(device))
    columns = (
        TextColumn("composing"), BarColumn(), TextColumn("{task.fields[clock]} of music"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with progress(*columns) as bar:
        task = bar.add_task("composing", total=seconds, clock=clock(0))

        def show(done: float) -> None:
            bar.update(task, completed=done, clock=clock(done))

        yield composer, show


def check_sound(soundfont: Path | None) -> None:
    """Check before the work that a SoundFont that is given can be used.

    Raises:
        UserError: it cannot.
    """
    if soundfont is not None:
        from musenet.rendering.audio import read_soundfont

        read_soundfont(soundfont)


def output_files(out: Path, candidates: int, audio: Audio | None) -> list[dict[str, Path]]:
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


def save(
    pieces: Sequence[Composition], out: Path, audio: Audio | None, soundfont: Path | None
) -> list[dict[str, Path]]:
    """Write the files of pieces, all MIDI first; which files those are, piece by piece."""
    files = [_saved(piece, out, audio) for piece in pieces]
    for piece, own in zip(pieces, files, strict=True):
        if "picture" in own:
            from musenet.rendering.pianoroll import piano_roll

            piano_roll(piece.score, own["picture"], title=_title(piece.facts))
        if "audio" in own:
            from musenet.rendering.audio import save_audio

            save_audio(piece.midi, own["audio"], soundfont=soundfont)
    return files


def _saved(piece: Composition, out: Path, audio: Audio | None) -> dict[str, Path]:
    """Write the MIDI of a piece, in a folder under a number that no other command takes."""
    while True:
        files = output_files(out, 1, audio)[0]
        path = files["midi"]
        make_folder(path.parent)
        if "picture" not in files:
            piece.save(path)
            return files
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            continue
        except OSError as error:
            raise UserError(f"cannot write {path}: {error.strerror}") from error
        try:
            piece.save(path)
        except BaseException:
            path.unlink()
            raise
        return files


def _title(facts: Mapping[str, Any]) -> str:
    styles = ", ".join(name for name, _ in facts["prompt"]["styles"])
    return f"{styles or 'musenet'}, seed {facts['seed']}"


def report(
    pieces: Sequence[Composition], files: Sequence[Mapping[str, Path]], taken: float, *,
    compared: bool, as_json: bool,
) -> None:  # fmt: skip
    """Say what was made in `taken` seconds, as a table or as JSON.

    `compared` tells whether the pieces were compared with the training pieces.
    """
    if as_json:
        made = [
            {**piece.facts, "files": {kind: str(path) for kind, path in own.items()}}
            for piece, own in zip(pieces, files, strict=True)
        ]
        print_json({"pieces": made, "seconds_taken": round(taken, 2)})
        return
    rows = [_row(piece.facts, own) for piece, own in zip(pieces, files, strict=True)]
    columns = ["files", "length", "notes", "instruments (share of the notes)", "by", "verdict"]
    if compared:
        columns.append("shared with training pieces")
        rows = [(*row, _shared(piece.facts)) for row, piece in zip(rows, pieces, strict=True)]
    print_table(columns, rows)
    music = sum(piece.facts["seconds"] for piece in pieces)
    seed = pieces[0].facts["seed"]
    say(f"{clock(music)} of music in {clock(taken)} minutes, with --seed {seed}")
    if not compared:
        say("not compared with the training pieces: 'musenet corpus index CORPUS --usual', once, "
            "and each piece is", stderr=True)  # fmt: skip


def _shared(facts: Mapping[str, Any]) -> str:
    """The longest passage that stands in a training piece too."""
    copy = facts["copy"]
    if copy is None:
        return "no passage that counts"
    return f"{copy['notes']} notes, more than {copy['longer_than']:.0%} of human pieces"


def _row(facts: Mapping[str, Any], files: Mapping[str, Path]) -> tuple[object, ...]:
    names = "\n".join(map(str, files.values()))
    shares = sorted(facts["instruments"].items(), key=lambda item: -item[1])
    playing = ", ".join(f"{name} {share:.0%}" for name, share in shares)
    new = facts.get("new_notes")
    made = f"the {facts['ended_by']}" if new is None else f"{new:,} new notes"
    verdict = facts.get("reason")
    return names, clock(facts["seconds"]), facts["notes"], playing, made, verdict
