"""What requests and answers look like."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from musenet.composing.sampling import Sampling
from musenet.midi import MAX_TICK
from musenet.own_styles import SUFFIX

As = Literal["revision", "child"]
_LONGEST_NAME = 200
Name = Field("", max_length=_LONGEST_NAME)
_MOST_NAMES = 64
_MOST_SECTIONS = 32
_DEEPEST = 32
"""Levels of what a page keeps in `view`; the JSON of answers goes some 250 deep."""


def _no_files(styles: dict[str, float]) -> dict[str, float]:
    """Styles go by name here: no request opens a file by its path."""
    if any(name.endswith(SUFFIX) for name in styles):
        raise ValueError("give styles by name")
    return styles


Styles = Annotated[dict[str, float], AfterValidator(_no_files)]
"""Names with weights."""


def _tellable(view: dict[str, Any]) -> dict[str, Any]:
    """What can be told again: an answer is JSON in UTF-8, and not nested without end."""
    if _is_deeper(view, _DEEPEST):
        raise ValueError(f"nest it at most {_DEEPEST} deep")
    try:
        json.dumps(view, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        raise ValueError("keep in it what JSON in UTF-8 can tell") from error
    return view


def _is_deeper(value: object, most: int) -> bool:
    """Whether objects and lists stand in one another more than so many deep."""
    if not isinstance(value, dict | list):
        return False
    within = value.values() if isinstance(value, dict) else value
    return most == 0 or any(_is_deeper(one, most - 1) for one in within)


class Body(BaseModel):
    """A body that is sent, in which nothing unknown may stand."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Note(BaseModel):
    """A note; times in ticks and in seconds."""

    model_config = ConfigDict(extra="forbid")
    instrument: str
    pitch: int = Field(ge=0, le=127)
    velocity: int = Field(ge=1, le=127)
    onset: int = Field(ge=0, le=MAX_TICK)
    duration: int = Field(ge=1, le=MAX_TICK)
    start: float | None = Field(None, description="seconds; ignored where it is sent")
    stop: float | None = Field(None, description="seconds; ignored where it is sent")


class Tempo(Body):
    """A tempo from a tick on, in quarter notes a minute."""

    tick: int = Field(ge=0, le=MAX_TICK)
    bpm: float = Field(ge=5, le=1000)
    start: float | None = None


class Metre(Body):
    """A metre from a tick on."""

    tick: int = Field(ge=0, le=MAX_TICK)
    numerator: int = Field(ge=1, le=64)
    denominator: Literal[1, 2, 4, 8, 16, 32, 64]


class ScoreBody(Body):
    """Notes of a piece."""

    ticks_per_beat: int = Field(ge=1, le=32767)
    notes: list[Note]
    tempos: list[Tempo] | None = None
    metres: list[Metre] | None = None


class Edit(ScoreBody):
    """Other notes for a node."""

    revision: int = Field(description="the revision that was edited")
    as_: As = Field("revision", alias="as")


class Trim(Body):
    """Bars to keep, both included."""

    from_bar: int = Field(1, ge=1)
    to_bar: int | None = Field(None, ge=1)
    as_: As = Field("revision", alias="as")


class Transpose(Body):
    """Notes to move."""

    semitones: int = Field(ge=-127, le=127)
    from_tick: int = Field(0, ge=0)
    to_tick: int | None = Field(None, ge=0)
    instruments: list[str] = Field([], max_length=_MOST_NAMES)
    as_: As = Field("revision", alias="as")


class Text(Body):
    """A melody as text."""

    notes: str = Field(max_length=20_000)
    instrument: str = "piano"
    tempo: float = Field(120.0, ge=24, le=300)
    metre: str = "4/4"


class NewNode(Body):
    """A node from exactly one of `opening`, `text`, `score`, `copy`."""

    label: str = Name
    parent: str | None = None
    opening: str | None = None
    text: Text | None = None
    score: ScoreBody | None = None
    copy_: str | None = Field(None, alias="copy")


class NodeChange(Body):
    """What may change of a node itself."""

    label: str = Field(max_length=_LONGEST_NAME)


class NewProject(Body):
    """A project, or a copy of one."""

    name: str | None = Field(None, max_length=_LONGEST_NAME)


