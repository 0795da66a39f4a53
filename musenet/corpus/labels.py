"""Labels of a piece: from what sources write about it to style ids and a composer.

Sources name the tune's composer on an arrangement and on a hymn, and the author of a
textbook on its exercises; none of these wrote the notes, so such pieces carry family
and genre alone, and so do pieces whose composer has no style of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from musenet.corpus.composers import fold_composer, period_of
from musenet.styles import find_style, fold


@dataclass(frozen=True)
class Labels:
    """What a piece is labelled with.

    Attributes:
        styles: up to four style ids: family, then period, genre and composer.
        composer: canonical folded name, also of a composer who has no style of
            their own; empty if unknown or if the notes are not the composer's.
    """

    styles: tuple[int, ...]
    composer: str = ""


_Patterns = tuple[tuple[str, str], ...]

_FAMILIES = {
    "choral/vocal sacred & early": "sacred", "organ": "classical", "march": "folk",
    "pop (piano arrangement)": "pop", "pop/rock misc": "pop", "jazz/pop lead sheets": "jazz",
    "ragtime/jazz": "jazz", "ragtime": "jazz", "reggae/ska": "reggae", "bluegrass": "country",
    "gospel": "hymns",
}  # fmt: skip
"""Family of a genre whose name does not say it."""

_SCORINGS = {
    "classical keyboard": "keyboard", "classical chamber/solo": "chamber",
    "classical orchestral": "orchestral", "classical guitar/lute": "guitar", "organ": "organ",
    "classical vocal/choral+instr": "vocal",
}  # fmt: skip
"""Genre of a classical piece whose form is not known."""

_PERIODS = {
    "renaissance": "renaissance", "baroque": "baroque", "classical": "classical period",
    "classique": "classical period", "romantic": "romantic", "romantique": "romantic",
    "romanticism": "romantic", "modern": "modern", "avant-garde": "modern",
}  # fmt: skip
"""Period by the style column, for composers who are not in the table."""

_FORMS: _Patterns = (
    ("harmony exercises", r"textbook exercises"),
    ("mazurka", r"mazur(?!kiewicz)\w*|mazourkas?"),
    ("polonaise", r"polon(?:ai|e[sz])\w*"),
    ("krakowiak", r"krakowiak\w*|cracovienne\w*"),
    ("waltz", r"walce?|walca|waltz(?:es)?|walzer|valses?"),
    ("polka", r"polk[ai]?s?"),
    ("march", r"marsz[ea]?|marsch|march|marches?|marcia"),
    ("minuet", r"m[ei]nn?u[eo]\w*"),
    ("nocturne", r"no[ck]turn\w*"),
    ("etude", r"etud\w*|etiud\w*|technique"),
    ("fugue", r"fug(?:ue|a|hetta)s?"),
    ("variations", r"varia(?:tion|zion|cj|cy)\w*|wariac\w*"),
    ("rondo", r"rond(?:o|eau|eaux)s?"),
    ("fantasia", r"fanta[sz]\w*|fantais\w*"),
    ("requiem", r"requiem"),
    ("vespers", r"vespera?\w*|nieszpor\w*|magnificat"),
    ("litany", r"litan\w*"),
    ("mass", r"missa\w*|msza|mszy|messe|mass|kyrie|credo|sanctus|agnus"),
    ("motet", r"motet\w*"),
    ("madrigal", r"madrigal\w*"),
    ("psalm", r"psalm\w*|psalter\w*"),
    ("carols", r"kol[ae]d\w*|christmas|pastoral[ek]a"),
    ("opera", r"oper[aey]?|oratori\w*"),
    ("string quartet", r"string quartets?|kwartet smyczkowy"),
    ("symphony", r"symphon\w*|symfoni\w*|sinfoni\w*"),
    ("concerto", r"concert[oi]s?|kon[cz]ert"),
    ("suite", r"suit[ae]s?|partitas?|parti?thia"),
    ("prelude", r"prelud\w*"),
    ("sonata", r"sonat(?:a|e|as|es|ina|ine|en)"),
)
_REGIONS: _Patterns = (
    ("irish", r"melody irish"),
    ("scottish", r"melody scottish"),
    ("british", r"folk british"),
    ("american fiddle", r"folk fiddle|folk old time"),
    ("parlour song", r"parlour folk"),
)
_DANCES: _Patterns = (
    ("jig", r"jigs?|slip|slipjig"),
    ("reel", r"reels?\w?"),
    ("hornpipe", r"hornpipes?|hpps|clog"),
    ("strathspey", r"strathspeys?"),
    ("waltz", r"waltz(?:es)?"),
    ("polka", r"polkas?"),
    ("march", r"march(?:es)?"),
)
_GROOVES: _Patterns = (
    ("hip hop", r"hiphop"),
    ("jazz", r"jazz"),
    ("funk", r"funk"),
    ("soul", r"soul"),
    ("dance", r"dance"),
    ("latin", r"latin|afrocuban"),
    ("reggae", r"reggae"),
    ("country", r"country"),
    ("gospel", r"gospel"),
    ("blues", r"blues"),
    ("pop", r"pop"),
    ("rock", r"rock|punk"),
)
_PATTERNS: dict[str, tuple[_Patterns, ...]] = {
    "classical": (_FORMS,),
    "sacred": (_FORMS,),
    "folk": (_REGIONS, _DANCES),
    "drums": (_GROOVES,),
    "jazz": ((("tin pan alley", r"tin pan alley"), ("ragtime", r"ragtime")),),
    "pop": ((("chinese pop", r"chinese"),),),
    "hymns": ((("carols", r"carols"),),),
    "game": ((("rock", r"game rock"),),),
}
"""For each family, tables of genre and pattern; the first that is found in a table counts."""

_TUNES_ONLY = {"folk", "hymns"}
"""Families where the composer named wrote the tune and others the setting."""

_NOT_THE_COMPOSERS = re.compile(r"textbook|lead sheet")
"""Words of a style that say so of single pieces."""


def _ids(*names: str) -> tuple[int, ...]:
    """Ids of those names that are styles, each once, in order."""
    found = (find_style(name) for name in names)
    return tuple(dict.fromkeys(index for index in found if index is not None))


def _words(text: str) -> str:
    """Folded words with CamelCase parted and digits left out."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return fold(re.sub(r"\d+", " ", parted))


