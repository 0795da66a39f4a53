"""Styles of one's own in the studio: listed anew each time, picked like any other, never joined."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from own_toys import make
from studios import SHORT, Studio

from musenet.checkpoint import fingerprint
from musenet.studio.legacy import style_of
from musenet.styles import STYLES


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MUSENET_STYLES", str(tmp_path))
    return tmp_path


def listed(studio: Studio) -> list[dict[str, Any]]:
    rows = studio.get("/v1/styles")["styles"]
    assert [row["name"] for row in rows[: len(STYLES)]] == [style.name for style in STYLES]
    own: list[dict[str, Any]] = rows[len(STYLES) :]
    assert all((row["kind"], row["x"]) == ("own", None) for row in own)
    return own


def nodes_of(studio: Studio, **wish: Any) -> list[dict[str, Any]]:
    told = studio.done(studio.post("/v1/compositions", **{**SHORT, **wish})["id"])
    assert told["state"] == "finished", told["error"]
    return [studio.get(f"/v1/nodes/{node}") for node in told["nodes"]]


def files_of(studio: Studio, nodes: list[dict[str, Any]]) -> list[bytes]:
    ordered = sorted(nodes, key=lambda node: int(node["candidate"]))
    paths = [f"/v1/nodes/{node['id']}/renderings/mid" for node in ordered]
    return [studio.http.get(path).content for path in paths]


def test_they_come_and_go_without_a_restart(studio: Studio, folder: Path) -> None:
    assert listed(studio) == []
    file = make(folder / "Mine.safetensors", pieces=12)
    (row,) = listed(studio)
    assert (row["name"], row["works"], row["fault"]) == ("Mine", 12, None)
    assert row["fingerprint"] == fingerprint(file)
    make(folder / "bach.safetensors")
    assert [one["name"] for one in listed(studio)] == ["Mine"]
    file.unlink()
    assert listed(studio) == []


def test_those_that_cannot_be_had_say_why(studio: Studio, folder: Path) -> None:
    (folder / "broken.safetensors").write_bytes(b"nothing")
    make(folder / "other.safetensors", base="others")
    assert [row["fault"] for row in listed(studio)] == [
        "the file is damaged", "made for other weights (others)",
    ]  # fmt: skip
    for name, words in (("broken", "broken.safetensors"), ("other", "made for the model others")):
        asked = {**SHORT, "styles": {name: 1}}
        told = studio.fails("POST", "/v1/compositions", 400, "bad_request", json=asked)
        assert words in told


def test_a_piece_keeps_what_it_was_made_with(studio: Studio, folder: Path) -> None:
    file = make(folder / "mine.safetensors")
    made = nodes_of(
        studio, styles={"mine": 2, "bach": 1}, sections=[{"at": 2, "styles": {"mine": 1}}]
    )
    for node in made:
        recipe = node["recipe"]
        assert recipe["prompt"]["styles"] == [["mine", 2.0], ["bach", 1.0]]
        assert recipe["prompt"]["sections"][0]["styles"] == [["mine", 1.0]]
        assert recipe["own_styles"] == {"mine": fingerprint(file)}
        assert "own_styles" not in node["facts"]
    assert files_of(studio, made) != files_of(studio, nodes_of(studio, styles={"bach": 1}))


def test_a_part_is_added_in_ones_own_style(studio: Studio, folder: Path) -> None:
    make(folder / "mine.safetensors")
    node = studio.node()["id"]
    asked = {"instruments": ["flute"], "candidates": 1, "seed": 1}
    path = f"/v1/nodes/{node}/arrangements"
    told = studio.done(studio.post(path, **asked, styles={"mine": 1})["id"])
    (made,) = (studio.get(f"/v1/nodes/{name}") for name in told["nodes"])
    assert list(made["recipe"]["own_styles"]) == ["mine"]
    assert "nor is it one of your own" in studio.fails(
        "POST", path, 400, "bad_request", json={**asked, "styles": {"thine": 1}}
    )


def test_other_weights_are_not_joined_with_plain_ones(studio: Studio, folder: Path) -> None:
    """Pieces that are composed at the same time are those that are composed one by one."""
    for seed, name in enumerate(("mine", "thine")):
        make(folder / f"{name}.safetensors", seed=seed)
    wishes = [
        {**SHORT, "minutes": 0.6, "styles": styles}
        for styles in ({"mine": 1.0}, {"thine": 1.0}, {"bach": 1.0}, {"mine": 0.5, "bach": 0.5})
    ]
    alone = [files_of(studio, nodes_of(studio, **wish)) for wish in wishes]
    assert len({file for files in alone for file in files}) == 8
    jobs = [studio.post("/v1/compositions", **wish)["id"] for wish in wishes]
    together = [studio.done(job)["nodes"] for job in jobs]
    found = [
        files_of(studio, [studio.get(f"/v1/nodes/{node}") for node in nodes]) for nodes in together
    ]
    assert found == alone


def test_one_that_is_gone_is_one_clear_error(studio: Studio, folder: Path) -> None:
    file = make(folder / "mine.safetensors")
    nodes_of(studio, styles={"mine": 1})
    file.unlink()
    for wish in ({"styles": {"mine": 1}}, {"sections": [{"at": 2, "styles": {"mine": 1}}]}):
        told = studio.fails("POST", "/v1/compositions", 400, "bad_request", json={**SHORT, **wish})
        assert "unknown style 'mine'" in told
        assert "nor is it one of your own" in told


def test_no_request_opens_a_file_by_its_path(studio: Studio, folder: Path) -> None:
    file = make(folder / "mine.safetensors")
    body = {**SHORT, "styles": {str(file): 1}}
    studio.fails("POST", "/v1/compositions", 422, "invalid", json=body)
    assert style_of(str(file)) == {}


def test_clients_of_the_old_service_have_them_too(studio: Studio, folder: Path) -> None:
    asked = {"genre": "mine", "instrument": {"piano": True}, "generationLength": 40}
    assert style_of("mine") == {}
    make(folder / "mine.safetensors")
    assert style_of("mine") == {"mine": 1.0}
    assert len(studio.post("/sample", **asked)["completions"]) == 4
