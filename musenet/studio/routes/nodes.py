"""Nodes: pieces in a project, and edits of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from musenet import midi
from musenet.composing.notes import parse_notes
from musenet.composing.prompt import metre_place
from musenet.errors import UserError
from musenet.instruments import instrument_id
from musenet.quantise import METRES
from musenet.score import METRE, TEMPO, Score, records
from musenet.studio import models, pieces
from musenet.studio.openings import OPENINGS, opening_midi
from musenet.studio.problems import Problem, not_found
from musenet.studio.projects import told_node
from musenet.studio.services import Services, Studio
from musenet.studio.store import Row

router = APIRouter(prefix="/v1", tags=["nodes"])
_MADE_OF = ("opening", "text", "score", "copy_")
Label = Annotated[str, Query(max_length=200)]


@router.post("/projects/{project}/uploads", status_code=201, response_model=models.Node)
async def upload(
    studio: Studio, request: Request, project: str, label: Label = "", parent: str | None = None
) -> dict[str, Any]:
    """A MIDI file, the body of the request, as a node."""
    data = await request.body()

    def add() -> dict[str, Any]:
        node = studio.projects.add(project, data, kind="upload", parent=parent, label=label)
        return studio.projects.told(node)

    return await run_in_threadpool(add)


@router.post("/projects/{project}/nodes", status_code=201, response_model=models.Node)
def add(studio: Studio, project: str, wish: models.NewNode) -> dict[str, Any]:
    """A node of an opening, a text, notes or another node."""
    if sum(getattr(wish, name) is not None for name in _MADE_OF) != 1:
        raise UserError("give exactly one of opening, text, score and copy")
    label, data = _made(studio, wish)
    kind = "opening" if wish.opening else "edit"
    node = studio.projects.add(
        project, data, kind=kind, parent=wish.parent, label=wish.label or label
    )
    return studio.projects.told(node)


def _made(studio: Services, wish: models.NewNode) -> tuple[str, bytes]:
    """The label and the file of a new node."""
    if wish.opening is not None:
        if wish.opening not in OPENINGS:
            raise not_found("opening")
        return OPENINGS[wish.opening].title, opening_midi(wish.opening)
    if wish.copy_ is not None:
        row = studio.projects.node(wish.copy_)
        return row["label"], studio.store.midi(row)
    if wish.score is not None:
        score = pieces.from_json(wish.score.model_dump(), None)
        pieces.check(score, studio.settings.limits)
        return "", pieces.written(score)
    assert wish.text is not None
    notes = parse_notes(wish.text.notes, instrument_id(wish.text.instrument))[0].notes
    metre = METRES[metre_place(wish.text.metre)]
    tempos, metres = records(TEMPO, [(0, wish.text.tempo)]), records(METRE, [(0, *metre)])
    return "", pieces.written(Score(notes, tempos, metres))


@router.get("/nodes/{node}", response_model=models.Node)
def node(studio: Studio, node: str) -> dict[str, Any]:
    """A node."""
    return studio.projects.told(node)


@router.patch("/nodes/{node}", response_model=models.Node)
def change(studio: Studio, node: str, wish: models.NodeChange) -> dict[str, Any]:
    """Another label."""
    studio.store.change_node(studio.projects.node(node), label=wish.label)
    return studio.projects.told(node)


@router.delete("/nodes/{node}", status_code=204)
def delete(studio: Studio, node: str) -> Response:
    """Delete a node and all under it, for 30 days to be brought back."""
    studio.store.delete_subtree(studio.projects.node(node))
    return Response(status_code=204)


@router.post("/nodes/{node}/restore", response_model=models.Nodes)
def restore(studio: Studio, node: str) -> dict[str, Any]:
    """Bring back what was deleted with a node."""
    row = studio.projects.node(node, deleted=True)
    back = studio.store.restore_subtree(row) if row["deleted"] is not None else []
    rows = studio.store.nodes(row["project"])
    return {"tree": [told_node(one) for one in rows if one["id"] in back]}


@router.get("/nodes/{node}/score", responses={200: {"description": "a Score of docs/api.md"}})
def score(
    studio: Studio, node: str, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """The notes of a node."""
    row = studio.projects.node(node)
    headers = {"ETag": f'"{row["file"]}"', "Cache-Control": "private, no-cache"}
    if if_none_match == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    told = pieces.to_json(midi.load(studio.store.midi(row)))
    return JSONResponse({"revision": row["revision"], **told}, headers=headers)


@router.put("/nodes/{node}/score", response_model=models.Node)
def edit(studio: Studio, node: str, wish: models.Edit, response: Response) -> dict[str, Any]:
    """Other notes."""
    row = studio.projects.node(node)
    if wish.revision != row["revision"]:
        raise Problem(409, "conflict", f"the node is at revision {row['revision']} by now: read "
                      "it again")  # fmt: skip
    before = studio.store.midi(row)
    new = pieces.from_json(wish.model_dump(), midi.load(before))
    pieces.check(new, studio.settings.limits)
    return _edited(studio, row, pieces.written(new, before), "notes", wish.as_, response)


@router.post("/nodes/{node}/trim", response_model=models.Node)
def trim(studio: Studio, node: str, wish: models.Trim, response: Response) -> dict[str, Any]:
    """Some of the bars."""
    row = studio.projects.node(node)
    data = pieces.trim(studio.store.midi(row), wish.from_bar, wish.to_bar)
    return _edited(studio, row, data, "trim", wish.as_, response)


@router.post("/nodes/{node}/transpose", response_model=models.Node)
def transpose(
    studio: Studio, node: str, wish: models.Transpose, response: Response
) -> dict[str, Any]:
    """Notes higher or lower."""
    row = studio.projects.node(node)
    data = pieces.transpose(
        studio.store.midi(row), wish.semitones, wish.from_tick, wish.to_tick, wish.instruments
    )
    return _edited(studio, row, data, "transpose", wish.as_, response)


def _edited(
    studio: Services, row: Row, data: bytes, edited: str, as_: models.As, response: Response
) -> dict[str, Any]:
    child = as_ == "child"
    response.status_code = 201 if child else 200
    return studio.projects.told(studio.projects.edit(row, data, edited, child=child))


@router.post("/nodes/{node}/undo", response_model=models.Node)
def undo(studio: Studio, node: str) -> dict[str, Any]:
    """The revision before."""
    studio.projects.undo(node)
    return studio.projects.told(node)


@router.post("/nodes/{node}/redo", response_model=models.Node)
def redo(studio: Studio, node: str) -> dict[str, Any]:
    """The revision that was undone."""
    studio.projects.redo(node)
    return studio.projects.told(node)