class ProjectChange(Body):
    """What may change of a project."""

    name: str | None = Field(None, max_length=_LONGEST_NAME)
    view: Annotated[dict[str, Any], AfterValidator(_tellable)] | None = None


class Choice(Body):
    """How candidates are drawn, and what becomes of them."""

    candidates: int = Field(4, ge=1)
    seed: int | None = Field(None, ge=0, le=2**53 - 1)
    temperature: float = Field(Sampling.temperature, ge=0.05, le=5)
    top_p: float = Field(Sampling.top_p, gt=0, le=1)
    guidance: float | None = Field(None, ge=0, le=5)
    density: str | float | None = None
    dynamics: str | None = None
    label: str = Name
    detach: bool = True


class NewSection(Body):
    """What holds from a time on; what is left out goes on as before."""

    at: float | Annotated[str, Field(max_length=20)] = Field(
        description='seconds, or such as "1:30"'
    )
    styles: Styles | None = Field(None, max_length=_MOST_NAMES)
    instruments: list[str] | None = Field(None, max_length=_MOST_NAMES)
    tempo: float | None = None
    density: str | float | None = None
    dynamics: str | None = None
    chords: str | None = Field(None, max_length=20_000)
    key: str | None = None


class NewComposition(Choice):
    """What is to be composed."""

    project: str | None = None
    parent: str | None = None
    keep_bars: int | None = Field(None, ge=1)
    opening: str | None = None
    styles: Styles = Field({}, max_length=_MOST_NAMES)
    instruments: list[str] = Field([], max_length=_MOST_NAMES)
    minutes: float = Field(2.0, ge=0.1)
    tempo: float | None = None
    metre: str | None = None
    notes: str = Field("", max_length=20_000)
    key: str | None = None
    chords: str | None = Field(None, max_length=20_000)
    sections: list[NewSection] = Field([], max_length=_MOST_SECTIONS)


class NewArrangement(Choice):
    """What is to be composed into a node."""

    instruments: list[str] = Field([], max_length=_MOST_NAMES)
    bars: tuple[int, int] | None = None
    keep: bool = False
    styles: Styles = Field({}, max_length=_MOST_NAMES)


class Project(BaseModel):
    """A tree of nodes."""

    id: str
    name: str
    created: float
    changed: float
    deleted: float | None
    nodes: int
    view: dict[str, Any]


class Node(BaseModel):
    """A piece in a project."""

    id: str
    project: str
    parent: str | None
    kind: Literal["candidate", "upload", "opening", "edit"]
    label: str
    created: float
    changed: float
    deleted: float | None
    revision: int
    can_undo: bool
    can_redo: bool
    edited: Literal["notes", "trim", "transpose"] | None
    seconds: float
    notes: int
    bars: int
    instruments: dict[str, float]
    kept_bars: int | None
    composition: str | None
    candidate: int | None
    rank: int | None
    recipe: dict[str, Any] | None
    facts: dict[str, Any] | None
    verdict: dict[str, Any] | None


class Tree(Project):
    """A project with its nodes."""

    tree: list[Node]


class Projects(BaseModel):
    """Projects, the latest change first."""

    projects: list[Project]


class Nodes(BaseModel):
    """Some nodes."""

    tree: list[Node]


class Composition(BaseModel):
    """The state of a composition."""

    id: str
    project: str
    parent: str | None
    state: Literal["queued", "running", "finished", "cancelled", "failed", "interrupted"]
    position: int | None
    wait_seconds: float | None
    created: float
    started: float | None
    finished: float | None
    seconds: float
    of: float
    seed: int
    candidates: int
    nodes: list[str]
    error: str | None


class Compositions(BaseModel):
    """Some compositions."""

    compositions: list[Composition]


class Sample(BaseModel):
    """A request of the service of 2019; what else stands in it is ignored."""

    genre: str = ""
    instrument: dict[str, bool] = {}
    encoding: str | list[int] = ""
    temperature: float = Field(1.0, ge=0.05, le=5)
    truncation: float = 27
    generationLength: int = Field(200, ge=1, le=1000)
    audioFormat: str = ""


class Encoded(BaseModel):
    """Ids of the service of 2019 to be made audio of."""

    encoding: str | list[int]
    audioFormat: str = "mp3"


class GivenMidi(BaseModel):
    """A MIDI file in base64 to be made ids of."""

    midi: str
    audioFormat: str = ""
