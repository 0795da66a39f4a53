"""Three lines to a piece: `load()`, `compose(...)`, `save(...)`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from musenet import __version__, midi
from musenet.checkpoint import fingerprint, load_model
from musenet.composing.decoding import Decoder, Draft
from musenet.composing.prompt import (
    Opening,
    Prompt,
    choose_instruments,
    condition_of,
    opening_of,
    style_weights,
    wishes_of,
)
from musenet.composing.sampling import Sampling
from musenet.condition import KEYS
from musenet.errors import UserError
from musenet.events import decode, is_note
from musenet.files import write_atomically
from musenet.instruments import INSTRUMENTS
from musenet.key import key_of
from musenet.model import Model
from musenet.score import Score, crop, seconds_at

MAX_CANDIDATES = 64
TOLERANCE = 0.05
"""Share by which the length may differ from the one asked for."""


@dataclass(frozen=True)
class Composition:
    """A finished piece.

    Attributes:
        score: all of it, opening included.
        midi: the file.
        facts: how it was made and what is in it, ready for JSON.
    """

    score: Score
    midi: bytes
    facts: Mapping[str, Any]

    def save(self, path: str | Path) -> None:
        """Write the MIDI file, whole or not at all.

        Raises:
            UserError: it cannot be written.
        """
        write_atomically(Path(path), self.midi)


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
        self.context = context or int(trained)

    def compose(
        self, *, styles: Mapping[str, float] | Sequence[str] | str = (),
        instruments: Sequence[str] | str = (), minutes: float = 4.0, tempo: float | None = None,
        metre: str | None = None, notes: str = "", given: Path | str | bytes | None = None,
        seed: int = 0, temperature: float = Sampling.temperature, top_p: float = Sampling.top_p,
        candidates: int = 1, progress: Callable[[float], None] | None = None,
    ) -> list[Composition]:  # fmt: skip
        """Compose `candidates` pieces to one prompt.

        Args:
            styles: names, `name:weight`, or a mapping from names to weights.
            instruments: only these sound, and all of them.
            minutes: length of the whole piece; met within 5 %.
            tempo: beats a minute at the beginning.
            metre: such as "3/4".
            notes: an opening melody, such as "C4 E4 G4:2".
            given: a MIDI file to continue; it is kept as it is, its tempo and metre go on.
            seed: the same seed gives the same piece.
            temperature: below 1 plainer, above 1 wilder.
            top_p: share of the likeliest values to choose among.
            candidates: how many.
            progress: called with the seconds of music composed.

        Raises:
            UserError: something asked for cannot be had; the message says what to do.
        """
        if not 1 <= candidates <= MAX_CANDIDATES:
            raise UserError(f"--candidates {candidates} is not between 1 and {MAX_CANDIDATES}")
        if seed < 0:
            raise UserError(f"--seed {seed} is below 0: give a whole number from 0")
        if given is not None and (notes or tempo is not None or metre is not None):
            raise UserError("a given file has its notes, tempo and metre: ask for none of them")
        how = Sampling(temperature, top_p)
        players_asked = (instruments,) if isinstance(instruments, str) else tuple(instruments)
        prompt = Prompt(style_weights(styles), players_asked, minutes, tempo, metre, notes)
        score = None if given is None else _given_score(given)
        source = None if given is None else _read(given)
        players = choose_instruments(prompt, score, self.facts, np.random.default_rng(seed))
        opening = opening_of(prompt, score, players)
        key = KEYS if score is None else key_of(score)[0]
        started = time.perf_counter()
        decoder = Decoder(
            self.model, condition_of(prompt, players, key, self.facts),
            wishes_of(prompt, players, opening, self.facts), how, opening=opening.table,
            earliest=opening.earliest, seed=seed, candidates=candidates, context=self.context,
        )  # fmt: skip
        drafts = decoder.run(progress)
        rate = _rate(drafts, opening, time.perf_counter() - started)
        recipe = {
            "prompt": asdict(prompt), "sampling": asdict(how), "seed": seed,
            "candidates": candidates, "model": self.name, "version": __version__,
        }  # fmt: skip
        return [
            _finish(draft, prompt, opening, source, recipe | {"candidate": place}, rate)
            for place, draft in enumerate(drafts)
        ]


def load(model: str | Path | None = None, *, device: str = "cpu") -> Composer:
    """The bundled model, or one from a file or the folder of a training run.

    Raises:
        UserError: the file is missing or damaged.
    """
    path = bundled_model() if model is None else Path(model)
    network, facts = load_model(path, device=device)
    return Composer(network, facts, fingerprint(path))


def bundled_model() -> Path:
    """Where the weights that come with the package are."""
    return Path(str(resources.files("musenet") / "weights" / "musenet.safetensors"))


def _read(given: Path | str | bytes) -> bytes:
    if isinstance(given, bytes):
        return given
    try:
        return Path(given).read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {given}: {error.strerror}; give a MIDI file") from error


def _given_score(given: Path | str | bytes) -> Score:
    score = midi.load(given)
    if not len(score.notes):
        raise UserError("the given file has no notes: give one that has, or none")
    return score


def _rate(drafts: Sequence[Draft], opening: Opening, seconds: float) -> float:
    """New notes a second over all candidates."""
    old = int(is_note(opening.table).sum()) if len(opening.table) else 0
    new = sum(int(is_note(draft.table).sum()) - old for draft in drafts)
    return new / max(seconds, 1e-9)


def _finish(
    draft: Draft, prompt: Prompt, opening: Opening, source: bytes | None, recipe: dict[str, Any],
    rate: float,
) -> Composition:  # fmt: skip
    score = decode(draft.table)
    if source is None:
        score = _played_at(score, prompt, opening.pace)
        data = midi.to_bytes(score, title=_title(prompt), comment=json.dumps(recipe))
    else:
        data = _carried_on(score, opening, source, recipe)
        score = midi.load(data)
    facts = recipe | facts_of(score) | {
        "forced": draft.forced, "ended_by": "model" if draft.ended else "limit",
        "notes_per_second": round(rate, 1),
    }  # fmt: skip
    return Composition(score, data, facts)


def _carried_on(score: Score, opening: Opening, source: bytes, recipe: dict[str, Any]) -> bytes:
    """The given file with the new notes behind it, in its own tempo until one changes it."""
    new = crop(score, opening.earliest, score.end + 1)
    tempos = new.tempos.copy()
    tempos["bpm"] *= opening.pace
    changes = int((score.metres["tick"] >= opening.earliest).sum())
    addition = replace(new, tempos=tempos, metres=new.metres[len(new.metres) - changes :])
    return midi.extend(source, opening.cut, addition, comment=json.dumps(recipe))


def _played_at(score: Score, prompt: Prompt, pace: float) -> Score:
    """Tempi as people write them: the one asked for exactly, others as whole numbers.

    Where whole numbers would spoil the length asked for, they have two decimals.
    """
    exact = score.tempos.copy()
    exact["bpm"] = np.round(exact["bpm"] * pace, 2 if prompt.tempo is None else 6)
    whole = exact.copy()
    whole["bpm"] = np.round(exact["bpm"])
    plain = replace(score, tempos=whole)
    fits = abs(plain.seconds / prompt.seconds - 1.0) <= TOLERANCE and prompt.tempo is None
    return plain if fits else replace(score, tempos=exact)


def _title(prompt: Prompt) -> str:
    names = ", ".join(name for name, _ in prompt.styles)
    return f"musenet: {names}" if names else "musenet"


def facts_of(score: Score) -> dict[str, Any]:
    """What is in a score: length, notes, and how much each instrument plays."""
    seconds = score.seconds
    minute = (seconds_at(score, score.notes["onset"]) // 60).astype(int)
    shares, playing = {}, {}
    for player in score.instruments:
        own = score.notes["instrument"] == player
        name = INSTRUMENTS[player].name
        shares[name] = round(float(own.mean()), 4)
        playing[name] = len(np.unique(minute[own]))
    return {
        "seconds": round(seconds, 2), "notes": len(score.notes), "instruments": shares,
        "minutes_playing": playing,
    }  # fmt: skip
