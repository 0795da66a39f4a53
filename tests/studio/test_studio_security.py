from __future__ import annotations

from pathlib import Path

import pytest
from studios import Studio, served

from musenet.errors import UserError
from musenet.studio.settings import Settings, is_loopback

TOKEN = "a-token-of-some-length"


def test_only_its_own_names_are_answered(studio: Studio) -> None:
    for host in ("evil.example", "localhost.evil.example", "", "127.0.0.1.nip.io", "[::2]", "["):
        studio.fails("GET", "/v1/projects", 403, "forbidden", headers={"host": host})
    for host in ("localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000"):
        assert studio.http.get("/health", headers={"host": host}).status_code == 200


def test_pages_of_other_sites_may_send_nothing(studio: Studio) -> None:
    for origin in ("http://evil.example", "null", "http://localhost:81", "http://["):
        studio.fails("POST", "/v1/projects", 403, "forbidden", headers={"origin": origin})
    own = studio.http.post("/v1/projects", headers={"origin": "http://localhost"})
    assert own.status_code == 201


def test_cors_is_closed(studio: Studio) -> None:
    asked = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    response = studio.http.options("/v1/projects", headers=asked)
    assert response.status_code == 403
    seen = studio.http.get("/v1/projects", headers=asked).headers
    assert not [name for name in seen if name.startswith("access-control")]


def test_answers_carry_headers(studio: Studio) -> None:
    headers = studio.http.get("/v1/projects").headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "midi=(self)" in headers["permissions-policy"]
    assert "microphone=()" in headers["permissions-policy"]


@pytest.mark.parametrize("told", [True, False])
def test_bodies_are_bounded_whatever_they_say(studio: Studio, told: bool) -> None:
    project, data = studio.project(), b"x" * 300_000

    def pieces() -> object:
        yield from (data[i : i + 10_000] for i in range(0, len(data), 10_000))

    content = data if told else pieces()
    studio.fails("POST", f"/v1/projects/{project}/uploads", 413, "limit", content=content)


def test_json_that_comes_in_pieces_is_bounded(studio: Studio) -> None:
    def pieces() -> object:
        yield b'{"name":"'
        yield from (b"x" * 10_000 for _ in range(30))

    headers = {"content-type": "application/json"}
    message = studio.fails("POST", "/v1/projects", 413, "limit", content=pieces(), headers=headers)
    assert "200,000" in message


def test_clients_name_no_metrics(studio: Studio) -> None:
    studio.http.request("BREW", "/v1/projects")
    text = studio.http.get("/metrics").text
    assert "BREW" not in text
    assert 'method="other"' in text


@pytest.mark.parametrize(
    "path",
    [
        "/v1/nodes/..%2f..%2fetc%2fpasswd", "/v1/nodes/%00/score", "/../../etc/passwd",
        "/%2e%2e/%2e%2e/pyproject.toml", "/store.py", "/v1/nodes/x/renderings/..%2fmid",
        "/v1/openings/..%2f..%2fx/renderings/mid", "/v1/compositions/../x/events", "//etc/passwd",
    ],
)  # fmt: skip
def test_no_text_of_a_client_becomes_a_path(studio: Studio, path: str) -> None:
    response = studio.http.get(path)
    assert response.status_code in (404, 422)
    assert set(response.json()) == {"error"}


def test_with_a_token_nothing_else_gets_in(tmp_path: Path) -> None:
    with served(tmp_path, token=TOKEN) as studio:
        assert studio.get("/v1/projects") == {"projects": []}
        http = studio.http
        del http.headers["authorization"]
        for path in ("/health", "/ready"):
            assert http.get(path).status_code == 200
        for path in ("/", "/v1/projects", "/metrics", "/openapi.json", "/nowhere"):
            message = studio.fails("GET", path, 401, "unauthorised")
            assert "token" in message
        for wrong in ("Bearer x", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer", "Bearer é"):
            headers = {"authorization": wrong.encode()}
            studio.fails("GET", "/v1/projects", 401, "unauthorised", headers=headers)
        studio.fails("GET", "/?token=wrong", 401, "unauthorised")


def test_a_browser_gets_a_cookie_for_the_token(tmp_path: Path) -> None:
    with served(tmp_path, token=TOKEN) as studio:
        http = studio.http
        del http.headers["authorization"]
        response = http.get("/", params={"token": TOKEN}, follow_redirects=False)
        assert (response.status_code, response.headers["location"]) == (303, "/")
        cookie = response.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert http.get("/v1/projects").status_code == 200
        beside = f'prefs={{"a": 1}}; {response.headers["set-cookie"].partition(";")[0]}; b=c'
        http.cookies.clear()
        assert http.get("/v1/projects", headers={"cookie": beside}).status_code == 200
        studio.fails("GET", "/v1/projects", 401, "unauthorised", headers={"cookie": "prefs=1"})


@pytest.mark.parametrize(
    ("host", "alone"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("127.9.9.9", True),
     ("0.0.0.0", False), ("::", False), ("192.168.1.2", False), ("example.org", False)],
)  # fmt: skip
def test_other_addresses_need_a_token(tmp_path: Path, host: str, alone: bool) -> None:
    assert is_loopback(host) == alone
    if not alone:
        with pytest.raises(UserError, match="--token"):
            Settings(tmp_path, host)
    assert Settings(tmp_path, host, TOKEN).hosts >= {"localhost", host}


def test_a_short_token_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="16 characters"):
        Settings(tmp_path, token="short")


@pytest.mark.parametrize("character", ["é", "✨", "\n", "\x7f"])
def test_a_token_that_fits_in_no_header_is_refused(tmp_path: Path, character: str) -> None:
    with pytest.raises(UserError, match="ASCII"):
        Settings(tmp_path, token=TOKEN + character)
