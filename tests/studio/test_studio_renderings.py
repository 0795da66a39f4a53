from __future__ import annotations

import io
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile
from music import melody, together
from studios import Studio, served

from musenet.errors import UserError
from musenet.midi import to_bytes
from musenet.score import Score
from musenet.studio import rendering, stems
from musenet.studio.metrics import Metrics
from musenet.studio.openings import OPENINGS
from musenet.studio.settings import Limits


def duo() -> Score:
    return together([melody(1, 12), melody(2, 30, instrument=15)])


@pytest.fixture(scope="module")
def node(studio: Studio) -> str:
    place = f"/v1/projects/{studio.project()}/uploads"
    made: str = studio.http.post(place, content=to_bytes(duo())).json()["id"]
    return made


@pytest.mark.parametrize(
    ("form", "kind", "magic"),
    [("mid", "audio/midi", b"MThd"), ("wav", "audio/wav", b"RIFF"), ("flac", "audio/flac", b"fLaC"),
     ("ogg", "audio/ogg", b"OggS"), ("png", "image/png", b"\x89PNG"),
     ("svg", "image/svg+xml", b"<?xml"), ("pdf", "application/pdf", b"%PDF"),
     ("mxl", "application/vnd.recordare.musicxml", b"PK")],
)  # fmt: skip
def test_files(studio: Studio, node: str, form: str, kind: str, magic: bytes) -> None:
    path = f"/v1/nodes/{node}/renderings/{form}"
    response = studio.http.get(path)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == kind
    assert response.content.startswith(magic)
    etag = {"if-none-match": response.headers["etag"]}
    assert studio.http.get(path, headers=etag).status_code == 304
    part = studio.http.get(path, headers={"range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, response.content[:4])


def test_notation(studio: Studio, node: str) -> None:
    response = studio.http.get(f"/v1/nodes/{node}/renderings/musicxml")
    assert ElementTree.fromstring(response.content).tag == "score-partwise"
    packed = studio.http.get(f"/v1/nodes/{node}/renderings/mxl").content
    assert zipfile.ZipFile(io.BytesIO(packed)).testzip() is None


def test_printed_pages(studio: Studio) -> None:
    node = studio.node(notes=500)["id"]
    path = f"/v1/nodes/{node}/renderings/score.svg"
    response = studio.http.get(path)
    pages = int(response.headers["x-pages"])
    assert pages > 1
    whole = ElementTree.fromstring(response.content)
    single = [studio.http.get(path, params={"page": page + 1}) for page in range(pages)]
    height = sum(int(ElementTree.fromstring(one.content).attrib["height"][:-2]) for one in single)
    assert whole.attrib["height"] == f"{height}px"
    assert [len(list(page.iter())) for page in whole] == [
        len(list(ElementTree.fromstring(one.content).iter())) for one in single
    ]
    assert len({page.attrib["y"] for page in whole}) == pages
    studio.fails("GET", path, 404, "not_found", params={"page": 99})
    assert studio.http.get(f"/v1/nodes/{node}/renderings/score.pdf").content[:4] == b"%PDF"


def test_without_verovio_pages_are_refused(
    studio: Studio, node: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("musenet.studio.rendering.find_spec", lambda name: None)
    assert "score.pdf" not in studio.get("/v1/about")["renderings"]
    path = f"/v1/nodes/{node}/renderings/score.pdf"
    assert "Verovio" in studio.fails("GET", path, 501, "not_installed")


def test_a_download_has_a_name_that_does_no_harm(studio: Studio) -> None:
    node = studio.node()["id"]
    studio.patch(f"/v1/nodes/{node}", label='../"é\r\nX: y')
    path = f"/v1/nodes/{node}/renderings/mid"
    told = studio.http.get(path, params={"download": True}).headers["content-disposition"]
    assert told == "attachment; filename*=UTF-8''%C3%A9X%20y.mid"
    studio.fails("GET", f"/v1/nodes/{node}/renderings/exe", 422, "invalid")


def test_an_edit_is_rendered_anew(studio: Studio) -> None:
    node = studio.node()["id"]
    path = f"/v1/nodes/{node}/renderings/mid"
    before = studio.http.get(path)
    studio.post(f"/v1/nodes/{node}/transpose", semitones=2)
    after = studio.http.get(path)
    assert before.headers["etag"] != after.headers["etag"]
    assert before.content != after.content
    studio.post(f"/v1/nodes/{node}/undo")
    assert studio.http.get(path).content == before.content


def test_openings(studio: Studio) -> None:
    told = studio.get("/v1/openings")["openings"]
    assert {one["id"] for one in told} == set(OPENINGS)
    assert all(one["seconds"] > 4 and one["bars"] >= 2 for one in told)
    assert studio.get("/v1/openings/saints/score")["notes"]
    assert studio.http.get("/v1/openings/saints/renderings/mid").content[:4] == b"MThd"
    studio.fails("GET", "/v1/openings/x/score", 404, "not_found")
    studio.fails("GET", "/v1/openings/x/renderings/mid", 404, "not_found")


@pytest.mark.parametrize("name", OPENINGS)
def test_the_parts_of_an_opening_end_together(name: str) -> None:
    score = OPENINGS[name].score()
    bar = score.metres[0]
    ticks = 96 * int(bar["numerator"]) // int(bar["denominator"])
    ends = [
        int((own["onset"] + own["duration"]).max())
        for own in (score.notes[score.notes["instrument"] == i] for i in score.instruments)
    ]
    assert {-(-end // ticks) for end in ends} == {-(-max(ends) // ticks)}


def test_stems_are_listed_and_made(studio: Studio, node: str) -> None:
    told = studio.get(f"/v1/nodes/{node}/stems")
    assert [stem["instrument"] for stem in told["stems"]] == ["piano", "violin"]
    piano = told["stems"][0]
    assert 0 not in piano["silent"]
    assert piano["silent"]
    response = studio.http.get(piano["url"].replace("{segment}", "0"))
    assert "immutable" in response.headers["cache-control"]
    sound, rate = soundfile.read(io.BytesIO(response.content))
    assert rate == told["sample_rate"]
    assert len(sound) == round(6.02 * rate)
    assert abs(sound).max() > 0.01
    studio.fails("GET", piano["url"].replace("{segment}", "99"), 404, "not_found")
    first = piano["url"].replace("{segment}", "0")
    studio.fails("GET", first.replace("revision=1", "revision=7"), 404, "not_found")
    text = studio.http.get("/metrics").text
    assert 'musenet_renderings_total{format="stem"}' in text
    assert 'format="stem 0"' not in text
    other = piano["url"].replace("piano", "harp").replace("{segment}", "0")
    studio.fails("GET", other, 404, "not_found")


@pytest.mark.parametrize(
    "path",
    ["renderings/score.svg?page=" + "9" * 300, "stems/piano/0?revision=" + "9" * 25,
     "stems/piano/" + "9" * 300 + "?revision=1", "stems/piano/-1?revision=1",
     "stems/piano/0?revision=0"],
)  # fmt: skip
def test_numbers_without_end_are_refused(studio: Studio, node: str, path: str) -> None:
    studio.fails("GET", f"/v1/nodes/{node}/{path}", 422, "invalid")


def stem_of(studio: Studio, node: str) -> str:
    """Where the first segment of a node's first instrument is."""
    url: str = studio.get(f"/v1/nodes/{node}/stems")["stems"][0]["url"]
    return url.replace("{segment}", "0")


def test_what_another_version_rendered_is_not_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(tmp_path) as studio:
        node = studio.node(notes=4)["id"]
        form, stem = f"/v1/nodes/{node}/renderings/png", stem_of(studio, node)
        etag = studio.http.get(form).headers["etag"]
        assert "immutable" in studio.http.get(stem).headers["cache-control"]
    (tmp_path / "renderings" / "left-over.wav").write_bytes(b"x")
    (before,) = (file for file in (tmp_path / "renderings").iterdir() if file.is_dir())
    with served(tmp_path) as studio:
        assert (studio.http.get(form).headers["etag"], stem_of(studio, node)) == (etag, stem)
    monkeypatch.setattr(rendering, "__version__", "next")
    with served(tmp_path) as studio:
        again = studio.http.get(form, headers={"if-none-match": etag})
        assert again.status_code == 200
        assert again.headers["etag"] != etag
        assert stem_of(studio, node) != stem
        assert "immutable" not in studio.http.get(stem).headers["cache-control"]
    (after,) = (tmp_path / "renderings").iterdir()
    assert after != before


def test_a_soundfont_has_renderings_of_its_own(tmp_path: Path) -> None:
    folders = []
    for content in (b"one", b"two", b"one"):
        (tmp_path / "font.sf2").write_bytes(b"RIFF\0\0\0\0sfbk" + content)
        folders.append(rendering.folder_of(tmp_path / "made", tmp_path / "font.sf2"))
    assert folders[0] == folders[2] != folders[1]
    assert list((tmp_path / "made").iterdir()) == [folders[0]]
    with pytest.raises(UserError, match="cannot read the SoundFont"):
        rendering.folder_of(tmp_path / "made", tmp_path / "none.sf2")
    (tmp_path / "font.sf2").write_bytes(b"one")
    with pytest.raises(UserError, match="is no SoundFont"):
        rendering.folder_of(tmp_path / "made", tmp_path / "font.sf2")


def test_a_revision_made_anew_has_stems_of_its_own(studio: Studio) -> None:
    node, found = studio.node()["id"], set()
    for semitones in (1, 2):
        studio.post(f"/v1/nodes/{node}/transpose", semitones=semitones)
        found.add(stem_of(studio, node))
        studio.post(f"/v1/nodes/{node}/undo")
    assert len(found) == 2


def test_an_opening_that_has_changed_is_rendered_anew(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/v1/openings/saints/renderings/mid"
    before = studio.http.get(path).headers["etag"]
    other = to_bytes(melody(1, 4))
    monkeypatch.setattr("musenet.studio.routes.renderings.opening_midi", lambda name: other)
    assert studio.http.get(path, headers={"if-none-match": before}).content == other


def test_segments_join_without_a_seam() -> None:
    score = melody(4, 24)
    parts = []
    for number in range(2):
        sound, _ = soundfile.read(io.BytesIO(stems.segment(score, 0, number)))
        parts.append(sound)
    tail, head = parts[0][-882:], parts[1][:882]
    loud = np.abs(parts[0]).max()
    assert np.abs(tail - head).max() < 0.1 * loud
    assert loud < 0.99


def test_silence_is_known_without_rendering() -> None:
    score = duo()
    silent = stems.silent_segments(score, 0)
    assert silent
    for number in range(stems.segments_of(score)):
        sound, _ = soundfile.read(io.BytesIO(stems.segment(score, 0, number)))
        if number in silent:
            assert abs(sound).max() == 0.0


def test_the_cache_is_bounded(tmp_path: Path) -> None:
    import asyncio

    made: list[int] = []

    def make() -> dict[str, bytes]:
        made.append(1)
        return {"bin": b"x" * 600}

    async def ask() -> list[Path]:
        renderer = rendering.Renderer(tmp_path, Limits(cache_bytes=1000), Metrics())
        first = await asyncio.gather(*(renderer.file("a", "k", make, "bin") for _ in range(5)))
        await renderer.file("b", "k", make, "bin")
        renderer.close()
        return list(first)

    (tmp_path / "gone.bin").symlink_to(tmp_path / "taken-away")
    assert {path.name for path in asyncio.run(ask())} == {"a.bin"}
    assert len(made) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.bin", "gone.bin"]
