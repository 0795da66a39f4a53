from __future__ import annotations

import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from composers import random_composer
from music import melody
from studios import SHORT, Studio, events_of, served

from musenet import midi
from musenet.composing.ranking import Copy
from musenet.instruments import INSTRUMENTS
from musenet.midi import to_bytes


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
    for wrong in ("x", "9" * 5000):
        studio.fails("GET", path, 400, "bad_request", headers={"last-event-id": wrong})
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


@pytest.mark.parametrize("gone", ["project", "node"])
def test_what_is_deleted_while_it_composes_loses_no_candidate(tmp_path: Path, gone: str) -> None:
    composer, go = random_composer(), threading.Event()
    real = composer.compose

    def compose(**asked: Any) -> Any:
        made = real(**asked)
        assert go.wait(20)
        return made

    composer.compose = compose  # type: ignore[method-assign]
    with served(tmp_path, lambda: composer) as studio:
        node = studio.node()
        asked = {"minutes": 0.3, "candidates": 2, "seed": 1, "parent": node["id"]}
        job = studio.post("/v1/compositions", **asked)["id"]
        studio.http.delete(f"/v1/{gone}s/{node['project' if gone == 'project' else 'id']}")
        go.set()
        told = studio.done(job)
        assert (told["state"], len(told["nodes"])) == ("finished", 2)
        names = [name for _, name, _ in events_of(studio.http.get(
            f"/v1/compositions/{job}/events").text)]  # fmt: skip
        assert names.count("candidate") == 2
        if gone == "project":
            studio.post(f"/v1/projects/{node['project']}/restore")
        tree = {one["id"]: one for one in studio.get(f"/v1/projects/{node['project']}")["tree"]}
        parent = node["id"] if gone == "project" else None
        assert [tree[one]["parent"] for one in told["nodes"]] == [parent, parent]


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
        ({"sections": [{"at": "9" * 5000 + ":00"}]}, 422, "invalid", "at"),
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
