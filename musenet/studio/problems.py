"""Errors as the API tells them: a status and one line that says what to do."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from musenet.errors import UserError

_OPTION = re.compile(r"--(?=[a-z])")
_CODES = {400: "bad_request", 404: "not_found", 405: "bad_request", 413: "limit"}
_log = logging.getLogger("musenet.studio")


class Problem(Exception):
    """An answer that is an error.

    Attributes:
        status: of HTTP.
        code: one word for programs.
        message: one line for people.
        headers: to send with it.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = dict(headers or {})

    def answer(self) -> JSONResponse:
        """What is sent."""
        body = {"error": {"code": self.code, "message": self.message}}
        return JSONResponse(body, self.status, self.headers)


def not_found(what: str) -> Problem:
    """There is no such thing."""
    return Problem(404, "not_found", f"there is no such {what}, or it is deleted")


def conflict() -> Problem:
    """What is to be changed is no longer what was read."""
    return Problem(409, "conflict", "the node has changed meanwhile: read it again")


def over_limit(what: str) -> Problem:
    """More is asked for than the server allows."""
    return Problem(422, "limit", what)


def fault() -> Problem:
    """Something of ours is wrong."""
    return Problem(500, "failed", "a fault of the server; its log tells more")


def bad_request(error: UserError) -> Problem:
    """A mistake of the user, whose message may name options of the command line."""
    return Problem(400, "bad_request", _OPTION.sub("", str(error)))


def install(app: FastAPI) -> None:
    """Have an application answer with `Problem`s, whatever goes wrong."""

    @app.exception_handler(Problem)
    async def _problem(_: Request, error: Problem) -> JSONResponse:
        return error.answer()

    @app.exception_handler(UserError)
    async def _user(_: Request, error: UserError) -> JSONResponse:
        return bad_request(error).answer()

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return Problem(422, "invalid", _told(error.errors()[0])).answer()

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(error.status_code, "bad_request")
        return Problem(error.status_code, code, str(error.detail), error.headers).answer()

    @app.exception_handler(Exception)
    async def _fault(request: Request, error: Exception) -> JSONResponse:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return fault().answer()


def _told(error: Mapping[str, Any]) -> str:
    """The first mistake that validation found, with the name of the field."""
    place = ".".join(str(part) for part in error["loc"][1:])
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
