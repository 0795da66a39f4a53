"""New music on the time line of a given file."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from musenet.midi.smf import Ints, MidiFile
from musenet.midi.writing import check_length, settled
from musenet.score import Score, note_ends, seconds_at


def placed(addition: Score, file: MidiFile, start: int) -> Score:
    """An addition in a file's own ticks, from its tick `start` on, settled.

    Where the file counts SMPTE frames, the times in seconds are kept and tempos left out.

    Raises:
        UserError: it ends later than a MIDI file can say.
    """

    def at(ticks: ArrayLike) -> Ints:
        moved = np.asarray(ticks) * (file.ticks_per_beat / addition.ticks_per_beat)
        if file.ticks_per_second:
            moved = seconds_at(addition, ticks) * file.ticks_per_second
        return start + np.floor(moved + 0.5).astype(np.int64)

    tidy = settled(addition)
    onsets, ends = at(tidy.notes["onset"]), at(note_ends(tidy))
    check_length(int(ends.max(initial=start)))
    notes, tempos, metres = tidy.notes.copy(), tidy.tempos.copy(), tidy.metres.copy()
    notes["onset"], notes["duration"] = onsets, ends - onsets
    tempos["tick"], metres["tick"] = at(tempos["tick"]), at(metres["tick"])
    if file.ticks_per_second:
        tempos = tempos[:0]
    return settled(Score(notes, tempos, metres, file.ticks_per_beat))
