"""Prints what building a corpus costs and gives: time, memory, sizes, counts, split.

python benchmarks/corpus.py FOLDER_OF_ARCHIVES [--workers 2] [--exclude PATTERN]
"""

from __future__ import annotations

import argparse
import lzma
import resource
import tarfile
import tempfile
import time
from pathlib import Path

from musenet.corpus.build import build
from musenet.corpus.progress import show_progress
from musenet.corpus.report import Report


def main() -> None:
    """Build twice into a temporary folder (from nothing, then from its parts) and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+", type=Path)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--exclude", action="append", default=[])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        seconds, report = _timed(arguments, out)
        again, _ = _timed(arguments, out)
        print(f"| build | {seconds:.0f} s |\n|---|--:|")
        print(f"| again, from its parts | {again:.0f} s |")
        print(f"| peak memory, main process | {_megabytes(resource.RUSAGE_SELF):.0f} MB |")
        print(f"| peak memory, largest worker | {_megabytes(resource.RUSAGE_CHILDREN):.0f} MB |")
        print(f"| shards | {_shard_bytes(out) / 2**20:.1f} MiB |")
        print(f"| as tar.xz -9 | {_packed_bytes(out) / 2**20:.1f} MiB |")
        print("\n" + (out / "report.md").read_text(encoding="utf8"))
    largest = max(notes for _, _, notes in report.largest_works)
    total = sum(count.notes for count in report.splits.values())
    print(f"\nLargest work: {100 * largest / total:.2f} % of the notes.")


def _timed(arguments: argparse.Namespace, out: Path) -> tuple[float, Report]:
    start = time.perf_counter()
    with show_progress() as progress:
        report = build(
            arguments.sources, out, exclude=arguments.exclude, workers=arguments.workers,
            progress=progress,
        )  # fmt: skip
    return time.perf_counter() - start, report


def _megabytes(who: int) -> float:
    return resource.getrusage(who).ru_maxrss / 1024


def _shards(out: Path) -> list[Path]:
    return [out / "corpus.json", *sorted(out.glob("*.npy")), *sorted(out.glob("*.names.txt"))]


def _shard_bytes(out: Path) -> int:
    return sum(path.stat().st_size for path in _shards(out))


def _packed_bytes(out: Path) -> int:
    with tempfile.TemporaryFile() as file:
        with lzma.open(file, "wb", preset=9) as packed, tarfile.open(None, "w", packed) as archive:
            for path in _shards(out):
                archive.add(path, arcname=path.name)
        return file.tell()


if __name__ == "__main__":
    main()
