"""One ASGI request whose answer is collected whole: what Mangum's `HTTPCycle` does, awaited on a loop that others run on too.

As there, an exception of the app is logged and answered with 500, and the app hears of the disconnect once it has answered.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from mangum.types import ASGI, Response, Scope

log = logging.getLogger("crossover.lambda")

FAILED: Response = {
    "status": 500,
    "headers": [[b"content-type", b"text/plain; charset=utf-8"]],
    "body": b"Internal Server Error",
}


class Cycle:
    __slots__ = ("_answered", "_asked", "_body", "_gone", "_headers", "_parts", "_status")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._asked = self._answered = False
        self._gone: asyncio.Future[None] | None = None
        self._status: int | None = None
        self._headers: Any = ()
        self._parts: list[bytes] = []

    async def run(self, app: ASGI, scope: Scope) -> Response:
        """The app's answer. Raises `RuntimeError` when it gives none; cancelling cancels the app."""
        try:
            await app(scope, self.receive, self.send)
        except Exception:
            log.exception("the app failed to answer %s %s", scope["method"], scope["path"])
            if not self._answered:
                return FAILED
        if not self._answered or self._status is None:
            raise RuntimeError("the app ended without a whole answer")
        body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        return {"status": self._status, "headers": self._headers, "body": body}

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        if not self._answered:
            if self._gone is None:
                self._gone = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._gone)  # whoever waits may be cancelled and another one wait anew
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        kind = message["type"]
        if kind == "http.response.start" and self._status is None:
            self._status = message["status"]
            self._headers = message.get("headers", ())
        elif kind == "http.response.body" and self._status is not None and not self._answered:
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                self._answered = True
                if self._gone is not None:
                    self._gone.set_result(None)
        else:
            raise RuntimeError(f"unexpected message {kind!r}")
