"""Compose original multi-instrument music with a Transformer trained on MIDI.

>>> import musenet
>>> piece = musenet.load().compose(styles="mozart", instruments=["piano"], minutes=2)[0]
>>> piece.save("piece.mid")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from musenet.composing.composer import Composer, load
    from musenet.composing.finishing import Composition

__version__ = "0.3.0"
__all__ = ["Composer", "Composition", "__version__", "load"]


def __getattr__(name: str) -> object:
    """Import the composer when it is first used: it needs torch, and most commands do not."""
    if name in ("Composer", "Composition", "load"):
        from musenet.composing import composer

        member: object = getattr(composer, name)
        return member
    raise AttributeError(f"module 'musenet' has no attribute '{name}'")
