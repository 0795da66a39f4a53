from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from composers import random_composer
from studios import LIMITS, LONG, SHORT, Studio, events_of, served

from musenet.composing.composer import Composer
from musenet.studio.app import create_app
from musenet.studio.settings import Settings
from musenet.studio.store import Store

ONE = {"candidates": 1, "seed": 1, "instruments": ["piano"]}


def is_running(told: dict[str, Any]) -> bool:
    return bool(told["state"] == "running")


@pytest.mark.parametrize("together", [1, 2])
def test_the_queue_is_honest_and_bounded(tmp_path: Path, together: int) -> None:
    with served(tmp_path, limits=replace(LIMITS, together=together)) as studio:
        studio.done(studio.post("/v1/compositions", **SHORT)["id"])
        running = [studio.post("/v1/compositions", **LONG) for _ in range(together)]
        for job in running:
            studio.until(job["id"], is_running)
        waiting = [studio.post("/v1/compositions", **LONG) for _ in range(LIMITS.queue)]
        assert [job["position"] - together for job in waiting] == [0, 1, 2]
        waits = [job["wait_seconds"] for job in waiting]
        assert waits == sorted(waits)
        assert waits[0] > 0
        count = len(studio.get("/v1/projects")["projects"])
        response = studio.http.post("/v1/compositions", json=LONG)
        assert response.status_code == 429
        assert int(response.headers["retry-after"]) >= 1
        assert len(studio.get("/v1/projects")["projects"]) == count
        first = studio.get("/v1/compositions")["compositions"][: together + 3]
        assert [job["state"] for job in first] == ["running"] * together + ["queued"] * 3
        gone = studio._json(studio.http.delete(f"/v1/compositions/{waiting[0]['id']}"))
        assert gone["state"] == "cancelled"
        assert studio.get(f"/v1/compositions/{waiting[1]['id']}")["position"] == together
        log = events_of(studio.http.get(f"/v1/compositions/{waiting[0]['id']}/events").text)
        assert [name for _, name, _ in log] == ["queued", "end"]
        for job in (*running, *waiting):
            studio.http.delete(f"/v1/compositions/{job['id']}")
        assert studio.done(waiting[2]["id"])["state"] == "cancelled"


def pitches_of(studio: Studio, composition: str) -> list[list[int]]:
    """Pitches of the candidates, in their order."""
    project = studio.done(composition)["project"]
    nodes = sorted(studio.get(f"/v1/projects/{project}")["tree"], key=lambda n: n["candidate"])
    scores = [studio.get(f"/v1/nodes/{node['id']}/score") for node in nodes]
    return [[note["pitch"] for note in score["notes"]] for score in scores]


def test_compositions_that_run_together_are_those_that_run_alone(studio: Studio) -> None:
    wishes = [{**SHORT, "minutes": 1.0, "seed": seed} for seed in (5, 6)]
    alone = [pitches_of(studio, studio.post("/v1/compositions", **one)["id"]) for one in wishes]
    other = studio.post("/v1/compositions", **LONG)
    jobs = [studio.post("/v1/compositions", **one) for one in wishes]
    for job in (other, *jobs):
        studio.until(job["id"], is_running)
    text = studio.http.get("/metrics").text
    assert "musenet_running 3.0" in text
    assert [pitches_of(studio, job["id"]) for job in jobs] == alone
    assert studio.get(f"/v1/compositions/{other['id']}")["state"] == "running"
    studio.http.delete(f"/v1/compositions/{other['id']}")


def test_cancelling_one_leaves_those_beside_it(studio: Studio) -> None:
    given_up, left = (studio.post("/v1/compositions", **LONG) for _ in range(2))
    for job in (given_up, left):
        studio.until(job["id"], lambda told: told["seconds"] > 0)
    begun = time.monotonic()
    studio.http.delete(f"/v1/compositions/{given_up['id']}")
    studio.until(given_up["id"], lambda told: told["state"] == "cancelled", 1.0)
    assert time.monotonic() - begun < 1.0
    seconds = studio.get(f"/v1/compositions/{left['id']}")["seconds"]
    studio.until(left["id"], lambda told: is_running(told) and told["seconds"] > seconds)
    studio.http.delete(f"/v1/compositions/{left['id']}")
    assert studio.done(left["id"])["state"] == "cancelled"


