"""Three lines to a piece: `load()`, `compose(...)`, `save(...)`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from musenet import __version__, midi
from musenet.checkpoint import fingerprint, load_model
from musenet.composing.arranging import arrangement_of
from musenet.composing.critic import InnerCritic
from musenet.composing.decoding import Decoder, OnRows, generators
from musenet.composing.drawing import choose_beginning, choose_instruments, choose_key
from musenet.composing.finishing import Composition, arranged, finished, rate
from musenet.composing.guidance import STRONG
from musenet.composing.judging import Judge, critic_beside
from musenet.composing.network import Network, Packed, network_of
from musenet.composing.own import Own, own_in, told
from musenet.composing.planning import UNWATCHED, Planner, Watch
from musenet.composing.processes import Asked, in_processes
from musenet.composing.prompt import (
    Prompt,
    condition_of,
    limits,
    opening_of,
    players_of,
)
from musenet.composing.recipe import recipe_of
from musenet.composing.sampling import Sampling
from musenet.composing.sections import Section, notes_a_beat, style_weights
from musenet.composing.steering import Steering
from musenet.composing.surprise import HumanSurprise, surprise_beside
from musenet.composing.turns import groups_of, in_turn
from musenet.errors import UserError
from musenet.files import digest
from musenet.key import key_of
from musenet.midi.smf import read_bytes
from musenet.model import Model
from musenet.score import Score

MAX_CANDIDATES = 512


class Composer:
    """A loaded model that composes."""

    def __init__(
        self, model: Model, facts: Mapping[str, Any], name: str, context: int | None = None
    ) -> None:
        """Use a model with the facts of its training.

        Args:
            model: ready to evaluate.
            facts: stored with it; "config" tells the context it was trained at.
            name: short name or fingerprint of the weights.
            context: events it sees at once, default what it was trained at.
        """
        trained = facts.get("config", {}).get("context", model.config.context // 2)
        self.model, self.facts, self.name = model, facts, name
        self.path: Path | None = None
        self.context = context or int(trained)
        self.critic: InnerCritic | None = None
        self.human: HumanSurprise | None = None

    @cached_property
    def network(self) -> Network:
        """The model laid out for composing, once it is needed."""
        return network_of(self.model)

    @cached_property
    def judge(self) -> Judge:
        """By which candidates are ranked: checks, and the critic where there is one."""
        return Judge(self.critic, self.facts)

    def compose(
        self, *, styles: Mapping[str, float] | Sequence[str] | str = (),
        instruments: Sequence[str] | str = (), minutes: float = 4.0, tempo: float | None = None,
        metre: str | None = None, notes: str = "", given: Path | str | bytes | None = None,
        at: int | None = None, key: str | None = None, chords: str | None = None,
        density: str | float | None = None, dynamics: str | None = None,
        sections: Sequence[Section] = (), seed: int = 0,
        temperature: float = Sampling.temperature, top_p: float = Sampling.top_p,
        guidance: float | None = None, endings: int = Sampling.endings, candidates: int = 1,
        processes: int = 1, progress: Callable[[float], None] | None = None,
        on_rows: OnRows | None = None, stop: Callable[[], bool] | None = None,
    ) -> list[Composition]:  # fmt: skip
        """Compose `candidates` pieces to one prompt; those that `judge` thinks best come first.

        Args:
            styles: names, `name:weight`, or a mapping from names to weights.
            instruments: only these sound, and all of them.
            minutes: length of the whole piece; met within 5 %.
            tempo: beats a minute at the beginning.
            metre: such as "3/4".
            notes: an opening melody, such as "C4 E4 G4:2".
            given: a MIDI file to continue; it is kept as it is, its tempo and metre go on.
            at: bar of that file, from 1, to go on from: what begins before it is kept, notes that
                sound into it end there; by default the end.
            key: such as "Eb major"; by default that of a given file, or left to the model.
            chords: a progression, bar by bar, such as "C | Am F | G7", repeated to the end.
            density: notes a beat, or one of sparse, light, medium, dense, full.
            dynamics: ppp, pp, p, mp, mf, f, ff or fff.
            sections: what changes from a time on (`sections.parse_section`, `parse_plan`).
            seed: the same seed gives the same piece.
            temperature: below 1 plainer, above 1 wilder; at 1 about as surprising as human music.
            top_p: share of the likeliest values to choose among.
            guidance: how strongly styles and key are followed: 1 plain, above more strongly; any
                other than 1 takes up to twice the time. By default 1, but `STRONG` for styles
                that do not go together (`turns.groups_of`), and where sections change style or key.
            endings: how many ways to end each piece are tried, of which the one that the model is
                surest of is kept.
            candidates: how many.
            processes: how many share the candidates, which are the same for any number. More than
                one are for composers that `load` made, on a CPU, in programs whose main module can
                be imported (`multiprocessing`); one composes all where `on_rows` listens.
            progress: called with the seconds of music composed.
            on_rows: called with the place of a candidate and event rows as they are made, which
                together are its whole table (`Decoder.run`).
            stop: asked before every row; whether to give up.

        Raises:
            UserError: something asked for cannot be had; the message says what to do.
            Stopped: `stop` said so.
        """
        players_asked = (instruments,) if isinstance(instruments, str) else tuple(instruments)
        prompt = Prompt(
            style_weights(styles), players_asked, minutes, tempo, metre, notes, key, chords,
            notes_a_beat(density), dynamics, tuple(sections),
        )  # fmt: skip
        watch = Watch(progress, on_rows, stop)
        guidance = self._needed(prompt) if guidance is None else guidance
        how = Sampling(temperature, top_p, guidance=guidance, endings=endings)
        asked = Asked(prompt, how, given, at, seed, candidates)
        shared = processes > 1 and candidates > 1 and on_rows is None and self._alone
        if shared and self.path is not None:
            made = in_processes(self, self.path, asked, processes, watch)
        else:
            made = asked.answer(self, range(candidates), watch)
        return self.judge.ranked(made)

    @property
    def _alone(self) -> bool:
        """Whether a candidate is the same whichever others are composed beside it."""
        return isinstance(self.network, Packed)

    def _needed(self, prompt: Prompt) -> float:
        """The guidance without which blends and changes are seldom heard, plain for all else."""
        blends = len(groups_of(prompt, self.own(prompt.plan).facts(self.facts))) > 1
        changes = any(section.styles or section.key for section in prompt.sections)
        return STRONG if blends or changes else Sampling.guidance

    def answer(
        self, prompt: Prompt, how: Sampling, given: Path | str | bytes | None = None,
        at: int | None = None, *, seed: int = 0, candidates: int = 1,
        places: Sequence[int] | None = None, watch: Watch = UNWATCHED,
    ) -> list[Composition]:  # fmt: skip
        """Compose to a prompt; the arguments are those of `compose`.

        Args:
            places: which of the candidates are composed; by default all.

        Raises:
            UserError: something asked for cannot be had.
            Stopped: `watch.stop` said so.
        """
        _check(seed, candidates)
        if given is not None and (prompt.notes or prompt.tempo or prompt.metre):
            raise UserError("a given file has its notes, tempo and metre: ask for none of them")
        source, cut = source_of(given, at)
        score = None if source is None else _given_score(source)
        own = self.own(prompt.plan)
        facts = own.facts(self.facts)
        random = np.random.default_rng(seed)
        groups = groups_of(prompt, facts) if score is None else [prompt.styles]
        ensembles = [
            choose_instruments(replace(prompt, styles=styles), score, facts, random)
            for styles in groups
        ]
        opening = opening_of(
            prompt, score, ensembles[0], cut, choose_beginning(prompt, score, facts, random)
        )
        key = choose_key(prompt, score, facts, random)
        started = time.perf_counter()
        planner = Planner(
            self.network, own, in_turn(prompt, groups, ensembles, opening), opening, ensembles[0],
            key, facts, how, self.context, in_turn=len(groups) > 1, human=self.human,
        )  # fmt: skip
        places = range(candidates) if places is None else places
        drafts = planner.drafts(generators(seed, places), watch)
        recipe = self._recipe(asdict(prompt), how, seed, candidates) | own.recipe()
        recipe |= {"continues": given is not None, "at": at, "given": _digest(source)}
        speed = rate(drafts, len(opening.table), time.perf_counter() - started)
        return [
            finished(draft, prompt, opening, source, recipe | {"candidate": place}, speed)
            for place, draft in zip(places, drafts, strict=True)
        ]

    def again(
        self, piece: Path | str | bytes, given: Path | str | bytes | None = None, *,
        progress: Callable[[float], None] | None = None,
    ) -> Composition:  # fmt: skip
        """Compose a piece again from what its file tells: the same bytes.

        Args:
            piece: a MIDI file that `compose` made.
            given: the file that it continues, if it does.
            progress: as for `compose`.

        Raises:
            UserError: the file does not tell how it was made, or it was made otherwise.
        """
        recipe = recipe_of(piece, self.name, self._held_by)
        if (given is not None) != recipe.continues:
            raise UserError(
                "it continues a given file: give that with --from" if recipe.continues
                else "it was composed without a given file: leave --from out"
            )  # fmt: skip
        if recipe.given not in (None, _digest(source_of(given, recipe.at)[0])):
            raise UserError("it continues another file than that: give the one it continues")
        places = [recipe.candidate] if self._alone else range(recipe.candidates)
        made = self.answer(
            recipe.prompt, recipe.sampling, given, recipe.at, seed=recipe.seed,
            candidates=recipe.candidates, places=places, watch=Watch(progress),
        )  # fmt: skip
        return self.judge.ranked([made[places.index(recipe.candidate)]])[0]

    def arrange(
        self, given: Path | str | bytes, *, instruments: Sequence[str] | str = (),
        bars: tuple[int, int] | None = None, keep: bool = False,
        styles: Mapping[str, float] | Sequence[str] | str = (), density: str | float | None = None,
        dynamics: str | None = None, seed: int = 0, temperature: float = Sampling.temperature,
        top_p: float = Sampling.top_p, guidance: float | None = None, candidates: int = 1,
        progress: Callable[[float], None] | None = None, on_rows: OnRows | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> list[Composition]:  # fmt: skip
        """Compose into a given piece: new parts, other parts, or bars between what is given.

        All else of the file stays as it is, message for message. Those that `judge` thinks best
        come first.

        Args:
            given: a MIDI file.
            instruments: which are composed; by default all that play in it.
            bars: first and last bar to compose, from 1; by default all.
            keep: whether what these instruments play there stays, and is added to.
            styles: as for `compose`.
            density: likewise.
            dynamics: likewise.
            seed: likewise.
            temperature: likewise.
            top_p: likewise.
            guidance: likewise.
            candidates: likewise.
            progress: likewise.
            on_rows: likewise; given notes stand ahead of their sound (`given.Anticipated`).
            stop: likewise.

        Raises:
            UserError: something asked for cannot be had; the message says what to do.
            Stopped: `stop` said so.
        """
        _check(seed, candidates)
        score, source = _given_score(given), read_bytes(given)[1]
        names = (instruments,) if isinstance(instruments, str) else tuple(instruments)
        section = Section(0.0, style_weights(styles), names, None, notes_a_beat(density), dynamics)
        players = players_of(section, tuple(score.instruments))
        if bars is None and not keep and set(players) >= set(score.instruments):
            raise UserError("nothing given would be left: name bars, or instruments to add")
        guidance = self._needed(Prompt(section.styles or ())) if guidance is None else guidance
        how = Sampling(temperature, top_p, guidance=guidance, endings=1)
        layout = arrangement_of(score, players, bars, keep=keep)
        everyone = sorted({*players, *score.instruments})
        started = time.perf_counter()
        own, asked_styles = self.own([section]), section.styles or ()
        decoder = Decoder(
            own.network(self.network, asked_styles),
            condition_of(asked_styles, everyone, key_of(score)[0], own.facts(self.facts)),
            limits(players, layout.seconds, self.facts), how, opening=layout.opening.table,
            earliest=layout.start, random=generators(seed, range(candidates)), context=self.context,
            steering=Steering.of(section, own=own.adapters), since=layout.since, until=layout.until,
            pending=layout.pending, ahead=layout.opening, human=self.human,
        )  # fmt: skip
        drafts = decoder.run(progress, on_rows=on_rows, stop=stop)
        asked = {**asdict(section), "bars": bars, "keep": keep}
        recipe = self._recipe(asked, how, seed, candidates) | own.recipe()
        speed = rate(drafts, len(layout.opening.table), time.perf_counter() - started)
        made = [
            arranged(draft, layout, source, recipe | {"candidate": place}, speed)
            for place, draft in enumerate(drafts)
        ]
        return self.judge.ranked(made)

    def own(self, sections: Sequence[Section]) -> Own:
        """The user's own styles among those that are asked for.

        Raises:
            UserError: one cannot be had for these weights.
        """
        return own_in((section.styles for section in sections), self.name)

    @property
    def _held_by(self) -> str | None:
        """What tells by which human music compositions are held."""
        return None if self.human is None else self.human.name

    def _recipe(
        self, prompt: dict[str, Any], how: Sampling, seed: int, candidates: int
    ) -> dict[str, Any]:
        """How pieces are made, as their files tell."""
        return {
            "prompt": told(prompt), "sampling": asdict(how), "seed": seed,
            "candidates": candidates, "model": self.name, "version": __version__,
            "surprise": self._held_by,
        }  # fmt: skip


def load(model: str | Path | None = None, *, device: str = "cpu") -> Composer:
    """The bundled model, or one from a file or the folder of a training run.

    Raises:
        UserError: the file is missing or damaged.
    """
    path = bundled_model() if model is None else Path(model)
    network, facts = load_model(path, device=device)
    composer = Composer(network, facts, fingerprint(path))
    composer.path = path
    composer.critic = critic_beside(path, network, composer.name, composer.context)
    composer.human = surprise_beside(path, composer.name)
    return composer


def bundled_model() -> Path:
    """Where the weights that come with the package are."""
    return Path(str(resources.files("musenet") / "weights" / "musenet.safetensors"))


def _check(seed: int, candidates: int) -> None:
    if not 1 <= candidates <= MAX_CANDIDATES:
        raise UserError(f"--candidates {candidates} is not between 1 and {MAX_CANDIDATES}")
    if seed < 0:
        raise UserError(f"--seed {seed} is below 0: give a whole number from 0")


def source_of(given: Path | str | bytes | None, at: int | None) -> tuple[bytes | None, int]:
    """What is gone on with, and the tick before which nothing new may begin, 0 for its end.

    Args:
        given: a MIDI file, or None.
        at: bar, from 1, up to which it is kept, or None for all.

    Raises:
        UserError: there is no file, it has no such bar, or nothing is played before that.
    """
    if given is None:
        if at is not None:
            raise UserError(f"--at {at} needs a file to go on with: give that with --from")
        return None, 0
    return (read_bytes(given)[1], 0) if at is None else midi.before_bar(given, at)


def _digest(source: bytes | None) -> str | None:
    return None if source is None else digest(source)


def _given_score(given: Path | str | bytes) -> Score:
    score = midi.load(given)
    if not len(score.notes):
        raise UserError("the given file has no notes: give one that has, or none")
    return score
