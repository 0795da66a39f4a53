"""Score <-> Standard MIDI File, and the only place that knows such files.

`load` reads any of them into a score, `save` and `to_bytes` write one, `extend` goes on after
given music, `before_bar` cuts it and `insert` adds to it, `describe` and `comment` tell what a
file holds and how it was made.
"""

from musenet.midi.cutting import bar_tick, before_bar
from musenet.midi.describing import comment, describe
from musenet.midi.extending import extend
from musenet.midi.inserting import Removal, insert
from musenet.midi.notes import unify
from musenet.midi.reading import MAX_BEATS, MAX_HOURS, MAX_NOTES, load
from musenet.midi.smf import MAX_BYTES, MAX_EVENTS, MAX_TICK, MAX_TRACKS
from musenet.midi.writing import FILE_TICKS_PER_BEAT, save, to_bytes

__all__ = [
    "FILE_TICKS_PER_BEAT",
    "MAX_BEATS",
    "MAX_BYTES",
    "MAX_EVENTS",
    "MAX_HOURS",
    "MAX_NOTES",
    "MAX_TICK",
    "MAX_TRACKS",
    "Removal",
    "bar_tick",
    "before_bar",
    "comment",
    "describe",
    "extend",
    "insert",
    "load",
    "save",
    "to_bytes",
    "unify",
]
