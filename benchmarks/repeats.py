"""How well a network knows that what it repeats goes on.

    python benchmarks/repeats.py CORPUS [--styles bach mozart ...]

For each event of held-out pieces that goes along with an earlier passage (`musenet.echoes`), by how
many notes in a row it has done so: how often wait, instrument and pitch of the next event are those
of that passage, and what chance the network gives them, with style, instruments and length told.
"""

from __future__ import annotations

import numpy as np
import torch
from common import parse, run, tell
from held_out import of_style, options
from numpy.typing import NDArray

from musenet.analysis.arrays import mean
from musenet.composing.composer import load
from musenet.copying import Told
from musenet.corpus.shards import open_split
from musenet.echoes import ROW_COLUMNS, RUNS
from musenet.evaluation.continuations import beginning
from musenet.model import PROMPT_ROWS, Model
from musenet.training.batches import Batch, collate

Ints = NDArray[np.int32]
USUAL = ("bach", "mozart", "pop", "jazz", "ragtime", "irish", "scottish", "folk")
EVENTS, OPENING = 1000, 20
"""Events of each piece, and those at its beginning that do not count."""
FIELDS = 3
"""Wait, instrument and pitch: passages that come again may be louder or longer."""
RUN = ROW_COLUMNS.index("echo run")


def main() -> None:
    """Measure and print."""
    made = options(__doc__, prompts=8, candidates=1, seconds=0.0)
    made.add_argument("--styles", nargs="+", default=USUAL, help="which")
    arguments = parse(made)
    composer, split = load(arguments.model), open_split(arguments.data, arguments.split)
    found = [
        chances(composer.model, collate([beginning(split, piece, EVENTS)]))
        for style in arguments.styles
        for piece in of_style(split, style, arguments.prompts, arguments.seed)
    ]
    runs, given, goes = (np.concatenate(each) for each in zip(*found, strict=True))
    rows = [
        (int(RUNS[place - 1]), int(own.sum()), 100.0 * mean(goes[own]), 100.0 * mean(given[own]))
        for place in range(1, len(RUNS) + 1)
        if (own := runs == place).any()
    ]
    columns = ("notes in a row", "events", "go on, %", "the network says, %")
    tell(arguments, columns, rows, {"model": composer.name})


@torch.inference_mode()
def chances(model: Model, batch: Batch) -> tuple[Ints, NDArray[np.float32], NDArray[np.bool_]]:
    """For the events of one window that have an echo, each shape (events,).

    Returns:
        How many notes had gone along in a row before, as places in `RUNS` from 1, 0 for none; the
        chance that the next event goes on (where it has another wait, as at its moment); and
        whether it does.
    """
    ids, columns = torch.from_numpy(batch.ids), torch.from_numpy(batch.features)
    inputs = model.embed(batch.conditions, ids[:, :-1], columns[:, :-1])
    hidden = model.trunk(*inputs)[:, PROMPT_ROWS - 1 :]
    told = Told.by(columns, 1)
    said = told.ids[:, :, 0]
    chance = (-model.losses(hidden, said, columns)[0, :, :FIELDS].sum(dim=-1)).exp()
    goes = (said == ids)[0, :, :FIELDS].all(dim=-1)
    counted = told.open[0, :, 0].clone()
    counted[:OPENING] = False
    counted[int(batch.lengths[0]) :] = False
    runs = columns[0, :, RUN].roll(1)
    return runs[counted].numpy(), chance[counted].numpy(), goes[counted].numpy()


if __name__ == "__main__":
    run(main)
