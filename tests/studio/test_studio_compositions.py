from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from composers import random_composer
from music import melody
from studios import LIMITS, LONG, SHORT, Studio, events_of, served

from musenet import midi
from musenet.composing.composer import Composer
from musenet.composing.ranking import Copy
from musenet.instruments import INSTRUMENTS
from musenet.midi import to_bytes
from musenet.studio.app import create_app
from musenet.studio.settings import Settings


def test_a_composition_becomes_nodes_with_reasons(studio: Studio) -> None:
    asked = {**SHORT, "styles": {"mozart": 2, "jazz": 1}, "label": "first"}
    queued = studio.post("/v1/compositions", **asked)
    assert queued["state"] in ("queued", "running")
    told = studio.done(queued["id"])
    assert (told["state"], told["seconds"], told["error"]) == ("finished", told["of"], None)
    tree = studio.get(f"/v1/projects/{told['project']}")["tree"]
    assert sorted(told["nodes"]) == sorted(node["id"] for node in tree)
    best = next(node for node in tree if node["id"] == told["nodes"][0])
    assert (best["rank"], best["label"], best["composition"]) == (1, "first", told["id"])
    assert best["recipe"]["seed"] == 1
    assert best["recipe"]["prompt"]["styles"] == [["mozart", 2.0], ["jazz", 1.0]]
    assert best["facts"]["ended_by"] in ("model", "limit")
    assert best["verdict"]["reason"]
    assert sorted(node["rank"] for node in tree) == [1, 2]
    assert {node["candidate"] for node in tree} == {0, 1}
    assert list(best["instruments"]) == ["piano"]


def test_the_same_seed_gives_the_same_notes(studio: Studio) -> None:
    files = []
    for _ in range(2):
        told = studio.done(studio.post("/v1/compositions", **SHORT)["id"])
        tree = studio.get(f"/v1/projects/{told['project']}")["tree"]
        first = next(node for node in tree if node["candidate"] == 0)
        files.append(studio.http.get(f"/v1/nodes/{first['id']}/renderings/mid").content)
    assert files[0] == files[1]


def test_notes_come_as_they_are_made(studio: Studio) -> None:
    job = studio.post("/v1/compositions", **SHORT)
    response = studio.http.get(f"/v1/compositions/{job['id']}/events")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text.startswith("retry: ")
    events = events_of(response.text)
    assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
    names = [name for _, name, _ in events]
    assert names.index("started") < names.index("notes") < names.index("candidate")
    assert names[-1] == "end"
    for _, name, data in events:
        if name == "candidate":
            streamed = [n for _, kind, d in events if kind == "notes" for n in d["notes"]
                        if d["candidate"] == data["candidate"]]  # fmt: skip
            score = studio.get(f"/v1/nodes/{data['node']['id']}/score")
            scale = score["ticks_per_beat"] / 24
            keys = [(n["onset"] * scale, n["pitch"], n["duration"] * scale) for n in streamed]
            final = [(n["onset"], n["pitch"], n["duration"]) for n in score["notes"]]
            assert keys == final


def test_events_go_on_where_they_stopped(studio: Studio) -> None:
    job = studio.post("/v1/compositions", **SHORT)
    path = f"/v1/compositions/{job['id']}/events"
    events = events_of(studio.http.get(path).text)
    middle = len(events) // 2
    rest = events_of(studio.http.get(path, headers={"last-event-id": str(middle)}).text)
    assert rest == events[middle:]
    assert events_of(studio.http.get(path, params={"after": middle}).text) == rest
    last = {"last-event-id": str(len(events))}
    assert studio.http.get(path, headers=last).status_code == 204
    studio.fails("GET", path, 400, "bad_request", headers={"last-event-id": "x"})
    studio.fails("GET", "/v1/compositions/x/events", 404, "not_found")


def test_a_node_is_continued_from_a_bar(studio: Studio) -> None:
    node = studio.node(notes=40)
    asked = {**SHORT, "instruments": ["violin"], "minutes": 0.3, "candidates": 1}
    job = studio.post("/v1/compositions", parent=node["id"], keep_bars=2, **asked)
    told = studio.done(job["id"])
    child = studio.get(f"/v1/nodes/{told['nodes'][0]}")
    assert (child["parent"], child["kept_bars"], child["kind"]) == (node["id"], 2, "candidate")
    given = midi.load(to_bytes(melody(1, 40)))
    score = midi.load(studio.http.get(f"/v1/nodes/{child['id']}/renderings/mid").content)
    cut = 2 * 4 * 480
    pitches = score.notes["pitch"][score.notes["onset"] < cut].tolist()
    assert pitches == given.notes["pitch"][given.notes["onset"] < cut].tolist()
    assert {INSTRUMENTS[i].name for i in score.instruments} == {"piano", "violin"}
    assert abs(score.seconds - 18.0) <= 0.9


