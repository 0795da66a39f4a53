"""Compositions some at a time: a queue, and the threads that compose.

Jobs begin in the order in which they came. Those that run at the same time take the steps of the
network together, and each ends when it is done.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from musenet.composing.composer import Composer
from musenet.composing.decoding import Stopped
from musenet.composing.finishing import Composition
from musenet.composing.joined import Joined
from musenet.errors import UserError
from musenet.events import Table
from musenet.score import TICKS_PER_BEAT
from musenet.studio.events import EventLog
from musenet.studio.metrics import Metrics
from musenet.studio.problems import Problem, bad_request, fault
from musenet.studio.settings import Limits
from musenet.studio.store import new_id
from musenet.studio.streaming import Reader, Telling, fresh

FIRST_READER = 10.0
"""Seconds within which somebody must follow a job that is not detached."""
GRACE = 0.6
"""Seconds for which such a job goes on when its last reader has gone."""
FLUSH = 0.15
"""Seconds between events with new notes."""
SHORTEST_WAIT, LONGEST_WAIT = 1, 600
"""Seconds after which those who find the queue full are told to come back."""
_log = logging.getLogger("musenet.studio")

State = Literal["queued", "running", "finished", "cancelled", "failed", "interrupted"]
Compose = Callable[[Composer, "Watch"], list[Composition]]


@dataclass(eq=False)
class Job:
    """A composition that is wanted.

    Attributes:
        compose: called with the composer and what watches it.
        deliver: given the pieces, in a thread of the worker, before the job is finished.
        changed: told of every change of state.
        seconds_wanted: of music.
        candidates: how many pieces.
        detach: whether it goes on when nobody follows.
        told: what else the API tells of it.
        reader: reads the rows of a candidate; called for each.
    """

    compose: Compose
    deliver: Callable[[Job, Sequence[Composition]], None]
    changed: Callable[[Job], None]
    seconds_wanted: float
    candidates: int
    detach: bool = True
    told: Mapping[str, Any] = field(default_factory=dict)
    reader: Callable[[], Telling] = Reader
    id: str = field(default_factory=new_id)
    created: float = field(default_factory=time.time)
    began: float = field(default_factory=time.monotonic)
    state: State = "queued"
    started: float | None = None
    finished: float | None = None
    seconds: float = 0.0
    failure: Problem | None = None
    position: int | None = None
    nodes: list[str] = field(default_factory=list)
    log: EventLog = field(default_factory=EventLog)
    cancelled: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    followers: int = 0
    left: float = field(default_factory=lambda: time.monotonic() + FIRST_READER - GRACE)

    @property
    def unwanted(self) -> bool:
        """Whether it was cancelled, or nobody follows it any more who should."""
        alone = self.followers <= 0 and time.monotonic() > self.left + GRACE
        return self.cancelled.is_set() or (alone and not self.detach)

    def follow(self, change: int) -> None:
        """A reader has come (1) or gone (-1)."""
        self.followers += change
        self.left = time.monotonic()

    def facts(self, position: int | None = None, wait: float | None = None) -> dict[str, Any]:
        """The job as the API tells it."""
        return {
            "id": self.id, **self.told, "state": self.state, "position": position,
            "wait_seconds": None if wait is None else round(wait, 1), "created": self.created,
            "started": self.started, "finished": self.finished,
            "seconds": round(self.seconds, 2), "of": round(self.seconds_wanted, 2),
            "candidates": self.candidates, "nodes": list(self.nodes),
            "error": None if self.failure is None else self.failure.message,
        }  # fmt: skip


class Worker:
    """The queue and its threads, one for each job that may run at a time."""

    def __init__(self, load: Callable[[], Composer], limits: Limits, metrics: Metrics) -> None:
        """Not yet running; `load` gets the model, in one of the threads."""
        self.limits, self.metrics = limits, metrics
        self.composer: Composer | None = None
        self.failure: str | None = None
        self._load = load
        self._waiting: list[Job] = []
        self._running: list[Job] = []
        self._pace: float | None = None
        self._closing = False
        self._condition = threading.Condition()
        self._loading = threading.Thread(target=self._begin, name="composing", daemon=True)
        self._others: list[threading.Thread] = []

    def start(self) -> None:
        """Load the model and begin to compose."""
        self._loading.start()

    def close(self) -> None:
        """Stop composing; what waits or runs is interrupted."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        for thread in (self._loading, *self._others):
            if thread.is_alive():
                thread.join(timeout=30)

    def ready(self) -> Composer:
        """The composer.

        Raises:
            Problem: it is not loaded yet, or could not be.
        """
        if self.failure:
            raise Problem(503, "failed", f"the model cannot be used: {self.failure}")
        if self.composer is None:
            raise Problem(503, "loading", "the model is being loaded", {"Retry-After": "2"})
        return self.composer

    def submit(self, job: Job) -> None:
        """Put a job behind the others.

        Raises:
            Problem: too many wait already.
        """
        with self._condition:
            self.check_room()
            job.changed(job)
            self._waiting.append(job)
            self._tell_positions()
            self._condition.notify_all()

    def check_room(self) -> None:
        """Refuse another job where too many wait already.

        Raises:
            Problem: they do.
        """
        with self._condition:
            self._drop_unwanted()
            if len(self._waiting) < self.limits.queue:
                return
            wait = self._waits()[0] if self._waiting else None
            again = min(LONGEST_WAIT, max(SHORTEST_WAIT, round(wait or 5.0)))
            raise Problem(429, "busy", f"{len(self._waiting)} compositions wait already: come "
                          f"back in {again} s", {"Retry-After": str(again)})  # fmt: skip

    def cancel(self, job: Job) -> None:
        """Give a job up; a running one stops at its next row."""
        job.cancelled.set()
        self.tidy()

    def tidy(self) -> None:
        """Drop what nobody wants any more from the queue."""
        with self._condition:
            self._drop_unwanted()

    def facts(self, job: Job) -> dict[str, Any]:
        """The job as the API tells it, with its place in the queue."""
        with self._condition:
            self._drop_unwanted()
            if job not in self._waiting:
                return job.facts()
            place = self._waiting.index(job)
            return job.facts(*self._place(place))

    def _place(self, place: int) -> tuple[int, float | None]:
        """How many come before the job at a place of the queue, and for how long."""
        return place + len(self._running), self._waits()[place]

    def _waits(self) -> list[float | None]:
        """Seconds until each waiting job begins, by the pace of those before; None if unknown."""
        if self._pace is None:
            return [None] * len(self._waiting)
        left = [max(0.0, job.seconds_wanted - job.seconds) for job in self._running]
        free = [0.0] * (self.limits.together - len(left)) + sorted(left)
        waits: list[float | None] = []
        for job in self._waiting:
            waits.append(free[0] * self._pace)
            heapq.heapreplace(free, free[0] + job.seconds_wanted)
        return waits

    def _tell_positions(self) -> None:
        self.metrics.queue.set(len(self._waiting))
        for place, job in enumerate(self._waiting):
            position, wait = self._place(place)
            if job.position == position:
                continue
            job.position, wait = position, None if wait is None else round(wait, 1)
            job.log.add("queued", {"position": position, "wait_seconds": wait})

    def _drop_unwanted(self) -> None:
        dropped = [job for job in self._waiting if job.unwanted]
        if dropped:
            self._waiting = [job for job in self._waiting if job not in dropped]
            for job in dropped:
                self._end(job, "cancelled")
            self._tell_positions()

    def _begin(self) -> None:
        """Load the model, then work with the other threads."""
        try:
            composer = self._load()
            network = composer.network = Joined(composer.network)
            self.composer = composer
        except Exception as error:
            self.failure = str(error)
            _log.error("the model cannot be loaded", exc_info=error)
            return
        work = partial(self._work, composer, network)
        self._others = [
            threading.Thread(target=work, name=f"composing {place}", daemon=True)
            for place in range(2, self.limits.together + 1)
        ]
        for thread in self._others:
            thread.start()
        work()

    def _work(self, composer: Composer, network: Joined) -> None:
        while job := self._next():
            try:
                self._run(job, composer)
            finally:
                network.leave()
                with self._condition:
                    self._running.remove(job)
                    self.metrics.running.set(len(self._running))
                    self._tell_positions()

    def _next(self) -> Job | None:
        """The next job, once there is one; None when the server stops."""
        with self._condition:
            while not self._closing:
                self._drop_unwanted()
                if self._waiting:
                    job = self._waiting.pop(0)
                    self._running.append(job)
                    self.metrics.running.set(len(self._running))
                    job.state, job.started = "running", time.time()
                    self._tell_positions()
                    return job
                self._condition.wait()
            for job in self._waiting:
                self._end(job, "interrupted")
            self._waiting = []
            return None

    def _run(self, job: Job, composer: Composer) -> None:
        """Compose a job, whatever comes of it."""
        begun = time.monotonic()
        try:
            job.changed(job)
            watch = Watch(job, self, begun + self.limits.deadline_seconds)
            pieces = job.compose(composer, watch)
            watch.flush()
            job.deliver(job, pieces)
            self._learn(job, pieces, time.monotonic() - begun)
            self._end(job, "finished")
        except Stopped:
            self._stopped(job)
        except UserError as error:
            self._end(job, "failed", bad_request(error))
        except Problem as problem:
            self._end(job, "failed", problem)
        except Exception as error:
            _log.error("composing failed", exc_info=error)
            self._end(job, "failed", fault())

    def _stopped(self, job: Job) -> None:
        if job.unwanted:
            self._end(job, "cancelled")
        elif self._closing:
            self._end(job, "interrupted")
        else:
            limit = self.limits.deadline_seconds
            late = f"it took longer than {limit:g} s: ask for fewer minutes or candidates"
            self._end(job, "failed", Problem(500, "failed", late))

    def _learn(self, job: Job, pieces: Sequence[Composition], taken: float) -> None:
        pace = taken / max(job.seconds_wanted, 1.0)
        with self._condition:
            self._pace = pace if self._pace is None else 0.7 * self._pace + 0.3 * pace
        self.metrics.composing.observe(taken)
        self.metrics.notes.inc(sum(len(piece.score.notes) for piece in pieces))
        self.metrics.music.inc(sum(piece.score.seconds for piece in pieces))

    def _end(self, job: Job, state: State, failure: Problem | None = None) -> None:
        """A job is over; those who wait for that are told even if it cannot be stored."""
        job.state, job.failure, job.finished = state, failure, time.time()
        self.metrics.compositions.labels(state).inc()
        try:
            job.changed(job)
        except Exception as error:
            _log.error("the end of a composition cannot be stored", exc_info=error)
        job.log.add("end", job.facts(), last=True)
        job.over.set()

    @property
    def closing(self) -> bool:
        """Whether the server stops."""
        return self._closing


