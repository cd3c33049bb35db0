"""Who gets in: a token that opens the desk once, the cookie that it gives, and checks of each request.

The desk acts with its user's AWS credentials, so that a page of another site, or a name that another site
points at this machine (DNS rebinding), must not be able to use it.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_BYTES = 32
MOST_SESSIONS = 100  # browsers of one desk; the oldest one has to open a new address then
READING = {"GET", "HEAD"}
OPEN_AGAIN = (
    "This address has been used already, or is not the desk's newest: open the address that stands last in "
    "the window where the desk was started."
)
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
# It goes on by itself, and not by a redirect, as a SameSite=Strict cookie does not go along on a redirect
# from another site's link.
ENTERED = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Claimflow</title>'
    '<link rel="icon" href="/static/icon.svg">'
    '<meta http-equiv="refresh" content="0; url=/"><p><a href="/">To the desk</a></p></html>'
)
# Its link is for a browser that was let in and came by another site's link, with which the cookie did not go.
REFUSED = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Claimflow</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<link rel="icon" href="/static/icon.svg"><link rel="stylesheet" href="/static/desk.css"></head>'
    f'<body><main><h1>The desk is not open in this browser</h1><p class="sentence">{OPEN_AGAIN}</p>'
    '<p><a href="/">This browser was in before: to the desk</a></p></main></body></html>'
)


class Guard:
    """ASGI middleware that lets through only what the desk's own pages send in a browser that was let in."""

    def __init__(self, app: ASGIApp, hosts: set[str], tell: Callable[[str], None]) -> None:
        """Guard an app; `hosts` are the values of Host that it answers to, `tell` is given each new token."""
        self._app, self._hosts, self._tell = app, hosts, tell
        port = next(iter(hosts)).rsplit(":", 1)[-1]
        self._cookie = f"claimflow_desk_{port}"  # browsers keep no cookies apart by port
        self._sessions: list[str] = []  # digests
        self._token = ""
        self.renew()

    def renew(self) -> None:
        """Make a new token, which opens the desk in one more browser, and tell it."""
        self._token = secrets.token_urlsafe(TOKEN_BYTES)
        self._tell(self._token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the app answer it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        answer = self._answer(scope) or self._app
        await answer(scope, receive, _with_headers(send))

    def _answer(self, scope: Scope) -> Response | None:
        """Return what is said to a request that does not reach the app, or None."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if host not in self._hosts:
            return PlainTextResponse("This is not the desk's address.", 421)
        if scope["method"] not in READING and headers.get("origin") != f"http://{host}":
            return PlainTextResponse("This was not sent by a page of the desk.", 403)
        known = self._is_known(headers.get("cookie", ""))
        if scope["path"] == "/" and (given := _token_of(scope)):
            return HTMLResponse(ENTERED) if known else self._enter(given)
        if scope["path"].startswith("/static/") or known:
            return None
        if scope["path"].startswith("/api/"):
            return PlainTextResponse(OPEN_AGAIN, 403)
        return HTMLResponse(REFUSED, 403)

    def _enter(self, given: str) -> Response:
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return HTMLResponse(REFUSED, 403)
        session = secrets.token_urlsafe(TOKEN_BYTES)
        self._sessions = [*self._sessions, _digest(session)][-MOST_SESSIONS:]
        self.renew()
        answer = HTMLResponse(ENTERED)
        answer.set_cookie(self._cookie, session, httponly=True, samesite="strict", path="/")
        return answer

    def _is_known(self, cookie: str) -> bool:
        try:
            given = SimpleCookie(cookie).get(self._cookie)
        except CookieError:
            return False
        return given is not None and _digest(given.value) in self._sessions


def _token_of(scope: Scope) -> str:
    return QueryParams(scope["query_string"]).get("token", "")


def _digest(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()


def _with_headers(send: Send) -> Send:
    """Return `send` that gives each answer the headers that it does not set itself."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
