"""Composers: from the many spellings of sources to one canonical name, and its period.

Sources spell a composer in many ways ("BeethovenLv", "Beethoven, Ludwig van",
"Bach-JS", "Franz Josef Haydn (1732-1809)") and put file names or hymn credits in the
composer's place. Folding is conservative: a name counts only if the surname is known
and every forename or initial beside it fits.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from musenet.styles import STYLES, fold

_PERIODS = {
    "renaissance": "monte, palestrina, lasso, marenzio, gomolka, stabile",
    "baroque": "bach, handel, zielenski, pekiel, gorczycki, zebrowski, kaspar forster, lilius,"
    " jarzebski",
    "classical period": "mozart, beethoven, haydn, giuliani, sor, aguado, horetzky,"
    " corona schroter, elsner, dankowski, raszek, kurpinski",
    "romantic": "chopin, schubert, schumann, brahms, mendelssohn, liszt, grieg, faure, bizet,"
    " wolf, burgmuller, hensel, josephine lang, kinkel, robert franz, louise reichardt, holmes,"
    " chaminade, cornelius, faisst, liza lehmann, viardot, stanford, moniuszko, stefani,"
    " noskowski, zelenski, paderewski, walczynski, sowinski, smietanski, hertz, dobrzynski,"
    " szymanowska, wieniawski, stojowski",
    "modern": "debussy, satie, warlock, szymanowski, rozycki",
}
"""Period of the composers who have a style of their own."""

_OTHERS = {
    "renaissance": {
        "asola": "giovanni matteo asola", "certon": "pierre certon", "dowland": "john dowland",
        "victoria": "tomas luis de victoria", "tallis": "thomas tallis",
        "josquin": "josquin des prez", "byrd": "william byrd", "gesualdo": "carlo gesualdo",
        "andrea gabrieli": "andrea gabrieli", "thomas morley": "thomas morley",
    },
    "baroque": {
        "vivaldi": "antonio vivaldi", "telemann": "georg philipp telemann",
        "scarlatti": "domenico scarlatti", "alessandro scarlatti": "alessandro scarlatti",
        "purcell": "henry purcell", "francois couperin": "francois couperin",
        "rameau": "jean philippe rameau", "corelli": "arcangelo corelli",
        "boismortier": "joseph bodin de boismortier", "titelouze": "jean titelouze",
        "buxtehude": "dieterich buxtehude", "froberger": "johann jakob froberger",
        "pachelbel": "johann pachelbel", "monteverdi": "claudio monteverdi",
        "pergolesi": "giovanni battista pergolesi", "lully": "jean baptiste lully",
        "thomas arne": "thomas augustine arne", "hasse": "johann adolf hasse",
        "frescobaldi": "girolamo frescobaldi", "jacek rozycki": "jacek rozycki",
        "buchner": "philipp friedrich buchner",
    },
    "classical period": {
        "clementi": "muzio clementi", "carcassi": "matteo carcassi", "golabek": "jakub golabek",
        "scigalski": "franciszek scigalski",
        "carl philipp emanuel bach": "carl philipp emanuel bach",
        "johann christian bach": "johann christian bach", "pleyel": "ignace joseph pleyel",
        "michael haydn": "johann michael haydn", "boccherini": "luigi boccherini",
        "saint-georges": "joseph bologne saint-georges", "carulli": "ferdinando carulli",
        "paradis": "maria theresia von paradis", "arriaga": "juan crisostomo de arriaga",
        "janiewicz": "feliks janiewicz", "lessel": "franciszek lessel", "gluck": "christoph gluck",
        "zeidler": "jozef zeidler", "jan stefani": "jan stefani", "hummel": "johann hummel",
    },
    "romantic": {
        "tchaikovsky": "pyotr piotr peter ilyich tchaikovsky", "dvorak": "antonin dvorak",
        "rachmaninoff": "sergei rachmaninoff", "clara schumann": "clara schumann",
        "czerny": "carl czerny", "verdi": "giuseppe verdi", "albeniz": "isaac albeniz",
        "mussorgsky": "modest petrovich mussorgsky", "borodin": "alexander borodin",
        "rimsky-korsakov": "nikolai rimsky-korsakov", "bruckner": "anton bruckner",
        "mahler": "gustav mahler", "wagner": "richard wagner", "elgar": "edward elgar",
        "richard strauss": "richard strauss", "johann strauss": "johann jr strauss",
        "saint-saens": "camille saint-saens", "franck": "cesar franck", "parry": "hubert parry",
        "gounod": "charles gounod", "paganini": "niccolo paganini", "berlioz": "hector berlioz",
        "donizetti": "gaetano donizetti", "rossini": "gioachino rossini",
        "tarrega": "francisco tarrega", "alkan": "charles valentin alkan",
        "granados": "enrique granados", "balakirev": "mily balakirev",
        "moszkowski": "moritz moszkowski", "sinding": "christian sinding",
        "weber": "carl maria von weber", "reger": "max reger", "smetana": "bedrich smetana",
        "chausson": "ernest chausson", "jaell": "marie jaell", "amy beach": "amy beach",
        "emilie mayer": "emilie mayer", "kralik": "mathilde kralik",
        "grandval": "clemence de grandval", "munktell": "helena munktell",
        "zarebski": "juliusz zarebski", "krogulski": "jozef wladyslaw krogulski",
        "oginski": "michal kleofas oginski", "jozef wieniawski": "jozef wieniawski",
        "apolinary katski": "apolinary katski", "troschel": "wilhelm troschel",
        "jozef nowakowski": "jozef nowakowski", "sousa": "john philip sousa",
        "silcher": "friedrich silcher", "wysocki": "kasper napoleon wysocki",
        "stephen foster": "stephen collins foster", "scriabin": "alexander scriabin",
    },
    "modern": {
        "ravel": "maurice ravel", "schoenberg": "arnold schoenberg", "bartok": "bela bartok",
        "webern": "anton webern", "berg": "alban berg", "holst": "gustav theodore holst",
        "lili boulanger": "lili boulanger", "stravinsky": "igor stravinsky",
        "prokofiev": "sergei prokofiev", "shostakovich": "dmitri shostakovich",
        "ives": "charles ives", "gershwin": "george gershwin", "janacek": "leos janacek",
        "frank bridge": "frank bridge", "butterworth": "george butterworth",
        "quilter": "roger quilter", "somervell": "arthur somervell", "joplin": "scott joplin",
        "delius": "frederick delius", "gurney": "ivor gurney", "joteyko": "tadeusz joteyko",
        "karlowicz": "mieczyslaw karlowicz", "fitelberg": "grzegorz fitelberg",
    },
}  # fmt: skip
"""Composers without a style of their own: period, canonical name, full name."""

_PERIOD_OF = {name: period for period, names in _PERIODS.items() for name in names.split(", ")} | {
    name: period for period, names in _OTHERS.items() for name in names
}


def _full_names() -> Iterator[tuple[str, str]]:
    """Pairs of canonical name and full name, of all composers known."""
    for style in STYLES:
        if style.kind == "composer":
            yield from ((style.name, full) for full in style.aliases or (style.name,))
    for names in _OTHERS.values():
        yield from names.items()


def _by_surname() -> dict[str, list[tuple[str, list[str]]]]:
    table = defaultdict(list)
    for name, full in _full_names():
        *forenames, surname = fold(full.replace("-", "")).split()
        table[surname].append((name, forenames))
    return table


_COMPOSERS = _by_surname()
"""Surname without hyphens to (canonical name, forenames), one pair a full name."""

_CREDIT = re.compile(
    r"words:|music:|arranged|adapted|attributed|melody|\barr\b|\bafter\b|\bfrom\b|\bvia\b", re.I
)
_INITIALS_AT_END = re.compile(r"(?<=[^\W\d_A-Z])-?([A-Z]{1,4}[a-z]{0,2})$")


def _fits(given: list[str], forenames: list[str]) -> bool:
    """Whether each given name or initial begins a forename, in their order."""
    rest = iter(forenames)
    return all(any(forename.startswith(name) for forename in rest) for name in given)


def _match(surname: str, given: list[str]) -> str:
    """The composer of that surname whom the given names fit; bare, the one who goes by it."""
    for name, forenames in _COMPOSERS.get(surname, ()):
        if not given and " " not in name:
            return name
        initials = [letter for word in given for letter in (word if len(word) <= 3 else [word])]
        if given and (_fits(given, forenames) or _fits(initials, forenames)):
            return name
    return ""


def fold_composer(raw: str) -> str:
    """The canonical name of a composer as a source writes it, or empty.

    Credits of words, melodies and arrangements, joint credits and names that are
    not known give the empty string. Of a file name only its first word counts.
    """
    if _CREDIT.search(raw):
        return ""
    if raw.lower().endswith((".mid", ".midi")):
        return _match(fold(raw).split()[0], [])
    name = re.sub(r"\(.*?\)|\[.*?\]|\d+\W*", " ", raw).strip()
    words = fold(_INITIALS_AT_END.sub(r" \1", name).replace("-", "")).split()
    if not words:
        return ""
    return _match(words[0], words[1:]) or _match(words[-1], words[:-1])


def period_of(composer: str) -> str:
    """The style name of a canonical composer's period, or empty."""
    return _PERIOD_OF.get(composer, "")
