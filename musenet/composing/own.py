"""Styles of one's own in composing: found by name, told like any other, merged by their share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from musenet.adapters import MOST, Adapter, adapted, load_adapter
from musenet.checkpoint import fingerprint
from musenet.composing.network import Network, network_of
from musenet.composing.sections import Styles
from musenet.errors import UserError
from musenet.own_styles import find_own, styles_folder, told_name
from musenet.styles import STYLES


@dataclass(frozen=True)
class Own:
    """The styles of one's own that something is asked for in, by the name they are asked by.

    Attributes:
        adapters: what makes them.
        hashes: fingerprints of their files.
    """

    adapters: Mapping[str, Adapter] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    _networks: dict[Styles, Network] = field(default_factory=dict, compare=False, repr=False)

    @property
    def places(self) -> dict[str, int]:
        """The place of each among the styles, behind all that have a name of their own."""
        return {name: len(STYLES) + place for place, name in enumerate(self.adapters)}

    def facts(self, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """A model's facts with what composing wants to know of these styles."""
        if not self.adapters:
            return facts
        told = {name: adapter.facts for name, adapter in self.adapters.items()}
        drawn = {
            what: {**facts.get(what, {}), **{name: own.get(what, {}) for name, own in told.items()}}
            for what in ("ensembles", "keys", "metres", "tempi")
        }
        return {
            **facts, "own_places": self.places,
            "own_kinds": {name: own["kind"] for name, own in told.items()},
            **drawn,
        }  # fmt: skip

    def network(self, plain: Network, styles: Styles) -> Network:
        """The network for a blend: each of these styles merged by its share, or the plain one."""
        total, places = sum(weight for _, weight in styles), self.places
        merged = [
            (self.adapters[name], places[name], weight / total)
            for name, weight in styles
            if name in self.adapters
        ]
        if not merged:
            return plain
        if styles not in self._networks:
            self._networks[styles] = network_of(adapted(plain.model, merged))
        return self._networks[styles]

    def recipe(self) -> dict[str, dict[str, str]]:
        """What a file tells of them; nothing where there are none."""
        told = {told_name(name): own for name, own in self.hashes.items()}
        return {"own_styles": told} if told else {}


def told(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for, as a file tells it: without the folders of styles of one's own."""
    styles = asked["styles"]
    named = None if styles is None else tuple((told_name(name), own) for name, own in styles)
    sections = tuple(told(section) for section in asked.get("sections", ()))
    return {**asked, "styles": named} | ({"sections": sections} if "sections" in asked else {})


def check_hashes(needed: Mapping[str, str]) -> None:
    """Check that styles of one's own are what they were when a file was made.

    Args:
        needed: fingerprints of their files, by name.

    Raises:
        UserError: one is missing, or is another one now.
    """
    for name, own in needed.items():
        path = find_own(name)
        if path is None:
            raise UserError(
                f"it was made with a style of its maker's own, '{name}' ({own}), which is not "
                f"here: put its file into {styles_folder()}"
            )
        if fingerprint(path) != own:
            raise UserError(
                f"it was made with the style '{name}' as it was ({own}), which has changed since: "
                f"put that file back as {path}"
            )


def own_in(asked: Iterable[Styles | None], base: str) -> Own:
    """The styles of one's own among those that are asked for.

    Args:
        asked: the styles of each section.
        base: fingerprint of the model's weights.

    Raises:
        UserError: one is damaged, was made for other weights, or there are too many.
    """
    names = dict.fromkeys(name for styles in asked for name, _ in styles or ())
    files = {name: path for name in names if (path := find_own(name)) is not None}
    if len(files) > MOST:
        raise UserError(f"{len(files)} styles of your own in one piece: give at most {MOST}")
    adapters = {name: load_adapter(path) for name, path in files.items()}
    for adapter in adapters.values():
        if adapter.base != base:
            raise UserError(
                f"the style '{adapter.name}' was made for the model {adapter.base}, not {base}: "
                "make it anew with 'musenet finetune', or give that as --model"
            )
    return Own(adapters, {name: fingerprint(path) for name, path in files.items()})