def test_an_opening_is_continued(studio: Studio) -> None:
    job = studio.post("/v1/compositions", opening="fur-elise", minutes=0.3, candidates=1)
    told = studio.done(job["id"])
    tree = studio.get(f"/v1/projects/{told['project']}")["tree"]
    assert [node["kind"] for node in tree] == ["opening", "candidate"]
    assert tree[1]["parent"] == tree[0]["id"] == told["parent"]


def test_bars_are_composed_anew(studio: Studio) -> None:
    node = studio.node(notes=40)
    asked = {"bars": [2, 3], "candidates": 1, "seed": 3}
    told = studio.done(studio.post(f"/v1/nodes/{node['id']}/arrangements", **asked)["id"])
    assert told["state"] == "finished", told
    before, after = (
        studio.get(f"/v1/nodes/{one}/score")["notes"] for one in (node["id"], told["nodes"][0])
    )
    start, stop = 4 * 480, 3 * 4 * 480

    def outside(notes: list[dict[str, Any]]) -> list[tuple[int, int]]:
        return [(n["onset"], n["pitch"]) for n in notes if not start <= n["onset"] < stop]

    assert outside(before) == outside(after)
    studio.fails("POST", f"/v1/nodes/{node['id']}/arrangements", 422, "limit",
                 json={"candidates": 9})  # fmt: skip


@pytest.mark.parametrize(
    "asked",
    [{"bars": [2, 3]}, {"instruments": ["cello"]}, {"instruments": ["flute"], "bars": [2, 4]}],
)
def test_notes_of_an_arrangement_come_as_they_are_made(
    studio: Studio, asked: dict[str, Any]
) -> None:
    node = studio.node(notes=40)
    job = studio.post(f"/v1/nodes/{node['id']}/arrangements", **asked, candidates=2, seed=3)
    events = events_of(studio.http.get(f"/v1/compositions/{job['id']}/events").text)
    (best, *_) = [data for _, name, data in events if name == "candidate"]
    told = [d for _, name, d in events if name == "notes" and d["candidate"] == best["candidate"]]
    streamed = [note for data in told for note in data["notes"]]
    first, rest = told[0]["notes"], streamed[len(told[0]["notes"]) :]
    start = 4 * 24 if "bars" in asked else 0
    stop = {"[2, 3]": 3, "[2, 4]": 4}.get(str(asked.get("bars")), 99) * 4 * 24
    assert rest
    assert all(start <= note["onset"] < stop for note in rest)
    assert len(first) >= 20
    score = studio.get(f"/v1/nodes/{best['node']['id']}/score")

    def keys(notes: list[dict[str, Any]], division: int) -> list[tuple[float, int, str, float]]:
        return sorted((n["onset"] * 24 / division, n["pitch"], n["instrument"],
                       round(n["start"], 2)) for n in notes)  # fmt: skip

    assert keys(streamed, 24) == keys(score["notes"], score["ticks_per_beat"])


def test_sections_change_what_plays(studio: Studio) -> None:
    sections = [
        {"at": "0:12", "styles": {"jazz": 1}, "instruments": ["flute"], "density": "light"},
        {"at": 6, "instruments": ["cello"], "tempo": 140},
    ]
    asked = {**SHORT, "minutes": 0.3, "candidates": 1, "sections": sections}
    told = studio.done(studio.post("/v1/compositions", **asked)["id"])
    assert told["state"] == "finished", told
    node = studio.get(f"/v1/nodes/{told['nodes'][0]}")
    assert [one["at"] for one in node["recipe"]["prompt"]["sections"]] == [12.0, 6.0]
    notes = studio.get(f"/v1/nodes/{node['id']}/score")["notes"]
    heard = {"piano": (0, 6), "cello": (6, 12), "flute": (12, 20)}
    assert {note["instrument"] for note in notes} == set(heard)
    for note in notes:
        since, until = heard[note["instrument"]]
        assert since - 1 <= note["start"] <= until + 1, note


