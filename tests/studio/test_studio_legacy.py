from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile
from composers import random_composer
from hypothesis import given, settings
from hypothesis import strategies as st
from music import melody
from studios import LIMITS, Studio, served

from musenet import midi, openai_encoding
from musenet.errors import UserError
from musenet.midi import to_bytes
from musenet.studio import legacy

REQUEST = {
    "genre": "chopin", "encoding": "", "temperature": 1, "truncation": 27,
    "generationLength": 40, "audioFormat": "",
    "instrument": {"piano": True, "strings": False, "winds": False, "drums": False,
                   "harp": False, "guitar": False, "bass": False},
}  # fmt: skip


def sampled(studio: Studio, **changes: Any) -> list[dict[str, Any]]:
    # old clients sent JSON without saying so
    response = studio.http.post("/sample", content=json.dumps(REQUEST | changes))
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["completions"]
    return found


def test_four_completions(studio: Studio) -> None:
    found = sampled(studio)
    assert len(found) == 4
    for one in found:
        ids = openai_encoding.parse(one["encoding"])
        assert 1 <= len(ids) <= 40
        score = openai_encoding.decode(ids)
        assert one["totalTime"] == pytest.approx(score.seconds, abs=0.001)
        assert one["audioFile"] == "b''"
        assert {track["instrument"] for track in one["tracks"]} <= {"piano"}
        first = one["tracks"][0]["notes"][0]
        assert set(first) == {"pitch", "time_on", "duration"}
    assert len({one["encoding"] for one in found}) == 4


@pytest.mark.parametrize("as_list", [True, False])
def test_an_encoding_is_continued_number_for_number(studio: Studio, as_list: bool) -> None:
    sent = [1340, 4000, 1344, 4030, 60, 4000, 1347, 4040]  # the last two are left hanging
    encoding: Any = sent if as_list else " ".join(map(str, sent))
    for one in sampled(studio, encoding=encoding):
        ids = openai_encoding.parse(one["encoding"])
        assert ids[: len(sent)] == sent
        assert len(sent) < len(ids) <= len(sent) + 40
        assert {64, 67} <= set(ids[len(sent) :])


@pytest.mark.parametrize("behind", [[4097], [4098], [4097, 1340, 4000]])
def test_what_has_an_end_is_continued_before_it(studio: Studio, behind: list[int]) -> None:
    music = openai_encoding.encode(melody(2, 12, bpm=125), framed=True)[:-1]
    for one in sampled(studio, encoding=[*music, *behind]):
        ids = openai_encoding.parse(one["encoding"])
        assert ids[: len(music)] == music
        assert len(music) < len(ids) <= len(music) + 40
        notes = openai_encoding.decode(ids).notes
        assert sum(len(track["notes"]) for track in one["tracks"]) == len(notes) > 12


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(RuntimeError("secret"), 500, "failed"), (UserError("ask for less"), 400, "bad_request")],
)
def test_a_failure_is_told_by_its_kind(
    tmp_path: Path, error: Exception, status: int, code: str
) -> None:
    composer = random_composer()

    def compose(**_: Any) -> Any:
        raise error

    composer.compose = compose  # type: ignore[method-assign]
    with served(tmp_path, lambda: composer) as studio:
        message = studio.fails("POST", "/sample", status, code, json=REQUEST)
        assert ("less" in message) == (status == 400)
        assert "secret" not in message


def test_a_sample_that_takes_too_long_is_no_mistake_of_the_client(tmp_path: Path) -> None:
    with served(tmp_path, limits=replace(LIMITS, deadline_seconds=0.01)) as studio:
        body = REQUEST | {"generationLength": 1000}
        assert "longer" in studio.fails("POST", "/sample", 500, "failed", json=body)


def test_sound_is_sent_as_the_service_did(studio: Studio) -> None:
    one = sampled(studio, audioFormat="audio/ogg", generationLength=20)[0]
    assert one["audioFile"][:2] + one["audioFile"][-1] == "b''"
    sound, _ = soundfile.read(io.BytesIO(base64.b64decode(one["audioFile"][2:-1])))
    assert abs(sound).max() > 0.1


def test_midi_goes_to_ids_and_back(studio: Studio) -> None:
    data = to_bytes(melody(2, 12, bpm=125))
    told = studio.post("/midi", midi=base64.b64encode(data).decode(), audioFormat="")
    assert openai_encoding.parse(told["encoding"]) == openai_encoding.encode(midi.load(data))
    asked = {"encoding": told["encoding"], "audioFormat": "midi"}
    response = studio.http.post("/audio", json=asked)
    score = midi.load(response.content)
    assert score.notes["pitch"].tolist() == melody(2, 12).notes["pitch"].tolist()
    response = studio.http.post("/audio", json=asked | {"audioFormat": "mp3"})
    assert response.headers["content-type"] == "audio/mpeg"
    assert soundfile.info(io.BytesIO(response.content)).duration > 5


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/sample", {"encoding": "9999"}, 400), ("/sample", {"encoding": "x"}, 400),
        ("/sample", {"encoding": "1" * 5000}, 400), ("/audio", {"encoding": "1" * 5000}, 400),
        ("/sample", {"audioFormat": "tape"}, 400), ("/sample", {"generationLength": 0}, 422),
        ("/sample", {"temperature": "hot"}, 422), ("/sample", {"encoding": [-1]}, 400),
        ("/sample", {"encoding": "1340 " + "4095 " * 2300}, 422),
        ("/audio", {"encoding": ""}, 400), ("/audio", {}, 422), ("/midi", {"midi": "!"}, 400),
        ("/midi", {"midi": "AAAA"}, 400), ("/midi", {}, 422),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_told(
    studio: Studio, path: str, body: dict[str, Any], status: int
) -> None:
    response = studio.http.post(path, json=body)
    assert response.status_code == status, response.text
    assert response.json()["error"]["message"]


@given(seed=st.integers(0, 50), most=st.integers(1, 60), where=st.integers(1, 60))
@settings(max_examples=20)
def test_what_continues_a_part_of_a_piece_makes_it_whole(seed: int, most: int, where: int) -> None:
    ids = openai_encoding.encode(melody(seed, 30, bpm=125))
    sent = ids[:where]
    cut = legacy.seconds_of(sent)
    score = openai_encoding.decode(ids)
    made = legacy.continued(sent, score, cut, most)
    assert made[: len(sent)] == sent
    assert len(made) <= len(sent) + most


def test_genres_and_families() -> None:
    assert legacy.style_of("chopin") == {"chopin": 1.0}
    assert legacy.style_of("The Beatles") == {"rock": 1.0}
    assert legacy.style_of("nobody knows") == {}
    assert legacy.players_of({"strings": True, "drums": True}) == ["violin", "cello", "drums"]
