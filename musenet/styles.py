"""The styles: families, genres and periods, and composers, with their aliases.

A style's place in `STYLES` is its id in labels, prompts and weights, so the order
is part of the encoding: append, never reorder. The network has room for 256.

A composer stands here with 20 works and more in the open corpus; one known from local
libraries alone, with 60. What the corpus does not hold (film music, for one) has no
name here, so that nobody is promised it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from musenet.errors import unknown_name

Kind = Literal["family", "genre", "composer"]


@dataclass(frozen=True)
class Style:
    """A name that music can be asked for by.

    Attributes:
        name: the name that users give, in lower case.
        kind: a family, a genre (or period, or form), or a composer.
        aliases: other names; for a composer the full name in its spellings.
    """

    name: str
    kind: Kind
    aliases: tuple[str, ...] = ()


def _group(kind: Kind, *rows: str) -> tuple[Style, ...]:
    """One style a row: its name, then its aliases, parted by commas."""
    names = (tuple(name.strip() for name in row.split(",")) for row in rows)
    return tuple(Style(name, kind, tuple(aliases)) for name, *aliases in names)


STYLES: tuple[Style, ...] = (
    *_group(
        "family",
        "classical, classical music",
        "sacred, choral, choir, church, sacred music, early music",
        "art song, lied, lieder, song, songs",
        "folk, traditional, celtic, tunes",
        "hymns, hymn, chorale, chorales",
        "jazz",
        "blues",
        "pop",
        "rock",
        "country",
        "latin, cuban, afro-cuban",
        "reggae",
        "funk and soul, funk/soul",
        "electronic, electronica, edm, electronic/dance",
        "game, games, video game, video games, game music",
        "drums, percussion, drum kit",
    ),
    *_group(
        "genre",
        "renaissance",
        "baroque",
        "classical period, classicism, viennese classical, galant",
        "romantic, romanticism, romantique",
        "modern, 20th century, impressionism, impressionist, avant-garde",
        "keyboard, piano, piano solo, solo piano, classical piano, harpsichord",
        "chamber, chamber music, solo",
        "string quartet, string quartets, quartet",
        "orchestral, orchestra, classical orchestral",
        "guitar, classical guitar, lute",
        "organ",
        "vocal, voices and instruments, cantata",
        "opera, operas, oratorio, singspiel",
        "mass, masses, missa",
        "requiem",
        "vespers, magnificat",
        "litany, litanies",
        "motet, motets",
        "madrigal, madrigals",
        "psalm, psalms",
        "symphony, symphonies, sinfonia, symphonic",
        "concerto, concertos",
        "suite, suites, partita",
        "sonata, sonatas, sonatina",
        "fugue, fugues",
        "prelude, preludes",
        "etude, etudes, study, studies, technique",
        "variations",
        "rondo, rondos",
        "fantasia, fantasy, fantasie",
        "nocturne, nocturnes",
        "minuet, minuets, menuet",
        "waltz, waltzes",
        "mazurka, mazurkas, mazur",
        "polonaise, polonaises",
        "krakowiak",
        "polka, polkas",
        "march, marches",
        "harmony exercises, harmony textbook exercises",
        "irish, ireland",
        "scottish, scotland",
        "british, english folk, folk british",
        "american fiddle, old-time, old-time fiddle, fiddle tunes",
        "jig, jigs, slip jig",
        "reel, reels",
        "hornpipe, hornpipes, clog",
        "strathspey, strathspeys",
        "carols, carol, christmas, christmas carols",
        "parlour song, parlour songs, parlor song, part song",
        "chinese pop, c-pop, mandopop, piano pop",
        "tin pan alley, lead sheet, lead sheets, jazz standard, jazz standards",
        "ragtime, rag, rags",
        "swing",
        "big band",
        "dixieland, trad jazz, new orleans",
        "foxtrot, broadway, show tune, show tunes, musical",
        "gypsy jazz, jazz manouche",
        "jazz combo, jazz trio, jazz piano trio, jazz guitar combo",
        "fusion, jazz fusion, jazz rock, latin fusion",
        "ballad, ballads",
        "boogie, boogie-woogie",
        "country blues",
        "slow blues",
        "shuffle, twist, blues shuffle",
        "folk rock",
        "metal, hard rock, heavy metal",
        "western swing",
        "bluegrass",
        "cajun, zydeco",
        "gospel, spiritual",
        "bossa nova, bossa",
        "samba",
        "tango",
        "salsa",
        "mambo",
        "calypso",
        "cha cha, cha-cha-cha",
        "rumba, rhumba, bolero, beguine",
        "ska",
        "funk",
        "soul, r&b, rnb",
        "dance, disco, disco/dance, techno, trance, house",
        "hip hop, hiphop, trip hop, rap",
    ),
    *_group(
        "composer",
        "bach, johann sebastian bach",
        "mozart, wolfgang amadeus mozart",
        "beethoven, ludwig van beethoven",
        "chopin, frederic francois chopin, fryderyk franciszek chopin",
        "schubert, franz peter schubert",
        "schumann, robert schumann",
        "brahms, johannes brahms",
        "haydn, franz joseph haydn, franz josef haydn",
        "handel, george frideric handel, georg friedrich handel, georg friedrich haendel,"
        " george frederick handel",
        "mendelssohn, felix mendelssohn, felix mendelssohn-bartholdy",
        "debussy, claude achille debussy",
        "liszt, franz liszt, ferenc liszt",
        "grieg, edvard hagerup grieg",
        "faure, gabriel faure",
        "satie, erik satie",
        "bizet, georges bizet",
        "wolf, hugo wolf",
        "burgmuller, johann friedrich franz burgmuller, friedrich burgmueller",
        "giuliani, mauro giuliani",
        "sor, fernando sor",
        "aguado, dionisio aguado",
        "horetzky, felix horetzky",
        "monte, philippe de monte",
        "palestrina, giovanni pierluigi da palestrina",
        "lasso, orlando di lasso, orlande de lassus, orlandus lassus",
        "marenzio, luca marenzio",
        "hensel, fanny hensel, fanny mendelssohn",
        "josephine lang",
        "kinkel, johanna kinkel",
        "robert franz",
        "louise reichardt",
        "holmes, augusta mary anne holmes",
        "chaminade, cecile chaminade",
        "cornelius, peter cornelius",
        "faisst, clara mathilda faisst",
        "liza lehmann",
        "corona schroter",
        "warlock, peter warlock",
        "viardot, pauline viardot",
        "stanford, charles villiers stanford",
        "moniuszko, stanislaw moniuszko",
        "stefani, jozef stefani",
        "noskowski, zygmunt noskowski",
        "zelenski, wladyslaw zelenski",
        "paderewski, ignacy jan paderewski",
        "elsner, jozef elsner",
        "gomolka, mikolaj gomolka",
        "zielenski, mikolaj zielenski",
        "pekiel, bartlomiej pekiel",
        "gorczycki, grzegorz gerwazy gorczycki",
        "zebrowski, marcin jozef zebrowski",
        "dankowski, adalbert dankowski",
        "raszek, waclaw raszek",
        "volckmer, augustin volckmer",
        "walczynski, franciszek walczynski",
        "sowinski, wojciech sowinski",
        "luna, georgius luna",
        "smietanski, emil wladyslaw smietanski",
        "hertz, michal hertz",
        "stabile, annibale stabile",
        "dobrzynski, ignacy feliks dobrzynski",
        "kaspar forster",
        "szymanowska, maria szymanowska",
        "kurpinski, karol kazimierz kurpinski",
        "wieniawski, henryk wieniawski",
        "lilius, franciszek lilius",
        "stojowski, zygmunt stojowski",
        "szymanowski, karol szymanowski",
        "jarzebski, adam jarzebski",
        "rozycki, ludomir rozycki",
    ),
)

_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "&": " and "}
)
"""Signs that Unicode does not take apart into a letter and an accent."""


def fold(text: str) -> str:
    """Text in lower case without accents, every run of other signs one space."""
    lower = text.lower().translate(_LETTERS)
    plain = "".join(
        sign for sign in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(sign)
    )
    return " ".join(re.sub(r"[^\w\s]|_", " ", re.sub(r"['.\u2019]", "", plain)).split())


_IDS: dict[str, int] = {fold(style.name): index for index, style in enumerate(STYLES)}
_NAMES: dict[str, int] = {
    fold(alias): index for index, style in enumerate(STYLES) for alias in style.aliases
} | _IDS


def find_style(name: str) -> int | None:
    """The id of a style by name or alias, as `style_id`, or None."""
    plain = fold(name)
    return _NAMES.get(plain, _NAMES.get(plain.removesuffix(" music")))


def style_id(name: str) -> int:
    """The id of a style by name or alias; case, accents and hyphens do not matter.

    Raises:
        UserError: no such style; the message gives the nearest names.
    """
    found = find_style(name)
    if found is None:
        raise unknown_name("style", name, _NAMES)
    return found
