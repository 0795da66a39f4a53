"""Networks of several kinds and tables for them to read, told and sampled alike everywhere."""

from __future__ import annotations

from dataclasses import replace

from music import melody

from musenet.condition import Condition
from musenet.events import Table, encode
from musenet.presets import tiny

CONDITION = Condition(styles=((3, 1.0),), instruments=(0, 15), key=4, kind=1)
SECONDS, CONTEXT, OPENING, ROWS = 90.0, 32, 10, 60
CONFIGS = {
    "rotary": tiny(),
    "in the row alone": replace(tiny(), musical_time=False),
    "learned": replace(tiny(), positions="learned", activation="gelu", musical_time=False),
    "ungrouped": replace(tiny(), kv_heads=2),
    "values": replace(tiny(), value_embeddings=True),
    "plain": replace(tiny(), qk_norm=False, token_shift=False),
    "blind": replace(tiny(), blind=("tick", "part", "beat in bar")),
}


def pieces(count: int) -> list[Table]:
    """Melodies that begin alike."""
    made = [encode(melody(seed, 140, instrument=15 * (seed % 2)))[:ROWS] for seed in range(count)]
    for piece in made:
        piece[:OPENING] = made[0][:OPENING]
    return made
