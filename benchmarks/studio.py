"""The studio under load: clients at once, the queue, memory over many compositions.

    python benchmarks/studio.py [--model PATH] [--clients 50] [--jobs 500]

A server of its own is started. First one user alone: seconds from the request to the first new
note, beside those of the same model composing without a server. Then clients that all ask at
once, come back when the queue is full, and follow their events to the end: none may be lost, and
no position may grow. Then compositions one after the other, with the server's memory at the
beginning and at the end.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from common import parse, parser, run, tell

from musenet.composing.composer import Composer, load
from musenet.composing.decoding import Stopped
from musenet.instruments import DRUMS

PIECE: Mapping[str, Any] = {"minutes": 0.1, "candidates": 1, "instruments": ["piano"]}
ROUTE = "/v1/compositions"
ONE_USER = 20
"""Pieces of one user, and without a server; the first note of the quickest counts."""


@dataclass(frozen=True)
class Followed:
    """What a client saw: its end, the positions it was told, its waits and refusals."""

    state: str
    positions: Sequence[int]
    first_note: float
    seconds: float
    refused: int

    @property
    def honest(self) -> bool:
        """Whether the queue before it only ever became shorter."""
        return list(self.positions) == sorted(self.positions, reverse=True)


def main() -> None:
    """Measure and print."""
    made = parser(__doc__)
    made.add_argument("--model", type=Path, help="default: the model that comes with musenet")
    made.add_argument("--clients", type=int, default=50, help="at once (default 50)")
    made.add_argument("--jobs", type=int, default=500, help="one after another (default 500)")
    arguments = parse(made)
    alone = min(_alone(arguments.model, ONE_USER))
    with _server(arguments.model) as (http, process):
        served = min(_follow(http, 0).first_note for _ in range(ONE_USER))
        with ThreadPoolExecutor(arguments.clients) as pool:
            seen = list(pool.map(lambda seed: _follow(http, seed), range(arguments.clients)))
        memory = [_memory(process)]
        for seed in range(arguments.jobs):
            _follow(http, seed)
            if seed == arguments.jobs // 10:
                memory.append(_memory(process))
        memory.append(_memory(process))
    rows = [
        ("first note, one user, s", served), ("the same without a server, s", alone),
        ("ratio", served / alone), ("clients at once", len(seen)),
        ("finished", sum(one.state == "finished" for one in seen)),
        ("queue told truly", sum(one.honest for one in seen)),
        ("refused, and came again", sum(one.refused for one in seen)),
        ("longest wait for the first note, s", max(one.first_note for one in seen)),
        ("all done after, s", max(one.seconds for one in seen)),
        ("memory before, after a tenth, and after the jobs, MB",
         ", ".join(f"{value:.0f}" for value in memory)),
    ]  # fmt: skip
    tell(arguments, ("", "value"), rows, {"jobs": arguments.jobs})


def _alone(model: Path | None, times: int) -> list[float]:
    """Seconds from asking a loaded composer to its first note, so many times."""
    composer = load(model)
    _ = composer.network
    return [_first_note(composer) for _ in range(times)]


def _first_note(composer: Composer) -> float:
    begun, calls, first = time.perf_counter(), 0, 0.0

    def on_rows(_: int, rows: Any) -> None:  # noqa: ANN401
        nonlocal calls, first
        calls += 1
        if calls > 1 and not first and (rows[:, 1] <= DRUMS).any():
            first = time.perf_counter() - begun

    with suppress(Stopped):
        composer.compose(**PIECE, seed=0, on_rows=on_rows, stop=lambda: first > 0)
    return first


def _follow(http: httpx.Client, seed: int) -> Followed:
    """Ask for a piece and follow it to its end."""
    begun, refused = time.perf_counter(), 0
    while (answer := http.post(ROUTE, json={**PIECE, "seed": seed})).status_code == 429:
        refused += 1
        time.sleep(int(answer.headers["retry-after"]))
    job, positions, first = answer.raise_for_status().json()["id"], [], 0.0
    for name, data in _events(http, f"{ROUTE}/{job}/events"):
        if name == "queued":
            positions.append(data["position"])
        elif name == "notes" and data["notes"] and not first:
            first = time.perf_counter() - begun
        elif name == "end":
            return Followed(data["state"], positions, first, time.perf_counter() - begun, refused)
    return Followed("lost", positions, first, time.perf_counter() - begun, refused)


def _events(http: httpx.Client, path: str) -> Iterator[tuple[str, Any]]:
    name = ""
    with http.stream("GET", path) as stream:
        for line in stream.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))


@contextmanager
def _server(model: Path | None) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    """A server in a process of its own, ready."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "musenet", "studio", "--port", "0", "--data", folder]
        command += ["--model", str(model)] if model else []
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        address = next(word for word in process.stdout.readline().split() if "://" in word)
        limits = httpx.Limits(max_connections=None)
        try:
            with httpx.Client(base_url=address, timeout=600, limits=limits) as http:
                _await(http)
                yield http, process
        finally:
            process.terminate()
            process.wait()


def _await(http: httpx.Client) -> None:
    pause = threading.Event()
    while True:
        try:
            if http.get("/ready").status_code == 200:
                return
        except httpx.ConnectError:
            pass
        pause.wait(0.1)


def _memory(process: subprocess.Popen[str]) -> float:
    """Resident memory of a process in MB."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    run(main)
