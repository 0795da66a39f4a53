"""What the benchmarks share: files, timing, threads, the machine, and how results are printed."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from musenet import midi
from musenet.cli.output import print_facts, print_json, print_table, say
from musenet.corpus.sources import Chunk, find_containers, read_entries
from musenet.errors import UserError
from musenet.score import Score

CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}
_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")


@dataclass(frozen=True)
class Timing:
    """Seconds that a piece of work took.

    Attributes:
        best: the fastest time.
        median: the middle one; well above `best` where the machine was busy with other things.
    """

    best: float
    median: float


def parser(description: str | None, *, music: bool = False) -> argparse.ArgumentParser:
    """A parser with the options of all benchmarks; with `music` also those for MIDI files."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--threads", type=int, default=1, help="CPU threads (default 1)")
    made.add_argument("--repeats", type=int, default=3, help="times to measure (default 3)")
    made.add_argument("--clock", choices=CLOCKS, default="wall",
                      help="cpu: time of the process alone, for a busy machine")  # fmt: skip
    made.add_argument("--json", action="store_true", help="print one JSON object, no tables")
    if music:
        made.add_argument("music", nargs="+", type=Path, help="folders and zip archives of MIDI")
        made.add_argument("--files", type=int, default=300, help="how many to take (default 300)")
        made.add_argument("--seed", type=int, default=0, help="of the choice (default 0)")
    return made


def parse(made: argparse.ArgumentParser) -> argparse.Namespace:
    """The arguments, in a process that has no more threads than asked for.

    Libraries read the number of threads as they are loaded, so the process starts itself anew
    where the number differs.
    """
    arguments = made.parse_args()
    if arguments.clock == "cpu" and arguments.threads > 1:
        made.error("--clock cpu is for one thread")
    wanted = dict.fromkeys(_POOLS, str(arguments.threads))
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.environ.update(wanted)
        os.execv(sys.executable, sys.orig_argv)
    return arguments


def run(main: Callable[[], None]) -> None:
    """Run a benchmark; what the user can mend is one line on stderr, and 2 the exit code."""
    try:
        main()
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


def times(
    works: Mapping[str, Callable[[], object]], arguments: argparse.Namespace, repeats: int = 0
) -> dict[str, Timing]:
    """How long each piece of work takes, `repeats` times instead of the usual number.

    They take turns, so that a busy spell of the machine falls on all of them.
    """
    clock = CLOCKS[arguments.clock]
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats or arguments.repeats):
        for name, work in works.items():
            start = clock()
            work()
            seconds[name].append(clock() - start)
    return {name: Timing(min(own), statistics.median(own)) for name, own in seconds.items()}


def midi_files(sources: Sequence[Path], count: int, seed: int) -> list[bytes]:
    """The contents of a random choice of MIDI files from folders and zip archives."""
    containers = find_containers(sources)
    place = [(number, entry) for number, box in enumerate(containers) for entry in box.entries]
    order = np.random.default_rng(seed).permutation(len(place))[:count]
    chosen = [place[index] for index in sorted(order.tolist())]
    found: list[bytes] = []
    for number, box in enumerate(containers):
        own = tuple(entry for home, entry in chosen if home == number)
        contents = (data for _, data in read_entries(Chunk(box.location, own)))
        found += [data for data in contents if data is not None]
    return found


def scores_of(files: Sequence[bytes]) -> list[Score]:
    """The scores of those files that can be read and have notes."""
    found = []
    for data in files:
        try:
            score = midi.load(data)
        except UserError:
            continue
        if len(score.notes):
            found.append(score)
    return found


def machine(threads: int) -> dict[str, Any]:
    """What the numbers were measured on."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads": threads,
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        **{name: _version(name) for name in ("torch", "numpy")},
    }


def _cpu() -> str:
    """The name of the CPU, and its widest vectors where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = {name.strip(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    name, flags = facts.get("model name", platform.machine()), facts.get("flags", "").split()
    widest = next((f for f in ("amx_tile", "avx512_bf16", "avx512f", "avx2") if f in flags), "")
    return f"{name} with {widest}" if widest else name


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def tell(
    arguments: argparse.Namespace,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    facts: Mapping[str, Any],
) -> None:
    """Print a table with the machine and what else is to be known, or all of it as JSON."""
    about = machine(arguments.threads) | {"clock": arguments.clock}
    if arguments.json:
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        print_json({"machine": about, **facts, "results": named})
        return
    say(", ".join(f"{name} {value}" for name, value in about.items()))
    print_facts({name: _short(value) for name, value in facts.items()})
    print_table(columns, [[_short(value) for value in row] for row in rows])


def _short(value: object) -> object:
    """A number with three figures that count, others as they are."""
    if not isinstance(value, float):
        return value
    return round(value) if abs(value) >= 100 else float(f"{value:.3g}")