def _family(genre: str) -> str:
    return "classical" if genre.startswith("classical ") else _FAMILIES.get(genre, genre)


def _groove(style: str) -> str:
    """The genre of an arrangement's groove: the longest tail of its name that is a style."""
    words = fold(style.removeprefix("arranged:").split("(")[0]).split()
    tails = (" ".join(words[start:]) for start in range(len(words)))
    return next((tail for tail in tails if find_style(tail) is not None), "")


def _first(patterns: _Patterns, text: str) -> str:
    found = (name for name, pattern in patterns if re.search(rf"\b(?:{pattern})\b", text))
    return next(found, "")


def _genres(family: str, genre: str, style: str, path: str) -> tuple[str, ...]:
    text = _words(f"{genre} {style} {path}")
    found = tuple(name for table in _PATTERNS.get(family, ()) if (name := _first(table, text)))
    return found or (_SCORINGS.get(genre, style),)


def label(composer: str, style: str, genre: str, flag: str, path: str = "") -> Labels:
    """The labels of a piece from the columns of a manifest as its sources write them.

    Args:
        composer: the composer, in any spelling.
        style: a period, groove, form or other words on the style.
        genre: the family, or family and scoring ("classical keyboard").
        flag: "arranged" if the notes are an arranger's; then no composer is given.
        path: the file's path, where forms and dances are often named.
    """
    family = _family(genre)
    if flag == "arranged":
        return Labels(_ids(family, _groove(style)))
    own = family not in _TUNES_ONLY and not _NOT_THE_COMPOSERS.search(style)
    name = fold_composer(composer) if own else ""
    period = period_of(name) or _PERIODS.get(style.lower(), "")
    genres = _genres(family, genre, style, path)
    return Labels(_ids(family, period, *genres, name)[:4], name)


def label_from_path(path: str) -> Labels:
    """The labels of a file without a manifest: its innermost folder that names a style.

    A composer's folder also gives the family and the period.
    """
    for folder in reversed(PurePosixPath(path).parts[:-1]):
        if name := fold_composer(folder):
            return Labels(_ids("classical", period_of(name), name), name)
        if found := _ids(folder):
            return Labels(found)
    return Labels(())
