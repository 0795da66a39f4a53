from __future__ import annotations

import pytest

from musenet.corpus.sources import Entry, Provenance
from musenet.corpus.titles import Title, work_keys


def title(path: str, composer: str = "", *, archive: str = "a.zip", flag: str = "",
          credit: str = "") -> Title:  # fmt: skip
    return Title(Entry(archive, path, "0"), Provenance(composer=credit, flag=flag), composer)


def tied(*titles: Title) -> bool:
    """Whether the first title shares a key with every other one."""
    first, *others = work_keys(titles)
    return all(first & keys for keys in others)


@pytest.mark.parametrize(
    ("one", "other", "composer"),
    [
        ("ftp/BeethovenLv/O18/q1.mid", "scores/Quartet_No.1,_Op.18_No.1.mid", "beethoven"),
        ("midis/bach/bwv0903.mid", "x/BWV-903 fantasia.mid", "bach"),
        ("scores/String_Quartet_K.387.mid", "ftp/MozartWA/KV387/k387.mid", "mozart"),
        ("scores/Hob.III32,_Op.20_No.2/sq.mid", "ftp/HaydnFJ/O20/q.mid", "haydn"),
        ("midis/D_537_mov_1.mid", "midis/D537_mov_2.mid", "schubert"),
    ],
)
def test_catalogue_numbers_tie(one: str, other: str, composer: str) -> None:
    assert tied(title(one, composer), title(other, composer))
    assert not tied(title(one, composer), title(other, "clementi"))


def test_other_numbers_do_not_tie() -> None:
    assert not tied(title("a/Op.18.mid", "beethoven"), title("b/Op.181.mid", "beethoven"))
    assert not tied(title("a/No.18.mid", "beethoven"), title("b/O18.mid", "beethoven"))


def test_an_arrangement_ties_to_its_tune() -> None:
    plain = title("MIDI/reelsa-c53.mid")
    groove_last = title("march/reelsa_c53--casio_March.mid", flag="arranged")
    credit = "Irving Berlin-Ada Lee"
    tune_last = title("rock/Irving_Berlin-Ada_Lee--Reelsa_c53.mid", flag="arranged", credit=credit)
    assert tied(plain, groove_last, tune_last)
    assert not tied(groove_last, title("march/jigs7--casio_March.mid", flag="arranged"))
    assert not tied(plain, title("folk/reelsa-c53.mid"))


def test_long_titles_tie_and_common_ones_do_not() -> None:
    assert tied(title("ly/Guide me, O Thou great Jehovah.mid"),
                title("Guide_Me_O_Thou_Great_Jehovah.mid", archive="b.zip"))  # fmt: skip
    assert not tied(title("x/Sonata in C major.mid"), title("y/Sonata in C major.mid"))


def test_movements_of_a_manuscript_tie() -> None:
    stem = "kern/pl-cz--iii-50--001-{}_brykner-jerzy--vesperae-{}.mid"
    assert tied(title(stem.format("017", "magnificat")), title(stem.format("002", "dixit")))
    other = "kern/pl-cz--iii-50--002-001_brykner-jerzy--missa.mid"
    assert not tied(title(stem.format("017", "magnificat")), title(other))
    assert not tied(title("kern/pl-kk--kk-i-111_anonim--a.mid"),
                    title("kern/pl-kk--kk-i-112_anonim--b.mid"))  # fmt: skip


def test_a_deep_folder_with_few_files_is_a_work() -> None:
    deep = [title(f"scores/Someone/Songs/{i}/song.mid") for i in range(3)]
    assert tied(*deep)
    assert not tied(title("midis/Albeniz/a.mid"), title("midis/Albeniz/b.mid"))
    crowd = [title(f"scores/Someone/Songs/{i}.mid") for i in range(30)]
    assert not tied(*crowd)
