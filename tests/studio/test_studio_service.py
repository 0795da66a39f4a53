from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path
from socket import AF_INET, IPPROTO_TCP, SOCK_STREAM

import pytest
from composers import random_composer
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from studios import SHORT, Studio, served
from style_toys import styled_corpus

from musenet.cli import main
from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.studio.events import EventLog
from musenet.studio.routes.page import files
from musenet.styles import STYLES


def test_health_and_what_it_allows(studio: Studio) -> None:
    assert studio.get("/health") == {"status": "ok"}
    assert studio.get("/ready") == {"status": "ready"}
    told = studio.get("/v1/about")
    assert told["model"]["name"] == "random"
    assert told["limits"]["queue"] == 3
    assert "mp3" in told["renderings"]


def test_metrics_tell_what_happened(studio: Studio) -> None:
    studio.done(studio.post("/v1/compositions", **SHORT)["id"])
    text = studio.http.get("/metrics").text
    found = {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels in ({}, {"state": "finished"})
    }
    assert found["musenet_compositions_total"] >= 1
    assert found["musenet_notes_total"] > 0
    assert found["musenet_first_note_seconds_count"] >= 1
    assert found["musenet_queue_length"] == 0
    assert found["process_resident_memory_bytes"] > 0
    assert 'route="/v1/compositions/{composition}"' in text
    assert 'route="none"' not in text or "/v1/compositions/" in text


def test_words_to_ask_with(studio: Studio) -> None:
    told = studio.get("/v1/styles")["styles"]
    assert [one["name"] for one in told] == [style.name for style in STYLES]
    assert all(one["family"] for one in told)
    instruments = studio.get("/v1/instruments")
    assert len(instruments["instruments"]) == len(INSTRUMENTS)
    assert instruments["instruments"][DRUMS]["drums"]
    assert {"key": 36, "name": "Bass Drum"} in instruments["drum_keys"]


def test_styles_have_places_where_the_model_knows_them(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    counts = {style.name: [30, 1] for style in STYLES[:12]}
    composer = random_composer(style_counts=counts)
    with served(tmp_path, lambda: composer) as studio:
        told = studio.get("/v1/styles")["styles"]
        assert all(-1 <= one["x"] <= 1 and -1 <= one["y"] <= 1 for one in told[:12])
        assert (told[0]["works"], told[0]["arranged"]) == (30, 1)
        assert told[-1]["x"] is None


def test_the_contract_is_documented(studio: Studio) -> None:
    told = studio.get("/openapi.json")
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    for path in told["paths"]:
        last = path.rstrip("/").split("/")[-1]
        name = last if not last.startswith("{") else path.split("/")[2]
        assert name in text, path
    for operations in told["paths"].values():
        assert all(operation.get("description") for operation in operations.values())


def test_unknown_places_and_methods(studio: Studio) -> None:
    studio.fails("GET", "/v1/nothing", 404, "not_found")
    studio.fails("PATCH", "/health", 405, "bad_request")
    studio.fails("POST", "/v1/compositions", 422, "invalid", content=b"{")


def test_the_page_is_served_as_it_is(studio: Studio) -> None:
    for address, path in files().items():
        response = studio.http.get(f"/{address}")
        assert response.content == path.read_bytes()
        assert response.headers["cache-control"] == "no-cache"
        if path.suffix == ".js":
            assert response.headers["content-type"] == "text/javascript; charset=utf-8"


def test_events_reach_readers_of_other_threads() -> None:
    log = EventLog()

    async def read() -> list[str]:
        async def write() -> None:
            for name in ("a", "b", "c"):
                await asyncio.to_thread(log.add, name, {}, last=name == "c")

        task = asyncio.create_task(write())
        found = [event.name async for event in log.follow(0) if event]
        await task
        return found

    assert asyncio.run(read()) == ["a", "b", "c"]
    log.add("late", {})
    assert [event.name for event in log.after(0)[0]] == ["a", "b", "c"]


def test_a_silent_stream_says_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("musenet.studio.events.HEARTBEAT", 0.01)

    async def read() -> object:
        return await anext(EventLog().follow(0))

    assert asyncio.run(read()) is None


@pytest.mark.parametrize("there", [True, False])
def test_the_usual_index_is_used_where_there_is_one(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "usual.index"
    monkeypatch.setenv("MUSENET_INDEX", str(index))
    if there:
        styled_corpus(tmp_path / "corpus")
        assert main(["corpus", "index", str(tmp_path / "corpus"), "--usual"]) == 0
    seen: list[bool] = []

    def serve(app: FastAPI, listening: socket.socket) -> None:
        family, kind, protocol = listening.family, listening.type, listening.proto
        assert (family, kind, protocol) == (AF_INET, SOCK_STREAM, IPPROTO_TCP)
        with listening, TestClient(app, base_url="http://localhost") as http:
            while http.get("/ready").status_code != 200:
                time.sleep(0.02)
            seen.append(http.get("/v1/about").json()["originality"])

    monkeypatch.setattr("musenet.studio.serving.serve", serve)
    monkeypatch.setattr("musenet.studio.app.load", lambda *_, **__: random_composer())
    assert main(["studio", "--port", "0", "--data", str(tmp_path / "data")]) == 0
    assert seen == [there]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["--host", "0.0.0.0"], "--token"), (["--token", "short"], "16 characters"),
     (["--data", "FILE"], "is a file"), (["--originality", "nowhere"], "nowhere"),
     (["--port", "70000"], "--help"),
     (["--host", "203.0.113.1", "--token", "x" * 20], "cannot listen")],
)  # fmt: skip
def test_mistakes_of_the_command_are_told(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    given = [str(tmp_path / "file") if word == "FILE" else word for word in arguments]
    data = [] if "--data" in given else ["--data", str(tmp_path / "data")]
    assert main(["studio", *given, *data]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
