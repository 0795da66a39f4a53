from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from music import melody, together
from toys import toy_split

from musenet.condition import SOURCES
from musenet.corpus.shards import MAX_STYLES, Split
from musenet.corpus.statistics import (
    ENSEMBLES_KEPT,
    LARGEST_ENSEMBLE,
    ensembles,
    keys,
    metres,
    style_counts,
    tempi,
    voices,
)
from musenet.events import Table, encode
from musenet.instruments import INSTRUMENTS, instrument_id
from musenet.key import NO_KEY
from musenet.quantise import TEMPI, tempo_step
from musenet.score import METRE, NOTE, TEMPO, Score, records
from musenet.styles import style_id

JAZZ, MOZART, FOLK = map(style_id, ("jazz", "mozart", "folk"))
NOTATED, ARRANGED, ARRANGED_EXPRESSIVE = 0, 4, 5


def piece(*names: str) -> Table:
    return encode(together([melody(1, 4, instrument=instrument_id(name)) for name in names]))


def split_of(
    folder: Path,
    tables: Sequence[Table],
    styles: Sequence[Sequence[int]],
    **columns: Sequence[object],
) -> Split:
    padded = np.full((len(styles), MAX_STYLES), -1)
    for row, own in enumerate(styles):
        padded[row, : len(own)] = own
    return toy_split(folder, "train", tables, styles=padded.tolist(), **columns)


def test_works_are_counted_once_real_and_arranged_apart(tmp_path: Path) -> None:
    split = split_of(
        tmp_path, [piece("piano")] * 5, [[JAZZ], [JAZZ], [JAZZ, FOLK], [JAZZ], []],
        work=[1, 1, 2, 1, 3], kind=[NOTATED, NOTATED, ARRANGED, ARRANGED_EXPRESSIVE, NOTATED],
    )  # fmt: skip
    assert style_counts(split) == {"jazz": [1, 2], "folk": [0, 1]}


def test_ensembles_stand_in_the_order_of_their_pieces(tmp_path: Path) -> None:
    tables = [piece("piano"), piece("violin", "piano"), piece("piano", "violin"), piece("drums")]
    split = split_of(tmp_path, tables, [[MOZART]] * 3 + [[JAZZ]])
    found = ensembles(split)
    assert found["mozart"] == [(["piano", "violin"], 2), (["piano"], 1)]
    assert found["jazz"] == [(["drums"], 1)]


def test_metres_are_counted_where_beats_are_known(tmp_path: Path) -> None:
    def bars(top: int) -> Table:
        tune = melody(top, 12)
        return encode(replace(tune, metres=records(METRE, [(0, top, 4)])))

    beatless = 2 * SOURCES.index("beatless")
    split = split_of(
        tmp_path, [bars(3), bars(4), bars(3), bars(2), bars(4)],
        [[JAZZ], [JAZZ, FOLK], [JAZZ], [MOZART], [MOZART]],
        kind=[NOTATED, NOTATED, ARRANGED, NOTATED, beatless],
    )  # fmt: skip
    assert metres(split) == {
        "jazz": {"3/4": 2, "4/4": 1}, "folk": {"4/4": 1}, "mozart": {"2/4": 1},
    }  # fmt: skip
    assert list(metres(split)["jazz"]) == ["3/4", "4/4"]


def test_tempi_are_counted_where_they_are_no_guess(tmp_path: Path) -> None:
    def played(bpm: float) -> Table:
        return encode(replace(melody(1, 12), tempos=records(TEMPO, [(0, bpm)])))

    split = split_of(
        tmp_path, [played(60.0), played(120.0), played(60.0), played(90.0)],
        [[JAZZ], [JAZZ, FOLK], [JAZZ], [JAZZ]], tempo_guessed=[False, False, False, True],
    )  # fmt: skip
    slow, quick = (f"{TEMPI[tempo_step(bpm)]:.1f}" for bpm in (60.0, 120.0))
    assert tempi(split) == {"jazz": {slow: 2, quick: 1}, "folk": {quick: 1}}


def test_keys_are_counted(tmp_path: Path) -> None:
    styles = [[JAZZ], [JAZZ], [JAZZ], [FOLK], []]
    split = split_of(tmp_path, [piece("piano")] * 5, styles, key=[0, 12, 0, NO_KEY, 5])
    assert keys(split) == {
        "jazz": {"C major": 2, "C minor": 1}, "folk": {"none": 1},
    }  # fmt: skip


def test_over_all_each_style_weighs_the_same(tmp_path: Path) -> None:
    tables = [piece("piano")] * 9 + [piece("drums")]
    split = split_of(tmp_path, tables, [[MOZART]] * 9 + [[JAZZ]])
    assert ensembles(split)[""] == [(["piano"], 10_000), (["drums"], 10_000)]


def test_pieces_without_style_or_with_too_many_players_are_left_out(tmp_path: Path) -> None:
    names = [instrument.name for instrument in INSTRUMENTS[: LARGEST_ENSEMBLE + 1]]
    split = split_of(tmp_path, [piece("piano"), piece(*names)], [[], [JAZZ]])
    assert ensembles(split) == {"": []}


def test_only_the_commonest_are_kept(tmp_path: Path) -> None:
    names = [instrument.name for instrument in INSTRUMENTS[: ENSEMBLES_KEPT + 4]]
    tables = [piece(name) for name in names] + [piece(names[-1])]
    found = ensembles(split_of(tmp_path, tables, [[JAZZ]] * len(tables)))["jazz"]
    assert len(found) == ENSEMBLES_KEPT
    assert found[0] == ([names[-1]], 2)


def test_voices_are_the_notes_that_nearly_never_are_exceeded(tmp_path: Path) -> None:
    def chords(size: int, count: int) -> Table:
        rows = [
            (24 * i, 24, 60 + voice, 80, instrument_id("piano"))
            for i in range(count)
            for voice in range(size)
        ]
        return encode(Score(records(NOTE, rows)))

    split = toy_split(tmp_path, "train", [chords(3, 300), chords(9, 2), piece("violin")])
    assert voices(split) == {"piano": 3}
    split = toy_split(tmp_path, "train", [chords(3, 300), chords(9, 20)])
    assert voices(split) == {"piano": 9}
