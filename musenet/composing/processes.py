"""Candidates shared among processes: on a machine of several cores all are there sooner.

A candidate does not depend on those beside it (`network.Packed`), so each process composes some,
and together they are what one process makes.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from musenet.composing.decoding import Stopped
from musenet.composing.finishing import Composition
from musenet.composing.planning import Watch
from musenet.composing.prompt import Prompt
from musenet.composing.sampling import Sampling
from musenet.errors import UserError

if TYPE_CHECKING:
    from musenet.composing.composer import Composer

_PATIENCE = 0.5
"""Seconds after which it is asked again whether to stop."""
PAYS = 60.0
"""Seconds of music that a process composes at least: it takes two to begin."""


@dataclass(frozen=True)
class Asked:
    """What is asked for, as `Composer.answer` takes it."""

    prompt: Prompt
    how: Sampling
    given: Path | str | bytes | None
    at: int | None
    seed: int
    candidates: int

    def answer(self, composer: Composer, places: Sequence[int], watch: Watch) -> list[Composition]:
        """The candidates at some places."""
        return composer.answer(
            self.prompt, self.how, self.given, self.at, seed=self.seed,
            candidates=self.candidates, places=places, watch=watch,
        )  # fmt: skip


def usual(candidates: int, seconds: float) -> int:
    """How many processes pay for so many candidates of `seconds` each."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return int(max(1.0, min(cores, candidates, candidates * seconds / PAYS)))


@dataclass(frozen=True)
class _Task:
    """What another process is told: what is asked for, of which model, which sees how much."""

    asked: Asked
    model: Path
    context: int


@dataclass
class _Helper:
    """What another process has told so far.

    Attributes:
        seconds: of music.
        made: its candidates, once they are there.
    """

    pipe: Connection
    seconds: float = 0.0
    made: list[Composition] | None = None

    def listen(self) -> None:
        """Take in what was told since.

        Raises:
            UserError: its process was ended.
            Exception: whatever went wrong there.
        """
        while self.made is None and self.pipe.poll():
            try:
                told = self.pipe.recv()
            except EOFError as error:
                raise UserError(
                    "a process that composed candidates was ended from outside: "
                    "give --processes 1, which needs less memory"
                ) from error
            if isinstance(told, Exception):
                raise told
            if isinstance(told, float):
                self.seconds = told
            else:
                self.made = told


def in_processes(
    composer: Composer, model: Path, asked: Asked, processes: int, watch: Watch
) -> list[Composition]:
    """All candidates, of which this process composes the first of so many.

    Args:
        composer: composes in this process.
        model: the file that it was loaded from.
        asked: what for.
        processes: how many share the candidates.
        watch: follows the composing, but for its rows.

    Raises:
        UserError: what was asked for cannot be had, or a process was ended.
        Stopped: `watch.stop` said so.
    """
    candidates = asked.candidates
    shares = [range(first, candidates, processes) for first in range(min(processes, candidates))]
    task = _Task(asked, model, composer.context)
    with _helpers(task, shares[1:]) as helpers:

        def show(seconds: float) -> None:
            for helper in helpers:
                helper.listen()
            slowest = min([seconds, *(h.seconds for h in helpers if h.made is None)])
            if watch.progress is not None and slowest < np.inf:
                watch.progress(slowest)

        made = [asked.answer(composer, shares[0], replace(watch, progress=show))]
        while waited := [helper for helper in helpers if helper.made is None]:
            wait([helper.pipe for helper in waited], _PATIENCE)
            if watch.stop is not None and watch.stop():
                raise Stopped
            show(np.inf)
        made += [helper.made for helper in helpers if helper.made is not None]
    speed = round(sum(own[0].facts["notes_per_second"] for own in made), 1)
    return [
        replace(piece, facts={**piece.facts, "notes_per_second": speed})
        for place in range(candidates)
        for piece in [made[place % len(shares)][place // len(shares)]]
    ]


@contextmanager
def _helpers(task: _Task, shares: Sequence[Sequence[int]]) -> Iterator[list[_Helper]]:
    """Processes that compose a share each; they are ended with the block."""
    context = get_context("spawn")
    begun: list[SpawnProcess] = []
    helpers: list[_Helper] = []
    try:
        for share in shares:
            here, there = context.Pipe(duplex=False)
            helpers.append(_Helper(here))
            process = context.Process(target=_help, args=(task, share, there))
            with _deaf_to_interrupts():
                process.start()
            begun.append(process)
            there.close()
        yield helpers
    finally:
        for process in begun:
            process.terminate()
            process.join()
        for helper in helpers:
            helper.pipe.close()


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes that begin in the block ignore Ctrl-C: who began them ends them.

    Only the main thread can see to that.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _help(task: _Task, share: Sequence[int], pipe: Connection) -> None:
    """Compose a share in this process and tell of it, as long as somebody listens."""
    from musenet.composing.composer import load

    torch.set_num_threads(1)
    told: list[Composition] | Exception
    with suppress(BrokenPipeError):
        try:
            composer = load(task.model)
            composer.context = task.context
            told = task.asked.answer(composer, share, Watch(progress=pipe.send))
        except BrokenPipeError:
            return
        except Exception as error:
            told = error
        pipe.send(told)