@pytest.mark.parametrize("longer_than", [0.5, 1.0])
def test_passages_of_the_training_music_are_told(tmp_path: Path, longer_than: float) -> None:
    found = Copy(12, "archive/waltz.mid", longer_than)
    with served(tmp_path, find_copy=lambda score: found) as studio:
        assert studio.get("/v1/about")["originality"] is True
        told = studio.done(studio.post("/v1/compositions", **SHORT)["id"])
        verdict = studio.get(f"/v1/nodes/{told['nodes'][0]}")["verdict"]
    assert verdict["searched"] is True
    assert verdict["copied"] is (longer_than == 1.0)
    assert verdict["copy"] == asdict(found)


def test_without_an_index_nothing_is_searched(studio: Studio) -> None:
    assert studio.get("/v1/about")["originality"] is False
    told = studio.done(studio.post("/v1/compositions", **SHORT)["id"])
    verdict = studio.get(f"/v1/nodes/{told['nodes'][0]}")["verdict"]
    assert (verdict["searched"], verdict["copied"], verdict["copy"]) == (False, False, None)


def test_guidance_is_asked_for(studio: Studio) -> None:
    asked = {**SHORT, "styles": {"mozart": 1}, "candidates": 1}
    made = []
    for guidance in (1.0, 3.0):
        told = studio.done(studio.post("/v1/compositions", **asked, guidance=guidance)["id"])
        node = studio.get(f"/v1/nodes/{told['nodes'][0]}")
        assert node["recipe"]["sampling"]["guidance"] == guidance
        notes = studio.get(f"/v1/nodes/{node['id']}/score")["notes"]
        made.append([(note["onset"], note["pitch"]) for note in notes])
    assert made[0] != made[1]


@pytest.mark.parametrize(
    ("asked", "status", "code", "says"),
    [
        ({"sections": [{"at": 999}]}, 400, "bad_request", "when the piece is over"),
        ({"sections": [{"at": "noon"}]}, 400, "bad_request", "1:30"),
        ({"sections": [{"at": 3, "styles": {"film music": 1}}]}, 400, "bad_request", "style"),
        ({"sections": [{}]}, 422, "invalid", "at"),
        ({"sections": [{"at": 1}] * 33}, 422, "invalid", "sections"),
        ({"guidance": 9}, 422, "invalid", "guidance"),
        ({"styles": {"/etc/x.safetensors": 1}}, 422, "invalid", "by name"),
        ({"styles": {"film music": 1}}, 400, "bad_request", "unknown style"),
        ({"instruments": ["kazoo"]}, 400, "bad_request", "unknown instrument"),
        ({"tempo": 1000}, 400, "bad_request", "tempo 1000"),
        ({"notes": "H4"}, 400, "bad_request", "H4"),
        ({"metre": "x"}, 400, "bad_request", "metre x"),
        ({"chords": "Zz"}, 400, "bad_request", "Zz"),
        ({"keep_bars": 2}, 400, "bad_request", "parent"),
        ({"opening": "fur-elise", "tempo": 90}, 400, "bad_request", "tempo"),
        ({"opening": "fur-elise", "minutes": 0.1}, 400, "bad_request", "minutes"),
        ({"opening": "fur-elise", "keep_bars": 99}, 400, "bad_request", "bar"),
        ({"opening": "x"}, 404, "not_found", "opening"),
        ({"parent": "x"}, 404, "not_found", "node"),
        ({"project": "x"}, 404, "not_found", "project"),
        ({"minutes": 61}, 422, "limit", "minutes"),
        ({"candidates": 5}, 422, "limit", "candidates"),
        ({"candidates": 0}, 422, "invalid", "candidates"),
        ({"minutes": "long"}, 422, "invalid", "minutes"),
        ({"minute": 1}, 422, "invalid", "minute"),
        ({"seed": -1}, 422, "invalid", "seed"),
    ],
)
def test_what_cannot_be_had_is_told_at_once(
    studio: Studio, asked: dict[str, Any], status: int, code: str, says: str
) -> None:
    before = len(studio.get("/v1/projects")["projects"])
    message = studio.fails("POST", "/v1/compositions", status, code, json=asked)
    assert says in message
    assert "--" not in message
    assert len(studio.get("/v1/projects")["projects"]) == before


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
    from musenet.studio.store import Store

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