def test_cancelling_frees_the_worker_within_a_second(studio: Studio) -> None:
    job = studio.post("/v1/compositions", **LONG)
    studio.until(job["id"], lambda told: told["seconds"] > 0)
    begun = time.monotonic()
    told = studio._json(studio.http.delete(f"/v1/compositions/{job['id']}"))
    assert told["state"] == "cancelled"
    assert time.monotonic() - begun < 1.0
    assert studio.get(f"/v1/projects/{told['project']}")["tree"] == []
    assert studio.done(studio.post("/v1/compositions", **SHORT)["id"])["state"] == "finished"
    again = studio._json(studio.http.delete(f"/v1/compositions/{job['id']}"))
    assert again["state"] == "cancelled"


def test_a_deadline_ends_a_composition(tmp_path: Path) -> None:
    with served(tmp_path, limits=replace(LIMITS, deadline_seconds=0.2)) as studio:
        told = studio.done(studio.post("/v1/compositions", **LONG)["id"])
        assert told["state"] == "failed"
        assert "fewer minutes" in told["error"]


def test_a_restart_interrupts_what_was_in_the_making(tmp_path: Path) -> None:
    with served(tmp_path) as studio:
        done = studio.done(studio.post("/v1/compositions", **SHORT)["id"])
        jobs = [studio.post("/v1/compositions", **LONG) for _ in range(2)]
        studio.until(jobs[0]["id"], lambda told: told["state"] == "running")
    with served(tmp_path) as studio:
        states = [studio.get(f"/v1/compositions/{job['id']}")["state"] for job in jobs]
        assert states == ["interrupted", "interrupted"]
        past = studio.http.get(f"/v1/compositions/{done['id']}/events")
        names = [name for _, name, _ in events_of(past.text)]
        assert names == ["candidate", "candidate", "end"]
        listed = studio.get("/v1/compositions", project=done["project"])["compositions"]
        assert [one["id"] for one in listed] == [done["id"]]


def test_a_crash_leaves_no_composition_in_the_making(tmp_path: Path) -> None:
    store = Store(tmp_path)
    told = {"id": "a", "project": store.add_project("x"), "created": 1.0, "state": "running"}
    store.save_composition(told)
    store.close()
    store = Store(tmp_path)
    found = store.composition("a")
    assert found is not None
    assert found["state"] == "interrupted"
    store.close()