class Watch:
    """Tells of a job while it is composed, and when to stop."""

    def __init__(self, job: Job, worker: Worker, deadline: float) -> None:
        """Watch a job until a time of the monotonic clock."""
        self.job, self.worker, self.deadline = job, worker, deadline
        self.readers = [job.reader() for _ in range(job.candidates)]
        self.flushed = 0.0
        self.kept: int | None = None
        self.is_silent = True
        job.log.add("started", {"candidates": job.candidates, "of": round(job.seconds_wanted, 2),
                                "ticks_per_beat": TICKS_PER_BEAT})  # fmt: skip

    def stop(self) -> bool:
        """Whether to give up."""
        if time.monotonic() - self.flushed > FLUSH:
            self.flush()
            self.worker.tidy()
        late = time.monotonic() > self.deadline
        return late or self.job.unwanted or self.worker.closing

    def progress(self, seconds: float) -> None:
        """So much music is there."""
        self.job.seconds = seconds
        self.job.log.add("progress", {"seconds": round(seconds, 2),
                                      "of": round(self.job.seconds_wanted, 2)})  # fmt: skip

    def on_rows(self, candidate: int, rows: Table) -> None:
        """A candidate has new rows, shape (n, 5)."""
        reader = self.readers[candidate]
        reader.read(rows)
        if self.kept is None:  # the first call has what was given
            self.kept = reader.seen
        elif self.is_silent and reader.seen > self.kept:
            self.is_silent = False
            self.worker.metrics.first_note.observe(time.monotonic() - self.job.began)
            self.flush()

    def flush(self) -> None:
        """Tell what is new."""
        self.flushed = time.monotonic()
        for told in fresh(self.readers):
            self.job.log.add("notes", told)
