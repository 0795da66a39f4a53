"""What every request passes: whose server it is, who asks, how much is sent."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request, cookie_parser
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from musenet.studio.metrics import Metrics
from musenet.studio.problems import Problem
from musenet.studio.settings import Settings

COOKIE = "musenet_token"
_OPEN = ("/health", "/ready")
_READING = ("GET", "HEAD")
_METHODS = (*_READING, "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": (
        "midi=(self), camera=(), microphone=(), geolocation=(), usb=(), payment=(), "
        "display-capture=()"
    ),
}


class Gate:
    """Lets through what may pass, counts it, and adds headers to the answers."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        """Stand before an application."""
        self.app, self.settings, self.metrics = app, settings, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    if name not in headers:
                        headers[name] = value
            await send(message)

        try:
            await self._pass(scope, receive, answer)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self.metrics.requests.labels(method, route, status).inc()

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        try:
            self._check_origin(scope, headers)
            if self.settings.token and scope["path"] not in _OPEN:
                if response := self._welcome(scope):
                    await response(scope, receive, send)
                    return
                self._check_token(headers, self.settings.token)
            bounded = self._bounded(headers, receive)
        except Problem as problem:
            await problem.answer()(scope, receive, send)
            return
        await self.app(scope, bounded, send)

    def _check_origin(self, scope: Scope, headers: Headers) -> None:
        """Refuse what was sent to another name (DNS rebinding) or by another site's page."""
        host = headers.get("host", "")
        if _name(host) not in self.settings.hosts:
            raise Problem(403, "forbidden", "this server does not go by that name: use --name")
        origin = headers.get("origin")
        if scope["method"] in _READING or origin is None:
            return
        if _place(origin) != host.lower():
            raise Problem(403, "forbidden", "pages of other sites may not send anything here")

    def _welcome(self, scope: Scope) -> RedirectResponse | None:
        """Sets the cookie where a browser opens the page with the token in its address."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        if scope["path"] != "/" or scope["method"] != "GET" or not given:
            return None
        if not _same(given[0], self.settings.token or ""):
            raise _unauthorised()
        response = RedirectResponse("/", 303)
        secure = Request(scope).url.scheme == "https"
        response.set_cookie(COOKIE, given[0], httponly=True, samesite="strict", secure=secure)
        return response

    def _check_token(self, headers: Headers, token: str) -> None:
        kind, _, value = headers.get("authorization", "").partition(" ")
        bearer = value.strip() if kind.lower() == "bearer" else ""
        if not _same(bearer or _cookie(headers), token):
            raise _unauthorised()

    def _bounded(self, headers: Headers, receive: Receive) -> Receive:
        """The body of a request, which may not be larger than it may, whatever it says."""
        most, read = self.settings.limits.body_bytes, 0
        told = headers.get("content-length", "0")
        if told.isascii() and told.isdigit() and int(told) > most:
            raise Problem(413, "limit", _too_large(most))

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                # what else is raised while a body is read FastAPI calls a fault of its JSON
                raise HTTPException(413, _too_large(most))
            return message

        return bounded


def _place(origin: str) -> str:
    """The name and port in an `Origin` header; none in one that is no address."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _name(host: str) -> str:
    """The name in a `Host` header, without the port and the brackets of an IPv6 address."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _same(given: str, token: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode(), token.encode())


def _cookie(headers: Mapping[str, str]) -> str:
    return cookie_parser(headers.get("cookie", "")).get(COOKIE, "")


def _unauthorised() -> Problem:
    headers = {"WWW-Authenticate": "Bearer"}
    return Problem(401, "unauthorised", "show the server's token: Authorization: Bearer TOKEN",
                   headers)  # fmt: skip


def _too_large(most: int) -> str:
    return f"the body is larger than {most:,} bytes: send less"
