"""Prints what building a corpus costs and gives: time, memory, sizes, counts, split.

python benchmarks/corpus.py FOLDER_OF_ARCHIVES [--workers 2] [--exclude PATTERN] [--json]
"""

from __future__ import annotations

import argparse
import lzma
import resource
import tarfile
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from common import run

from musenet.cli.output import print_facts, print_json, say, steps
from musenet.corpus.build import build
from musenet.corpus.report import Report


def main() -> None:
    """Build twice into a temporary folder (from nothing, then from its parts) and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+", type=Path)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--exclude", action="append", default=[])
    parser.add_argument("--json", action="store_true", help="print one JSON object, no tables")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        seconds, report = _timed(arguments, out)
        again, _ = _timed(arguments, out)
        facts = {
            "seconds": round(seconds, 1),
            "seconds_again_from_its_parts": round(again, 1),
            "megabytes_of_the_main_process": round(_megabytes(resource.RUSAGE_SELF)),
            "megabytes_of_the_largest_worker": round(_megabytes(resource.RUSAGE_CHILDREN)),
            "MiB_of_the_shards": round(_shard_bytes(out) / 2**20, 1),
            "MiB_as_tar_xz_9": round(_packed_bytes(out) / 2**20, 1),
            "largest_work_share_of_the_notes": round(_largest_share(report), 4),
        }
        if arguments.json:
            print_json({**facts, "report": asdict(report)})
            return
        print_facts(facts)
        say("\n" + (out / "report.md").read_text(encoding="utf8"))


def _largest_share(report: Report) -> float:
    largest = max(notes for _, _, notes in report.largest_works)
    return largest / sum(count.notes for count in report.splits.values())


def _timed(arguments: argparse.Namespace, out: Path) -> tuple[float, Report]:
    start = time.perf_counter()
    with steps() as tell:
        report = build(
            arguments.sources, out, exclude=arguments.exclude, workers=arguments.workers,
            progress=tell,
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
    run(main)
