from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from music import melody
from studios import Studio, served

from musenet.errors import UserError
from musenet.midi import to_bytes
from musenet.studio import store as stores
from musenet.studio.store import Store


def test_projects_are_made_named_copied_deleted_and_restored(studio: Studio) -> None:
    node = studio.node()
    project = node["project"]
    told = studio.patch(f"/v1/projects/{project}", name="Other", view={"selected": node["id"]})
    assert (told["name"], told["nodes"]) == ("Other", 1)
    copy = studio.post(f"/v1/projects/{project}/duplicate")
    assert copy["name"] == "Other (copy)"
    tree = studio.get(f"/v1/projects/{copy['id']}")["tree"]
    assert [one["notes"] for one in tree] == [node["notes"]]
    assert tree[0]["id"] != node["id"]
    assert studio.http.delete(f"/v1/projects/{project}").status_code == 204
    studio.fails("GET", f"/v1/projects/{project}", 404, "not_found")
    studio.fails("GET", f"/v1/nodes/{node['id']}", 404, "not_found")
    listed = [one["id"] for one in studio.get("/v1/projects")["projects"]]
    assert project not in listed
    assert copy["id"] in listed
    gone = studio.get("/v1/projects", deleted=True)["projects"]
    assert project in [one["id"] for one in gone]
    back = studio.post(f"/v1/projects/{project}/restore")
    assert back["view"] == {"selected": node["id"]}


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


@pytest.mark.parametrize(
    "view",
    ['{"a":"\\ud800"}', '{"a":{"\\ud800":1}}', '{"a":NaN}', '{"a":1e999}', nested(33), nested(400)],
)  # fmt: skip
def test_a_view_that_cannot_be_told_again_is_refused(studio: Studio, view: str) -> None:
    path = f"/v1/projects/{studio.project()}"
    json_type = {"content-type": "application/json"}
    message = studio.fails("PATCH", path, 422, "invalid", content=f'{{"view":{view}}}',
                           headers=json_type)  # fmt: skip
    assert message.startswith("view: ")
    assert studio.get(path)["view"] == {}


def test_a_view_is_told_again_and_is_no_change(studio: Studio) -> None:
    path = f"/v1/projects/{studio.project()}"
    before = studio.get(path)["changed"]
    view = {"text": "é✨", "deep": json.loads(nested(31))}
    told = studio.patch(path, view=view)
    assert (told["view"], told["changed"]) == (view, before)
    assert view in [one["view"] for one in studio.get("/v1/projects")["projects"]]
    studio.patch(path, view={"text": "é" * 32_000})
    studio.fails("PATCH", path, 422, "limit", json={"view": {"text": "é" * 33_000}})
    assert studio.patch(path, name="Other")["changed"] > before


def test_a_node_is_deleted_with_all_under_it_and_comes_back(studio: Studio) -> None:
    top = studio.node()
    child = studio.post(f"/v1/nodes/{top['id']}/trim", to_bar=2, **{"as": "child"})
    leaf = studio.post(f"/v1/nodes/{child['id']}/transpose", semitones=1, **{"as": "child"})
    assert (child["parent"], leaf["parent"]) == (top["id"], child["id"])
    assert studio.http.delete(f"/v1/nodes/{leaf['id']}").status_code == 204
    assert studio.http.delete(f"/v1/nodes/{top['id']}").status_code == 204
    assert studio.get(f"/v1/projects/{top['project']}")["tree"] == []
    back = studio.post(f"/v1/nodes/{top['id']}/restore")["tree"]
    assert [one["id"] for one in back] == [top["id"], child["id"]]
    again = studio.post(f"/v1/nodes/{leaf['id']}/restore")["tree"]
    assert [one["id"] for one in again] == [leaf["id"]]


def test_a_lost_leaf_brings_its_parents_back(studio: Studio) -> None:
    top = studio.node()
    leaf = studio.post(f"/v1/nodes/{top['id']}/trim", to_bar=2, **{"as": "child"})
    studio.http.delete(f"/v1/nodes/{leaf['id']}")
    studio.http.delete(f"/v1/nodes/{top['id']}")
    back = studio.post(f"/v1/nodes/{leaf['id']}/restore")["tree"]
    assert {one["id"] for one in back} == {top["id"], leaf["id"]}


def test_labels(studio: Studio) -> None:
    node = studio.node()
    assert studio.patch(f"/v1/nodes/{node['id']}", label="nice ✨")["label"] == "nice ✨"
    studio.fails("PATCH", f"/v1/nodes/{node['id']}", 422, "invalid", json={"label": "x" * 201})
    studio.fails("PATCH", f"/v1/nodes/{node['id']}", 422, "invalid", json={})
    assert studio.get(f"/v1/nodes/{node['id']}")["label"] == "nice ✨"