def test_a_fault_ends_one_job_and_not_the_worker(tmp_path: Path) -> None:
    composer = random_composer()
    real, calls = composer.compose, []

    def compose(**asked: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("secret")
        return real(**asked)

    composer.compose = compose  # type: ignore[method-assign]
    with served(tmp_path, lambda: composer) as studio:
        told = studio.done(studio.post("/v1/compositions", **SHORT)["id"])
        assert told["state"] == "failed"
        assert "secret" not in told["error"]
        assert studio.done(studio.post("/v1/compositions", **SHORT)["id"])["state"] == "finished"


@pytest.mark.parametrize(
    ("lost", "state"), [("running", "failed"), ("finished", "finished"), ("failed", "failed")]
)
def test_a_state_that_cannot_be_stored_ends_one_job_and_not_the_worker(
    tmp_path: Path, lost: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    composer = random_composer()
    if lost == "failed":
        composer.arrange = lambda *_, **__: 1 / 0  # type: ignore[method-assign,assignment]
    with served(tmp_path, lambda: composer, limits=replace(LIMITS, together=1)) as studio:
        lose(lost, monkeypatch)
        place = f"/v1/nodes/{studio.node()['id']}/arrangements"
        job = studio.post(place if lost == "failed" else "/v1/compositions", **ONE)["id"]
        assert studio.done(job)["state"] == state
        events = events_of(studio.http.get(f"/v1/compositions/{job}/events").text)
        assert (events[-1][1], events[-1][2]["state"]) == ("end", state)
        monkeypatch.undo()
        assert studio.done(studio.post("/v1/compositions", **ONE)["id"])["state"] == "finished"
        assert "musenet_running 0.0" in studio.http.get("/metrics").text


def test_giving_up_is_heard_even_if_it_cannot_be_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(tmp_path, limits=replace(LIMITS, together=1)) as studio:
        running, waiting = (studio.post("/v1/compositions", **LONG)["id"] for _ in range(2))
        studio.until(running, is_running)
        lose("cancelled", monkeypatch)
        for job in (waiting, running):
            studio.http.delete(f"/v1/compositions/{job}")
            assert studio.done(job)["state"] == "cancelled"
        assert studio.done(studio.post("/v1/compositions", **ONE)["id"])["state"] == "finished"


def test_what_cannot_be_stored_is_not_composed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(tmp_path, limits=replace(LIMITS, together=1)) as studio:
        running = studio.post("/v1/compositions", **LONG)["id"]
        studio.until(running, is_running)
        lose("queued", monkeypatch)
        with pytest.raises(sqlite3.OperationalError):
            studio.post("/v1/compositions", **ONE)
        assert "musenet_queue_length 0.0" in studio.http.get("/metrics").text
        monkeypatch.undo()
        assert studio.post("/v1/compositions", **ONE)["position"] == 1
        studio.http.delete(f"/v1/compositions/{running}")


def lose(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the database fail where a composition comes into a state."""
    real = Store.save_composition

    def save(store: Store, told: Any) -> None:
        if told["state"] == state:
            raise sqlite3.OperationalError("disk I/O error")
        real(store, told)

    monkeypatch.setattr(Store, "save_composition", save)


def test_until_the_model_is_there_it_says_so(tmp_path: Path) -> None:
    go = threading.Event()

    def slow() -> Composer:
        go.wait(20)
        return random_composer()

    app = create_app(Settings(tmp_path), slow)
    from fastapi.testclient import TestClient

    with TestClient(app, base_url="http://localhost") as http:
        assert http.get("/health").status_code == 200
        assert http.get("/ready").json() == {"status": "loading"}
        assert http.post("/v1/compositions", json=SHORT).status_code == 503
        assert http.get("/v1/about").json()["model"] is None
        go.set()


def test_a_model_that_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    def broken() -> Composer:
        raise RuntimeError("no weights")

    from fastapi.testclient import TestClient

    with TestClient(create_app(Settings(tmp_path), broken), base_url="http://localhost") as http:
        for _ in range(100):
            if http.get("/ready").json() == {"status": "failed"}:
                break
            time.sleep(0.02)
        answer = http.post("/v1/compositions", json=SHORT)
        assert answer.status_code == 503
        assert "no weights" in answer.json()["error"]["message"]


@contextmanager
def listening(folder: Path) -> Iterator[httpx.Client]:
    """A server on a real socket, whose connections can be closed."""
    config = uvicorn.Config(
        create_app(Settings(folder, limits=LIMITS), random_composer), port=0, log_level="error",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
        while http.get("/ready").status_code != 200:
            time.sleep(0.01)
        try:
            yield http
        finally:
            server.should_exit = True
            thread.join()


def state(http: httpx.Client, job: str) -> str:
    found: str = http.get(f"/v1/compositions/{job}").json()["state"]
    return found


def test_closing_the_page_frees_the_worker_within_a_second(tmp_path: Path) -> None:
    with listening(tmp_path) as http:
        for detach, after in ((False, "cancelled"), (True, "running")):
            job = http.post("/v1/compositions", json={**LONG, "detach": detach}).json()["id"]
            with http.stream("GET", f"/v1/compositions/{job}/events") as stream:
                for line in stream.iter_lines():
                    if line == "event: progress":
                        break
            begun = time.monotonic()
            while state(http, job) == "running" and time.monotonic() - begun < 1.0:
                time.sleep(0.02)
            assert state(http, job) == after
        http.delete(f"/v1/compositions/{job}")
        job = http.post("/v1/compositions", json={**LONG, "detach": False}).json()["id"]
        for after_event in range(2):
            headers = {"last-event-id": str(after_event)}
            with http.stream("GET", f"/v1/compositions/{job}/events", headers=headers) as stream:
                next(stream.iter_lines())
            time.sleep(0.25)
        assert state(http, job) == "running"
        begun = time.monotonic()
        while state(http, job) == "running" and time.monotonic() - begun < 1.0:
            time.sleep(0.02)
        assert state(http, job) == "cancelled"
