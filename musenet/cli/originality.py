"""`musenet originality` and `musenet corpus index`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from musenet.cli.options import Json, check_place, make_folder
from musenet.cli.output import clock, print_facts, print_json, say, steps
from musenet.errors import UserError

if TYPE_CHECKING:
    from musenet.composing.ranking import FindCopy
    from musenet.evaluation.originality import Index, Originality, Passage, Span
    from musenet.score import Score

_PERCENTILES = (10, 50, 90, 95, 99)


def originality(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE.mid...", exists=True, dir_okay=False, help="MIDI files."),
    ],
    data: Annotated[
        Path, typer.Option("--data", metavar="CORPUS|INDEX", exists=True,
                           help="The corpus the model learnt from, or an index made of it. The "
                           "index of a corpus is built and kept there at the first use.")
    ],
    json: Json = False,
) -> None:  # fmt: skip
    """The longest passage that pieces share with the training pieces, in any key and tempo."""
    from musenet.evaluation.originality_index import index_of
    from musenet.midi import load

    scores = [load(file) for file in files]
    with steps() as tell:
        index = index_of(data, tell)
    found = [(str(file), index.check(score)) for file, score in zip(files, scores, strict=True)]
    if json:
        print_json({"data": str(data), "pieces": [_row(*pair) for pair in found]})
        return
    for name, result in found:
        _print(name, result)


def index(
    corpus: Annotated[
        Path, typer.Argument(metavar="CORPUS", exists=True, file_okay=False, help="A corpus.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", show_default="in the corpus",
                     help="Where the index goes."),
    ] = None,
    usual: Annotated[
        bool,
        typer.Option("--usual", help="Put it where 'musenet compose' and 'musenet arrange' look "
                     "for one, so that they tell of each piece what it shares with the corpus."),
    ] = False,
    json: Json = False,
) -> None:  # fmt: skip
    """Index the training pieces of a corpus for 'musenet originality'."""
    from musenet.evaluation.originality_index import FILE, build_index, save_index, usual_index

    if usual and out is not None:
        raise UserError("--usual has a place of its own: leave --out out")
    path = usual_index() if usual else out or corpus / FILE
    check_place(path.parent)
    with steps() as tell:
        made = build_index(corpus, tell)
    make_folder(path.parent)
    save_index(made, path)
    facts = {"index": str(path), "bytes": path.stat().st_size, **_facts(made)}
    if json:
        print_json(facts)
    else:
        print_facts(facts)


def copies_in(place: Path | None) -> FindCopy | None:
    """Looks the longest passage of a score up in an index, or in that of a corpus.

    Without a place in the usual index; None where there is none.
    """
    from musenet.composing.ranking import Copy
    from musenet.evaluation.originality_index import index_of, usual_index

    if place is None:
        place = usual_index()
        if not place.is_file():
            return None
    with steps() as tell:
        known = index_of(place, tell)

    def find(score: Score) -> Copy | None:
        found = known.check(score)
        if found.passage is None:
            return None
        return Copy(found.passage.notes, found.passage.piece, found.longer_than)

    return find


def _facts(made: Index) -> dict[str, Any]:
    import numpy as np

    from musenet.evaluation.originality import note_count

    longest = made.human[:, 1]
    return {
        "pieces": len(made.names),
        "notes_of_lines": note_count(made.lines),
        "human_pieces": len(longest),
        "human_percentiles": {
            str(percent): float(np.percentile(longest, percent)) if len(longest) else None
            for percent in _PERCENTILES
        },
    }


def _row(name: str, result: Originality) -> dict[str, Any]:
    from musenet.instruments import INSTRUMENTS

    row = {"file": name, **asdict(result)}
    if result.passage:
        row["passage"]["instrument"] = INSTRUMENTS[result.passage.instrument].name
    return row


def _print(name: str, result: Originality) -> None:
    from musenet.instruments import INSTRUMENTS

    passage = result.passage
    if passage is None:
        say(f"{name}: no passage that counts stands in the training pieces")
        return
    others = f" and {_number(passage.pieces - 1, 'other piece')}" if passage.pieces > 1 else ""
    say(f"{name}: {_length(passage)}, {INSTRUMENTS[passage.instrument].name}, "
        f"{_where(passage.here)}; stands {_moved(passage.semitones)} in {passage.piece}, "
        f"{_where(passage.there)}{others}; {_compared(result)}")  # fmt: skip


def _length(passage: Passage) -> str:
    own = f" ({passage.varied} that do not repeat)" if passage.varied < passage.notes else ""
    return f"{passage.notes} notes{own} in {passage.beats:.3g} beats"


def _where(span: Span) -> str:
    bars = f"bar {span.bar}" if span.bar == span.last_bar else f"bars {span.bar}-{span.last_bar}"
    return f"{bars} ({clock(span.second)})"


def _moved(semitones: int) -> str:
    if not semitones:
        return "at the same pitch"
    return f"{_number(abs(semitones), 'semitone')} {'lower' if semitones > 0 else 'higher'}"


def _number(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _compared(result: Originality) -> str:
    if not result.human_pieces:
        return "there are no held-out human pieces to compare with"
    return f"longer than in {result.longer_than:.0%} of {result.human_pieces} human pieces"
