"""Compositions of the API: from a request to a job, and from its pieces to nodes."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from musenet import midi
from musenet.composing.composer import Composer, source_of
from musenet.composing.drawing import choose_instruments
from musenet.composing.finishing import Composition
from musenet.composing.prompt import Prompt, opening_of
from musenet.composing.sections import Section, notes_a_beat, seconds_of, style_weights
from musenet.errors import UserError
from musenet.score import Score
from musenet.studio import pieces
from musenet.studio.jobs import Compose, Job, Watch, Worker
from musenet.studio.joining import Joining, stay_of
from musenet.studio.models import Choice, NewArrangement, NewComposition, NewSection
from musenet.studio.openings import OPENINGS, opening_midi
from musenet.studio.own import check_styles
from musenet.studio.problems import not_found, over_limit
from musenet.studio.projects import Projects, told_node
from musenet.studio.store import Row
from musenet.studio.streaming import Reader, Telling

_SEEDS = 1_000_000
"""Seeds that are drawn where none is given: short enough to be typed again."""
_KEPT = 32
"""Jobs that are over whose events can still be read."""
_ACTIVE = ("queued", "running")
_RECIPE = (
    "prompt", "sampling", "seed", "candidates", "candidate", "at", "model", "version", "own_styles",
)  # fmt: skip
_VERDICT = ("reason", "strangeness", "critic", "likeness", "faults", "copy", "copied")


class Compositions:
    """The compositions of a server, those in the making and those long past."""

    def __init__(self, projects: Projects, worker: Worker) -> None:
        """Compose with a worker into projects."""
        self.projects, self.worker = projects, worker
        self.store, self.limits = projects.store, projects.limits
        self._jobs: OrderedDict[str, Job] = OrderedDict()

    def job(self, composition: str) -> Job | None:
        """A composition in the making, or just over."""
        return self._jobs.get(composition)

    def told(self, composition: str) -> dict[str, Any]:
        """A composition as the API tells it.

        Raises:
            Problem: there is none.
        """
        job = self._jobs.get(composition)
        found = self.worker.facts(job) if job else self.store.composition(composition)
        if found is None:
            raise not_found("composition")
        return found

    def latest(self, project: str | None, most: int = 100) -> list[dict[str, Any]]:
        """Compositions, of a project or of all: those in the making first, then the latest."""
        active = [job for job in list(self._jobs.values()) if job.state in _ACTIVE]
        told = [self.worker.facts(job) for job in active]
        now = [one for one in told if project in (None, one["project"])]
        ids = {one["id"] for one in now}
        past = [one for one in self.store.compositions(project, most) if one["id"] not in ids]
        return (now + past)[:most]

    def compose(self, wish: NewComposition) -> Job:
        """Put a composition in the queue.

        Raises:
            UserError: something asked for cannot be had.
            Problem: it is more than allowed, names what is not there, or the queue is full.
        """
        composer = self.worker.ready()
        self.worker.check_room()
        self._check(wish, wish.minutes)
        if wish.parent and wish.opening:
            raise UserError("give a parent or an opening, not both")
        parent = self._parent(wish)
        given = self._given(wish, parent)
        seed = secrets.randbelow(_SEEDS) if wish.seed is None else wish.seed
        at = None if wish.keep_bars is None else wish.keep_bars + 1
        _try(wish, given, at, seed, composer)
        project = parent["project"] if parent else wish.project or self._new_project(wish)
        self.projects.project(project)
        home = parent["id"] if parent else None
        if wish.opening:
            label = OPENINGS[wish.opening].title
            home = self.projects.add(
                project, opening_midi(wish.opening), kind="opening", label=label
            )
        kept = None
        if given is not None:
            bars = pieces.summary(midi.load(given))["bars"]
            kept = wish.keep_bars or bars
        asked = wish.model_dump(include={
            "styles", "instruments", "minutes", "tempo", "metre", "notes", "key", "chords",
            "density", "dynamics", "temperature", "top_p", "guidance", "candidates",
        })  # fmt: skip
        sections = _sections(wish)

        def compose(by: Composer, watch: Watch) -> list[Composition]:
            return by.compose(
                given=given, at=at, seed=seed, sections=sections, progress=watch.progress,
                on_rows=watch.on_rows, stop=watch.stop, **asked,
            )  # fmt: skip

        return self._queued(wish, compose, 60 * wish.minutes, seed, project, home, kept)

    def arrange(self, node: str, wish: NewArrangement) -> Job:
        """Put in the queue what is to be composed into a node.

        Raises:
            UserError: something asked for cannot be had.
            Problem: it is more than allowed, there is no such node, or the queue is full.
        """
        composer = self.worker.ready()
        row = self.projects.node(node)
        data = self.store.midi(row)
        score = midi.load(data)
        self._check(wish, score.seconds / 60)
        seed = secrets.randbelow(_SEEDS) if wish.seed is None else wish.seed
        asked = wish.model_dump(include={
            "instruments", "bars", "keep", "styles", "density", "dynamics", "temperature", "top_p",
            "guidance", "candidates",
        })  # fmt: skip

        check_styles(wish.styles)
        composer.own([Section(styles=style_weights(wish.styles))])
        stay = stay_of(score, wish.instruments, wish.bars, keep=wish.keep)

        def compose(by: Composer, watch: Watch) -> list[Composition]:
            return by.arrange(
                data, seed=seed, progress=watch.progress, on_rows=watch.on_rows, stop=watch.stop,
                **asked,
            )  # fmt: skip

        return self._queued(
            wish, compose, score.seconds, seed, row["project"], row["id"], None,
            lambda: Joining(stay),
        )  # fmt: skip

    def _queued(
        self, wish: Choice, compose: Compose, seconds: float, seed: int, project: str,
        parent: str | None, kept: int | None, reader: Callable[[], Telling] = Reader,
    ) -> Job:  # fmt: skip
        def deliver(job: Job, made: Sequence[Composition]) -> None:
            self._deliver(job, made, wish.label, kept)

        told = {"project": project, "parent": parent, "seed": seed}
        job = Job(
            compose, deliver, self._changed, seconds, wish.candidates, wish.detach, told, reader
        )
        self._jobs[job.id] = job
        try:
            self.worker.submit(job)
        except BaseException:
            del self._jobs[job.id]
            raise
        self._forget()
        return job

    def _check(self, wish: Choice, minutes: float) -> None:
        if minutes > self.limits.minutes:
            most = f"{self.limits.minutes:g}"
            raise over_limit(f"minutes {minutes:g} is more than {most}: ask for less")
        if wish.candidates > self.limits.candidates:
            most = f"{self.limits.candidates}"
            raise over_limit(f"candidates {wish.candidates} is more than {most}: ask for fewer")

    def _parent(self, wish: NewComposition) -> Row | None:
        row = self.projects.node(wish.parent) if wish.parent else None
        if row and wish.project and wish.project != row["project"]:
            raise not_found("parent in this project")
        return row

    def _given(self, wish: NewComposition, parent: Row | None) -> bytes | None:
        if wish.opening is not None:
            if wish.opening not in OPENINGS:
                raise not_found("opening")
            return opening_midi(wish.opening)
        if parent is not None:
            return self.store.midi(parent)
        if wish.keep_bars is not None:
            raise UserError("keep_bars needs a parent or an opening: give one")
        return None

    def _new_project(self, wish: NewComposition) -> str:
        styles = " and ".join(list(wish.styles)[:2])
        title = OPENINGS[wish.opening].title if wish.opening else styles[:1].upper() + styles[1:]
        return self.store.add_project((title or "New music")[:200])

    def _changed(self, job: Job) -> None:
        self.store.save_composition(job.facts())

    def _deliver(self, job: Job, made: Sequence[Composition], label: str, kept: int | None) -> None:
        """Make nodes of the pieces, which come ranked."""
        parent = job.told["parent"]
        if parent is not None and self.store.any_node(parent)["deleted"] is not None:
            parent = None
        composer = self.worker.composer
        searched = composer is not None and composer.judge.find_copy is not None
        for piece in made:
            told = {"composition": job.id, **_told_of(piece.facts, searched)}
            node = self.store.add_node(
                job.told["project"], piece.midi, pieces.summary(piece.score), kind="candidate",
                parent=parent, label=label, kept_bars=kept, made=told,
            )  # fmt: skip
            job.nodes.append(node)
            place = {"candidate": told["candidate"], "rank": told["rank"]}
            row = self.store.any_node(node)  # the project may be deleted meanwhile, and come back
            job.log.add("candidate", {**place, "node": told_node(row)})
        job.seconds = job.seconds_wanted

    def _forget(self) -> None:
        """Let go of the events of jobs that have long been over."""
        over = [key for key, job in list(self._jobs.items()) if job.state not in _ACTIVE]
        for key in over[: max(0, len(over) - _KEPT)]:
            self._jobs.pop(key, None)


def _told_of(facts: Mapping[str, Any], searched: bool) -> dict[str, Any]:
    """How a piece was made and what is thought of it, as a node tells it."""
    known = {*_RECIPE, *_VERDICT, "rank"}
    return {
        "candidate": facts["candidate"], "rank": facts["rank"],
        "recipe": {name: facts[name] for name in _RECIPE if name in facts},
        "verdict": {name: facts[name] for name in _VERDICT if name in facts}
        | {"searched": searched},
        "facts": {name: value for name, value in facts.items() if name not in known},
    }  # fmt: skip


def _sections(wish: NewComposition) -> tuple[Section, ...]:
    """The sections that are wished for, as composing knows them.

    Raises:
        UserError: something in one cannot be had.
    """
    return tuple(map(_section, wish.sections))


def _section(wish: NewSection) -> Section:
    return Section(
        seconds_of(wish.at), None if wish.styles is None else style_weights(wish.styles),
        None if wish.instruments is None else tuple(wish.instruments), wish.tempo,
        notes_a_beat(wish.density), wish.dynamics, wish.chords, wish.key,
    )  # fmt: skip


def _try(
    wish: NewComposition, given: bytes | None, at: int | None, seed: int, composer: Composer
) -> None:
    """Refuse at once what composing would refuse later.

    Raises:
        UserError: something asked for cannot be had.
    """
    check_styles(wish.styles)
    for section in wish.sections:
        check_styles(section.styles or ())
    if given is not None and (wish.notes or wish.tempo is not None or wish.metre is not None):
        raise UserError("a given piece has its notes, tempo and metre: ask for none of them")
    prompt = Prompt(
        style_weights(wish.styles), tuple(wish.instruments), wish.minutes, wish.tempo, wish.metre,
        wish.notes, wish.key, wish.chords, notes_a_beat(wish.density), wish.dynamics,
        _sections(wish),
    )  # fmt: skip
    source, cut = source_of(given, at)
    score: Score | None = None if source is None else midi.load(source)
    random = np.random.default_rng(seed)
    facts = composer.own(prompt.plan).facts(composer.facts)
    opening_of(prompt, score, choose_instruments(prompt, score, facts, random), cut)