def test_nodes_are_made_of_openings_texts_scores_and_nodes(studio: Studio) -> None:
    node = studio.node()
    place = f"/v1/projects/{node['project']}/nodes"
    opening = studio.post(place, opening="fur-elise")
    assert (opening["kind"], opening["label"]) == ("opening", "Für Elise")
    text = studio.post(place, text={"notes": "C4 E4 G4:2", "instrument": "violin", "tempo": 60})
    assert (text["notes"], text["seconds"], text["instruments"]) == (3, 4.0, {"violin": 1.0})
    score = studio.get(f"/v1/nodes/{node['id']}/score")
    body = {"ticks_per_beat": score["ticks_per_beat"], "notes": score["notes"]}
    made = studio.post(place, score=body, parent=node["id"], label="played")
    assert (made["notes"], made["parent"], made["label"]) == (node["notes"], node["id"], "played")
    copied = studio.post(place, copy=opening["id"])
    assert copied["notes"] == opening["notes"]
    for wrong in ({}, {"opening": "fur-elise", "copy": node["id"]}):
        studio.fails("POST", place, 400, "bad_request", json=wrong)
    studio.fails("POST", place, 404, "not_found", json={"opening": "nothing"})
    other = studio.node()
    body = {"opening": "fur-elise", "parent": other["id"]}
    studio.fails("POST", place, 404, "not_found", json=body)


def test_uploads_that_cannot_be_used(studio: Studio) -> None:
    place = f"/v1/projects/{studio.project()}/uploads"
    assert "MIDI" in studio.fails("POST", place, 400, "bad_request", content=b"RIFFxxxx")
    studio.fails("POST", place, 400, "bad_request", content=b"")
    many = to_bytes(melody(1, 2100, bpm=300))
    assert "notes" in studio.fails("POST", place, 422, "limit", content=many)
    long = to_bytes(melody(1, 1900, bpm=18))
    assert "minutes" in studio.fails("POST", place, 422, "limit", content=long)
    nowhere = "/v1/projects/0000/uploads"
    studio.fails("POST", nowhere, 404, "not_found", content=to_bytes(melody(1, 4)))


def test_an_upload_stays_as_it_was(studio: Studio) -> None:
    data = to_bytes(melody(5, 12), title="Mine")
    place = f"/v1/projects/{studio.project()}/uploads"
    node = studio.http.post(place, content=data, params={"label": "Mine"}).json()
    assert (node["kind"], node["label"]) == ("upload", "Mine")
    assert studio.http.get(f"/v1/nodes/{node['id']}/renderings/mid").content == data


def test_the_score_tells_all_and_goes_back(studio: Studio) -> None:
    node = studio.node()
    path = f"/v1/nodes/{node['id']}/score"
    response = studio.http.get(path)
    score = response.json()
    music = melody(1, 24)
    assert [n["onset"] for n in score["notes"]] == music.notes["onset"].tolist()
    assert score["notes"][1]["start"] == pytest.approx(score["notes"][0]["stop"], abs=1e-3)
    assert score["seconds"] == pytest.approx(music.seconds, abs=1e-3)
    assert len(score["bars"]) == node["bars"]
    assert score["parts"][0]["instrument"] == "piano"
    etag = {"if-none-match": response.headers["etag"]}
    assert studio.http.get(path, headers=etag).status_code == 304
    body = {name: score[name] for name in ("revision", "ticks_per_beat", "notes")}
    same = studio.put(path, **body)
    assert (same["revision"], same["edited"], same["notes"]) == (2, "notes", node["notes"])
    again = studio.get(path)
    assert again["notes"] == score["notes"]
    assert (again["tempos"], again["metres"]) == (score["tempos"], score["metres"])


def test_notes_are_replaced_undone_and_redone(studio: Studio) -> None:
    node = studio.node()
    path = f"/v1/nodes/{node['id']}"
    score = studio.get(f"{path}/score")
    body = {"revision": 1, "ticks_per_beat": score["ticks_per_beat"], "notes": score["notes"][:5]}
    edited = studio.put(f"{path}/score", **body)
    assert (edited["notes"], edited["can_undo"], edited["can_redo"]) == (5, True, False)
    assert "revision 2" in studio.fails("PUT", f"{path}/score", 409, "conflict", json=body)
    undone = studio.post(f"{path}/undo")
    assert (undone["notes"], undone["can_undo"], undone["can_redo"]) == (24, False, True)
    studio.fails("POST", f"{path}/undo", 409, "conflict")
    assert studio.post(f"{path}/redo")["notes"] == 5
    studio.fails("POST", f"{path}/redo", 409, "conflict")
    studio.post(f"{path}/undo")
    other = studio.post(f"{path}/transpose", semitones=2)
    assert (other["revision"], other["can_redo"], other["notes"]) == (3, False, 24)
    assert studio.post(f"{path}/undo")["revision"] == 1


