"""Notes a second from scores to event tables and back, beside MidiTok on the same files.

    pip install miditok
    python benchmarks/encoding.py FOLDER_OR_ZIP... [--files 300]

MidiTok's `REMI` is run as it comes and with programs, tempos and time signatures, which is
what an event table holds. Both sides start from a score in memory. "from files" starts from
the bytes of MIDI files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from common import midi_files, parse, parser, run, scores_of, tell, times

from musenet.errors import UserError
from musenet.events import decode, encode, is_note
from musenet.midi import load
from musenet.quantise import quantise

if TYPE_CHECKING:
    from miditok import MusicTokenizer, TokSequence

OURS = "musenet"


def main() -> None:
    """Measure and print."""
    arguments = parse(parser(__doc__, music=True))
    files = [data for data in midi_files(arguments.music, arguments.files, arguments.seed)
             if _both_read(data)]  # fmt: skip
    scores = scores_of(files)
    tables = [encode(score) for score in scores]
    if any(decode(table) != quantise(score) for table, score in zip(tables, scores, strict=True)):
        raise SystemExit("decode(encode(score)) differs from quantise(score)")
    notes = sum(len(score.notes) for score in scores)
    steps = {OURS: sum(map(len, tables))}
    works: dict[str, Callable[[], object]] = {
        f"encode, {OURS}": lambda: [encode(score) for score in scores],
        f"decode, {OURS}": lambda: [decode(table) for table in tables],
        f"encode from files, {OURS}": lambda: [encode(load(data)) for data in files],
    }
    for name, tokenizer in _tokenizers().items():
        own, steps[name] = _works(name, tokenizer, files)
        works |= own
    taken = times(works, arguments)
    rows = []
    for work, timing in taken.items():
        kind, name = work.split(", ", 1)
        ratio = timing.best / taken[f"{kind}, {OURS}"].best
        rate, median = notes / timing.best, notes / timing.median
        rows.append((kind, name, rate, median, ratio, steps[name] / notes))
    columns = ("what", "by", "notes a second", "median", "times as long", "steps a note")
    kept = sum(int(is_note(table).sum()) for table in tables)
    facts = {"files": len(files), "notes": notes, "notes on the grid": kept}
    tell(arguments, columns, rows, facts)


def _tokenizers() -> dict[str, MusicTokenizer]:
    """MidiTok's REMI, plain and with what an event table holds; empty where it is absent."""
    try:
        from miditok import REMI, TokenizerConfig
    except ImportError:
        return {}
    whole = TokenizerConfig(
        use_programs=True, use_tempos=True, use_time_signatures=True,
        one_token_stream_for_programs=True,
    )  # fmt: skip
    return {"MidiTok REMI": REMI(), "MidiTok REMI with programs, tempos, metres": REMI(whole)}


def _both_read(data: bytes) -> bool:
    """Whether both sides can read a file: symusic refuses some that are damaged."""
    from symusic import Score

    try:
        Score.from_midi(data)
        return len(load(data).notes) > 0
    except (RuntimeError, ValueError, UserError):
        return False


def _works(
    name: str, tokenizer: MusicTokenizer, files: Sequence[bytes]
) -> tuple[dict[str, Callable[[], object]], int]:
    """What MidiTok is timed at, and how many tokens it makes."""
    from symusic import Score

    scores = [Score.from_midi(data) for data in files]
    tokens = [tokenizer.encode(score) for score in scores]
    works: dict[str, Callable[[], object]] = {
        f"encode, {name}": lambda: [tokenizer.encode(score) for score in scores],
        f"decode, {name}": lambda: [tokenizer.decode(own) for own in tokens],
        f"encode from files, {name}": lambda: [
            tokenizer.encode(Score.from_midi(data)) for data in files
        ],
    }
    return works, sum(_length(own) for own in tokens)


def _length(tokens: TokSequence | list[TokSequence]) -> int:
    """Tokens of one sequence, or of a list of one for each track."""
    return sum(map(len, tokens)) if isinstance(tokens, list) else len(tokens)


if __name__ == "__main__":
    run(main)
