"""Who may ask. The console listens on loopback, where pages of every site in the same browser can send requests too.

The key of this start stands in the URL's fragment, which no browser sends anywhere; the page exchanges it for a cookie that
scripts cannot read, which reading takes. Cookies are shared by all ports of a host, so what changes anything takes the key
itself too, in a header that no other site can set. `Host` is checked against names that an attacker's DNS points here,
`Origin` and `Sec-Fetch-Site` against other pages.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field

from aiohttp import web

KEY_HEADER = "X-Crossover-Key"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True, slots=True)
class Guard:
    """`open_paths` hold nothing of the stage: the page's own files, and where the key is shown."""

    port: int
    open_paths: frozenset[str]
    session_path: str
    key: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def cookie(self) -> str:
        return f"crossover-console-{self.port}"

    def refusal(self, request: web.Request) -> web.HTTPException | None:
        """None for a request that may be answered."""
        host = request.headers.get("Host", "")
        if host not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            return web.HTTPForbidden(text="this is no name of the console")
        origin = request.headers.get("Origin")
        if origin not in (None, f"http://{host}"):
            return web.HTTPForbidden(text="asked by another page")
        page = request.path in self.open_paths and request.method in ("GET", "HEAD")
        if page:
            return None
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            return web.HTTPForbidden(text="asked by another page")
        if request.method == "POST":
            if origin is None:
                return web.HTTPForbidden(text="a page of the console says Origin")
            if request.content_type != "application/json":
                return web.HTTPUnsupportedMediaType(text="must be application/json")
            if not _same(request.headers.get(KEY_HEADER, ""), self.key):
                return web.HTTPForbidden(text="the key is not that of this start: open the URL that the console printed")
            if request.path == self.session_path:
                return None
        if not _same(request.cookies.get(self.cookie, ""), self.session):
            return web.HTTPUnauthorized(text="open the URL that the console printed")
        return None

    def let_in(self, response: web.Response) -> None:
        """For whoever has shown the key."""
        response.set_cookie(self.cookie, self.session, httponly=True, samesite="Strict", path="/")


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """On every answer, errors and event streams included."""
    response.headers.update(HEADERS)
    response.headers.pop("Server", None)


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())