def test_no_revision_has_the_number_of_an_undone_one(studio: Studio) -> None:
    path = f"/v1/nodes/{studio.node()['id']}"
    score = studio.get(f"{path}/score")
    edit = {name: score[name] for name in ("ticks_per_beat", "notes")}
    seen = studio.post(f"{path}/transpose", semitones=1)["revision"]
    studio.post(f"{path}/undo")
    assert studio.post(f"{path}/transpose", semitones=2)["revision"] > seen
    studio.fails("PUT", f"{path}/score", 409, "conflict", json=edit | {"revision": seen})


@pytest.mark.parametrize(
    ("action", "body"),
    [("score", {"revision": 2}), ("trim", {"to_bar": 1}), ("transpose", {"semitones": 1}),
     ("undo", {})],
)  # fmt: skip
def test_an_edit_made_meanwhile_is_not_lost(
    studio: Studio, action: str, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/v1/nodes/{studio.node()['id']}"
    studio.post(f"{path}/transpose", semitones=1)
    score = studio.get(f"{path}/score")

    def behind_another(real: Callable[..., bool]) -> Callable[..., bool]:
        def write(*given: Any) -> bool:
            monkeypatch.undo()
            studio.post(f"{path}/transpose", semitones=12)
            return real(*given)

        return write

    for name in ("revise", "step"):
        monkeypatch.setattr(Store, name, behind_another(getattr(Store, name)))
    if action == "score":
        body = body | {name: score[name] for name in ("ticks_per_beat", "notes")}
    method = "PUT" if action == "score" else "POST"
    studio.fails(method, f"{path}/{action}", 409, "conflict", json=body)
    assert studio.get(path)["revision"] == 3
    moved = studio.get(f"{path}/score")["notes"][0]["pitch"] - score["notes"][0]["pitch"]
    assert moved == 12


@pytest.mark.parametrize(
    "changes",
    [{"tempos": [{"tick": 0, "bpm": 90, "unknown": 1}]},
     {"metres": [{"tick": 0, "numerator": 3, "denominator": 4, "unknown": 1}]}],
)  # fmt: skip
def test_unknown_fields_of_tempos_and_metres_are_refused(
    studio: Studio, changes: dict[str, Any]
) -> None:
    path = f"/v1/nodes/{studio.node()['id']}/score"
    score = studio.get(path)
    body = {name: score[name] for name in ("revision", "ticks_per_beat", "notes")}
    studio.fails("PUT", path, 422, "invalid", json=body | changes)
    studio.put(path, **body, tempos=score["tempos"], metres=score["metres"])


@pytest.mark.parametrize(
    "change",
    [{"pitch": 128}, {"velocity": 0}, {"onset": -1}, {"duration": 0}, {"instrument": 3},
     {"onset": 2**31}, {"unknown": 1}, {"pitch": 60.5}],
)  # fmt: skip
def test_notes_that_make_no_sense_are_refused(studio: Studio, change: dict[str, object]) -> None:
    node = studio.node()
    good = {"instrument": "piano", "pitch": 60, "velocity": 80, "onset": 0, "duration": 480}
    body = {"revision": 1, "ticks_per_beat": 480, "notes": [good | change]}
    studio.fails("PUT", f"/v1/nodes/{node['id']}/score", 422, "invalid", json=body)


@pytest.mark.parametrize(
    ("change", "says"),
    [({"notes": []}, "no notes"), ({"ticks_per_beat": 24}, "ticks_per_beat"),
     ({"instrument": "kazoo"}, "kazoo")],
)  # fmt: skip
def test_scores_that_cannot_be_had(studio: Studio, change: dict[str, object], says: str) -> None:
    node = studio.node()
    note = {"instrument": "piano", "pitch": 60, "velocity": 80, "onset": 0, "duration": 480}
    note["instrument"] = change.get("instrument", "piano")
    body = {"revision": 1, "ticks_per_beat": 480, "notes": [note], **change}
    body.pop("instrument", None)
    path = f"/v1/nodes/{node['id']}/score"
    assert says in studio.fails("PUT", path, 400, "bad_request", json=body)


def test_a_piece_without_end_is_refused(studio: Studio) -> None:
    node = studio.node()
    note = {"instrument": "piano", "pitch": 60, "velocity": 80, "onset": 2**27, "duration": 480}
    body = {"revision": 1, "ticks_per_beat": 480, "notes": [note]}
    studio.fails("PUT", f"/v1/nodes/{node['id']}/score", 422, "limit", json=body)
    body |= {"tempos": [{"tick": 0, "bpm": 1000}],
             "metres": [{"tick": 0, "numerator": 1, "denominator": 64}]}  # fmt: skip
    body["notes"] = [note | {"onset": 480 * 2900}]
    message = studio.fails("PUT", f"/v1/nodes/{node['id']}/score", 422, "limit", json=body)
    assert "bars" in message


def test_trim_keeps_bars(studio: Studio) -> None:
    node = studio.node(notes=40)
    bars = node["bars"]
    score = studio.get(f"/v1/nodes/{node['id']}/score")
    third = score["bars"][2]["tick"]
    expected = [n["pitch"] for n in score["notes"] if third <= n["onset"] < third + 4 * 480]
    one = studio.post(f"/v1/nodes/{node['id']}/trim", from_bar=3, to_bar=3, **{"as": "child"})
    assert one["bars"] == 1
    trimmed = studio.get(f"/v1/nodes/{one['id']}/score")
    assert [n["pitch"] for n in trimmed["notes"]] == expected
    ended = studio.post(f"/v1/nodes/{node['id']}/trim", to_bar=2)
    assert (ended["bars"], ended["edited"]) == (2, "trim")
    for wrong in ({"to_bar": bars}, {"from_bar": bars + 5}, {"from_bar": 2, "to_bar": 1}):
        path = f"/v1/nodes/{node['id']}/trim"
        studio.fails("POST", path, 400, "bad_request", json=wrong)


def test_a_region_is_transposed(studio: Studio) -> None:
    node = studio.node()
    before = studio.get(f"/v1/nodes/{node['id']}/score")["notes"]
    path = f"/v1/nodes/{node['id']}/transpose"
    studio.post(path, semitones=-3, from_tick=960, to_tick=2880, instruments=["piano"])
    after = studio.get(f"/v1/nodes/{node['id']}/score")["notes"]
    moved = [b["pitch"] - a["pitch"] for a, b in zip(before, after, strict=True)]
    inside = [960 <= note["onset"] < 2880 for note in before]
    assert moved == [-3 * one for one in inside]
    studio.fails("POST", path, 400, "bad_request", json={"semitones": 100})
    studio.fails("POST", path, 400, "bad_request", json={"semitones": 1, "instruments": ["harp"]})


def test_all_is_there_after_a_restart(tmp_path: Path) -> None:
    with served(tmp_path) as studio:
        node = studio.node()
        studio.post(f"/v1/nodes/{node['id']}/transpose", semitones=1)
        before = studio.get(f"/v1/projects/{node['project']}")
    (tmp_path / "midi" / "left-over.mid").write_bytes(b"x")
    with served(tmp_path) as studio:
        assert studio.get(f"/v1/projects/{node['project']}") == before
        assert studio.post(f"/v1/nodes/{node['id']}/undo")["notes"] == 24
    assert not (tmp_path / "midi" / "left-over.mid").exists()


def test_a_folder_serves_one_server(tmp_path: Path) -> None:
    first = Store(tmp_path)
    with pytest.raises(UserError, match="another studio"):
        Store(tmp_path)
    first.close()
    Store(tmp_path).close()


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot keep projects"):
        Store(tmp_path / "file" / "folder")


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    project = store.add_project("x")
    with pytest.raises(RuntimeError), store.writing() as db:
        db.execute("update projects set name = 'y'")
        raise RuntimeError
    row = store.project(project)
    assert row is not None
    assert row["name"] == "x"
    store.close()


def test_threads_write_at_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    project = store.add_project("x")

    def add() -> None:
        for _ in range(10):
            store.add_node(project, b"data", {}, kind="upload")

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.nodes(project)) == 40
    store.close()


def test_what_was_deleted_long_ago_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    kept, gone = store.add_project("kept"), store.add_project("gone")
    store.add_node(gone, b"data", {}, kind="upload")
    store.change_project(gone, deleted=1.0)
    store.close()
    store = Store(tmp_path)
    assert store.project(gone, deleted=True) is None
    assert store.project(kept) is not None
    assert list((tmp_path / "midi").iterdir()) == []
    store.close()


def test_old_revisions_are_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "KEPT_REVISIONS", 3)
    store = Store(tmp_path)
    node = store.add_node(store.add_project("x"), b"0", {}, kind="upload")
    for number in range(6):
        row = store.node(node)
        assert row is not None
        store.revise(row, str(number).encode(), {}, "notes")
    texts = []
    while (row := store.node(node)) and row["before"] is not None:
        texts.append(store.midi(row))
        store.step(row, row["before"])
    assert texts == [b"5", b"4", b"3"]
    store.close()
