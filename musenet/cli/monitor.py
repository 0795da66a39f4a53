"""What watches a training run: a bar on stderr, and TensorBoard where it is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from musenet.cli.output import progress


class Scalars(Protocol):
    """TensorBoard's writer, as far as it is used."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:
        """Write a value."""

    def close(self) -> None:
        """Write out what is left."""


class Monitor:
    """Takes the facts of steps and validations.

    Attributes:
        last: the latest facts of each kind, in one mapping.
    """

    def __init__(self, bar: Progress, scalars: Scalars | None) -> None:
        """Show facts in a bar and write them to TensorBoard's files."""
        self.bar, self.scalars = bar, scalars
        self.task = bar.add_task("training", total=1.0, line="")
        self.last: dict[str, Any] = {}

    def __call__(self, facts: dict[str, Any]) -> None:
        """Take the facts of one step, of one validation, or of what went before the first step."""
        from musenet.training.throughput import told

        self.last |= facts
        step = facts["step"]
        if "valid_bits_per_note" in facts:
            bits = facts["valid_bits_per_note"]
            self.bar.console.print(f"step {step}: {bits:.3f} bits a note on the validation pieces")
        elif "warm_up_seconds" in facts:
            self.bar.console.print(warm_up(facts))
        else:
            line = f"step {step}  {facts['bits_per_note']:.2f} bits a note  {told(facts)}"
            self.bar.update(self.task, completed=facts["progress"], line=line)
        if self.scalars:
            for tag, value in scalars_of(facts):
                self.scalars.add_scalar(tag, value, step)


def warm_up(facts: Mapping[str, Any]) -> str:
    """What was made ready before the first step."""
    name = f", attention by {facts['attention']}" if facts["attention"] else ""
    return f"{len(facts['shapes'])} shapes ready in {facts['warm_up_seconds']:.0f} s{name}"


def scalars_of(facts: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The numbers among facts with their tags, nested ones too."""
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}/{inner}", number) for inner, number in scalars_of(value))
        elif isinstance(value, int | float) and name != "step":
            yield name, float(value)


@contextmanager
def monitoring(run: Path) -> Iterator[Monitor]:
    """A monitor whose displays last as long as the block."""
    scalars = _scalars(run / "tensorboard")
    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[line]}"),
               TimeElapsedColumn())  # fmt: skip
    try:
        with progress(*columns) as bar:
            yield Monitor(bar, scalars)
    finally:
        if scalars:
            scalars.close()


def _scalars(folder: Path) -> Scalars | None:
    """TensorBoard's writer, where the extra `track` is installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    writer: Scalars = SummaryWriter(str(folder))
    return writer
