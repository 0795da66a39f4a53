"""A studio to ask: a real application with a tiny model that has learnt nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from composers import random_composer
from fastapi.testclient import TestClient
from music import melody

from musenet.composing.composer import Composer
from musenet.composing.ranking import FindCopy
from musenet.midi import to_bytes
from musenet.studio.app import create_app
from musenet.studio.settings import Limits, Settings

LIMITS = Limits(
    body_bytes=200_000, notes=2000, minutes=60.0, candidates=4, queue=3, deadline_seconds=60.0
)
SHORT = {"minutes": 0.1, "candidates": 2, "seed": 1, "instruments": ["piano"]}
LONG = {"minutes": 60.0, "candidates": 4, "seed": 1}


@dataclass(frozen=True)
class Studio:
    """A client with shorthands."""

    http: TestClient

    def get(self, path: str, **query: Any) -> Any:
        return self._json(self.http.get(path, params=query))

    def post(self, path: str, **body: Any) -> Any:
        return self._json(self.http.post(path, json=body))

    def put(self, path: str, **body: Any) -> Any:
        return self._json(self.http.put(path, json=body))

    def patch(self, path: str, **body: Any) -> Any:
        return self._json(self.http.patch(path, json=body))

    def _json(self, response: Any) -> Any:
        assert response.status_code in (200, 201, 202), response.text
        return response.json()

    def project(self) -> str:
        made: str = self.post("/v1/projects", name="Song")["id"]
        return made

    def node(self, seed: int = 1, notes: int = 24) -> dict[str, Any]:
        """A melody, uploaded into a new project."""
        data = to_bytes(melody(seed, notes))
        response = self.http.post(f"/v1/projects/{self.project()}/uploads", content=data)
        assert response.status_code == 201, response.text
        found: dict[str, Any] = response.json()
        return found

    def done(self, composition: str) -> dict[str, Any]:
        """Wait until a composition is over."""
        return self.until(composition, lambda told: told["state"] not in ("queued", "running"))

    def until(
        self, composition: str, wanted: Callable[[dict[str, Any]], bool], seconds: float = 20.0
    ) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            told: dict[str, Any] = self.get(f"/v1/compositions/{composition}")
            if wanted(told):
                return told
            time.sleep(0.02)
        raise AssertionError(f"{composition} takes too long: {told}")

    def fails(self, method: str, path: str, status: int, code: str, **named: Any) -> str:
        response = self.http.request(method, path, **named)
        assert response.status_code == status, response.text
        error = response.json()["error"]
        assert error["code"] == code
        assert "\n" not in error["message"]
        message: str = error["message"]
        return message


def events_of(text: str) -> list[tuple[int, str, dict[str, Any]]]:
    """Number, name and data of each event of a stream."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line[1:])
        if "event" in fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


@contextmanager
def served(
    folder: Path, composer: Callable[[], Composer] = random_composer,
    find_copy: FindCopy | None = None, **settings: Any,
) -> Iterator[Studio]:  # fmt: skip
    """A studio on a folder, ready to compose."""
    told = Settings(folder, **{"limits": LIMITS, **settings})
    token = told.token
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    app = create_app(told, composer, find_copy)
    with TestClient(app, base_url="http://localhost", headers=headers) as http:
        until = time.monotonic() + 20
        while http.get("/ready").status_code != 200 and time.monotonic() < until:
            time.sleep(0.01)
        yield Studio(http)
