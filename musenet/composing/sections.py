"""A plan of the piece in time: styles, instruments, tempo, density, dynamics, key and chords."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from musenet.chords import parse_chords, parse_key
from musenet.errors import UserError
from musenet.instruments import instrument_id
from musenet.own_styles import check_style
from musenet.quantise import TEMPI

DENSITIES = {"sparse": 0.75, "light": 1.5, "medium": 3.0, "dense": 6.0, "full": 12.0}
"""Notes a beat, all instruments together."""
DYNAMICS = ("ppp", "pp", "p", "mp", "mf", "f", "ff", "fff")
MAX_WEIGHT = 1e6
_CLOCK = re.compile(r"(?:(\d+):)?(\d+(?:\.\d+)?)")
Styles = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Section:
    """What holds from a time on; what is None goes on as before.

    Attributes:
        at: seconds from the beginning of the piece.
        styles: (name, weight) pairs.
        instruments: names.
        tempo: beats a minute.
        density: notes a beat.
        dynamics: one of `DYNAMICS`.
        chords: a progression as text (`chords.parse_chords`); "" ends one.
        key: such as "Eb major" (`chords.parse_key`).
    """

    at: float = 0.0
    styles: Styles | None = None
    instruments: tuple[str, ...] | None = None
    tempo: float | None = None
    density: float | None = None
    dynamics: str | None = None
    chords: str | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        """Check names and ranges.

        Raises:
            UserError: an unknown name, or a value out of its range.
        """
        if not 0.0 <= self.at < float("inf"):
            raise UserError(f"a section begins at {self.at:g} seconds: give 0 or more")
        for name, weight in self.styles or ():
            check_style(name)
            if not 0 < weight <= MAX_WEIGHT:
                raise UserError(f"style '{name}' has weight {weight:g}: give one above 0")
        for name in self.instruments or ():
            instrument_id(name)
        if self.tempo is not None and not TEMPI[0] <= self.tempo <= TEMPI[-1]:
            raise UserError(f"--tempo {self.tempo:g} is not between 24 and 300 beats a minute")
        if self.density is not None and not 0.0 < self.density <= 100.0:
            raise UserError(f"--density {self.density:g} is not more than 0 and at most 100")
        if self.dynamics is not None and self.dynamics not in DYNAMICS:
            raise UserError(f"--dynamics {self.dynamics}: give one of {', '.join(DYNAMICS)}")
        if self.chords:
            parse_chords(self.chords)
        if self.key is not None:
            parse_key(self.key)

    def after(self, before: Section) -> Section:
        """This section with what it leaves open as in the one before."""
        return replace(before, at=self.at, **self.asked())

    def asked(self) -> dict[str, Any]:
        """What this section asks for, by the names of the attributes."""
        return {name: value for name in _HOLDING if (value := getattr(self, name)) is not None}


_HOLDING = tuple(field.name for field in fields(Section) if field.name != "at")


def style_weights(styles: Mapping[str, float] | Sequence[str] | str) -> Styles:
    """Styles given as one name, names, `name:weight` or a mapping, as pairs.

    Raises:
        UserError: a weight that is no number.
    """
    if isinstance(styles, Mapping):
        return tuple((name, _weight(name, weight)) for name, weight in styles.items())
    parts = (style.partition(":") for style in ([styles] if isinstance(styles, str) else styles))
    return tuple((name, _weight(name, weight or 1.0)) for name, _, weight in parts)


def _weight(name: str, weight: float | str) -> float:
    try:
        return float(weight)
    except (TypeError, ValueError) as error:
        raise UserError(f"style '{name}' has weight '{weight}': give one such as 0.6") from error


def notes_a_beat(density: str | float | None) -> float | None:
    """Density as a number, from one of the words of `DENSITIES` or a number.

    Raises:
        UserError: it is neither.
    """
    if density is None or isinstance(density, float | int):
        return density
    try:
        return DENSITIES[density] if density in DENSITIES else float(density)
    except ValueError as error:
        words = ", ".join(DENSITIES)
        raise UserError(f"--density {density}: give {words}, or notes a beat") from error


def parse_section(text: str) -> Section:
    """A section from its short form: `1:00 style=swing:2,blues instrument=piano density=light`.

    Time first, in minutes:seconds or seconds; then style, instrument, tempo, density, dynamics,
    key and, last, chords, of which none, `chords=`, ends a progression. A word without a name
    belongs to the one before: `instrument=acoustic bass`.

    Raises:
        UserError: something else stands there.
    """
    head, changed, chords = text.partition("chords=")
    at, *words = head.split() or [""]
    found: dict[str, str] = {}
    name = ""
    for word in words:
        if "=" not in word and name:
            found[name] += f" {word}"
            continue
        name, equals, value = word.partition("=")
        if not equals or not value or name not in _WORDS:
            raise UserError(f"--section '{text}': '{word}' is none of {', '.join(_WORDS)}=…")
        found[name] = value
    given: dict[str, Any] = {"at": at, **found} | ({"chords": chords.strip()} if changed else {})
    for several in {"style", "instrument"} & set(found):
        given[several] = [part.strip() for part in found[several].split(",")]
    return section_of(given)


_WORDS = ("style", "instrument", "tempo", "density", "dynamics", "key", "chords")


def section_of(given: Mapping[str, Any]) -> Section:
    """A section from the entries of a JSON object.

    Raises:
        UserError: an unknown entry or a value that does not fit.
    """
    unknown = sorted(set(given) - {"at", *_WORDS})
    if unknown:
        raise UserError(f"a section has no '{unknown[0]}': give at, {', '.join(_WORDS)}")
    for name in ("style", "instrument", "dynamics", "key", "chords"):
        value = given.get(name)
        several = name in ("style", "instrument") and isinstance(value, Mapping | list | tuple)
        texts = list(value or ()) if several else [] if value is None else [value]
        wrong = [text for text in texts if not isinstance(text, str)]
        if wrong:
            raise UserError(f"a section's {name} is {wrong[0]}: give text in quotes")
    styles, players, tempo = (given.get(name) for name in ("style", "instrument", "tempo"))
    try:
        return Section(
            seconds_of(given.get("at", 0.0)),
            None if styles is None else style_weights(styles),
            (players,) if isinstance(players, str) else None if players is None else tuple(players),
            None if tempo is None else float(tempo),
            notes_a_beat(given.get("density")),
            given.get("dynamics"),
            given.get("chords"),
            given.get("key"),
        )
    except (TypeError, ValueError) as error:
        raise UserError(f"a section does not fit: {error}") from error


def seconds_of(time: str | float) -> float:
    """Seconds of a time given as `1:30` or in seconds.

    Raises:
        UserError: it is no time.
    """
    match = _CLOCK.fullmatch(str(time))
    if match is None:
        raise UserError(f"a section begins at '{time}': give a time such as 1:30, or seconds")
    return 60.0 * int(match[1] or 0) + float(match[2])


def parse_plan(text: str) -> tuple[Section, ...]:
    """The sections of a plan: a JSON list of objects, or an object with such `sections`.

    Raises:
        UserError: it is no such JSON.
    """
    try:
        plan = json.loads(text)
    except ValueError as error:
        raise UserError(f"the plan is no JSON: {error}") from error
    sections = plan.get("sections") if isinstance(plan, dict) else plan
    if not isinstance(sections, list) or not all(isinstance(one, dict) for one in sections):
        raise UserError('a plan is a list of sections such as [{"at": "1:00", "style": "swing"}]')
    return tuple(section_of(one) for one in sections)


def in_order(first: Section, sections: Sequence[Section], seconds: float) -> list[Section]:
    """All sections of a piece, each with what holds in it; the first begins at 0.

    Raises:
        UserError: two begin at one time, or one begins when the piece is over.
    """
    planned = sorted(sections, key=lambda section: section.at)
    times = [section.at for section in planned]
    if len(set(times)) < len(times):
        raise UserError("two sections begin at the same time: give each a time of its own")
    if times and times[-1] >= seconds:
        raise UserError(f"a section begins at {times[-1]:g} seconds, when the piece is over")
    whole = [first]
    for section in planned:
        whole.append(section.after(whole[-1]))
    return whole[1:] if times and times[0] == 0.0 else whole
