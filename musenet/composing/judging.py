"""What is thought of finished pieces, and their order by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from musenet.checkpoint import beside
from musenet.composing.checks import Limits, bundled_limits
from musenet.composing.critic import InnerCritic, load_critic
from musenet.composing.finishing import Composition
from musenet.composing.likeness import likeness
from musenet.composing.prompt import condition_of
from musenet.composing.ranking import FindCopy, Verdict, ranked
from musenet.composing.threads import one_thread
from musenet.condition import KEYS
from musenet.events import encode
from musenet.judge import StyleJudge, default_judge
from musenet.model import Model
from musenet.score import Score
from musenet.styles import find_style, style_id

CRITIC_FILE = "critic.safetensors"
"""Name of a critic that stands beside its model."""


@dataclass(frozen=True)
class Judge:
    """All that verdicts rest on.

    Attributes:
        critic: the inner critic, or None for checks alone.
        facts: of the model.
        limits: of the checks.
        find_copy: looks for passages of the training music, or None not to.
        style_judge: gives what hears whether pieces sound like the styles asked for.
    """

    critic: InnerCritic | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=bundled_limits)
    find_copy: FindCopy | None = None
    style_judge: Callable[[], StyleJudge] = default_judge

    def verdict(
        self,
        score: Score,
        styles: Sequence[tuple[str, float]] = (),
        *,
        throughout: bool = True,
    ) -> Verdict:
        """What is thought of a score that was composed in some styles, given with weights.

        Styles of the user's own are left out: critic and style judge do not know them.

        Args:
            score: what was composed.
            styles: asked for in front.
            throughout: whether they were asked for to its end, so that it is to sound like them.
        """
        known = [(name, weight) for name, weight in styles if find_style(name) is not None]
        opinion = None
        if self.critic is not None:
            condition = condition_of(known, score.instruments, KEYS, self.facts)
            opinion = self.critic.opinion(encode(score), condition, score.seconds)
        copy = self.find_copy(score) if self.find_copy is not None else None
        alike = None
        if known and throughout:
            asked = [style_id(name) for name, _ in known]
            alike = likeness(self.style_judge(), score, asked, self.facts.get("relatives", {}))
        return Verdict(opinion, self.limits.faults(score), copy, alike)

    def ranked(self, pieces: Sequence[Composition]) -> list[Composition]:
        """Pieces best first, their facts with rank and reasons."""
        with one_thread():
            verdicts = [self._verdict(piece) for piece in pieces]
        return [
            replace(
                pieces[place],
                facts={**pieces[place].facts, "rank": rank, **verdicts[place].facts()},
            )
            for rank, place in enumerate(ranked(verdicts), start=1)
        ]

    def _verdict(self, piece: Composition) -> Verdict:
        asked = piece.facts["prompt"]
        sections = asked.get("sections", ())
        changes = any(section["styles"] for section in sections)
        verdict = self.verdict(piece.score, asked["styles"] or (), throughout=not changes)
        if any(section["instruments"] for section in sections):  # silence that was asked for
            kept = tuple(fault for fault in verdict.faults if fault.check != "fallen_silent")
            return replace(verdict, faults=kept)
        return verdict


def critic_beside(path: Path, model: Model, name: str, context: int) -> InnerCritic | None:
    """The critic that stands beside a model, or None where none was trained for these weights.

    Args:
        path: the model's file, or the folder of its run.
        model: the model.
        name: fingerprint of its weights.
        context: events that it sees at once.

    Raises:
        UserError: it is damaged.
    """
    file = beside(path, name, CRITIC_FILE)
    if file is None:
        return None
    return InnerCritic(model, load_critic(file, name)[0], context)
