"""Pages of the lab's own in moto's server, under `/_lab/`: what AWS would know and moto cannot is told to it there.

JSON in and JSON out. What a caller got wrong is answered with 400, 404 or 405 and `{"error": "one line"}`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from werkzeug.wrappers import Request, Response

from infra.errors import InputError

PREFIX = "/_lab/"

Page = Callable[[Any], Any]
"""Takes the request's JSON (None where it has no body) and gives what is answered; raises `InputError` for a bad request."""


class LabPages:
    """By path and method. Pages are called in the server's threads, several at a time."""

    def __init__(self) -> None:
        self._pages: dict[str, dict[str, Page]] = {}

    def add(self, method: str, path: str, page: Page) -> None:
        """`path` is the whole of it, as `/_lab/time`."""
        if not path.startswith(PREFIX):
            raise ValueError(f"{path} is not under {PREFIX}")
        self._pages.setdefault(path, {})[method] = page

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Status and JSON."""
        if path not in self._pages:
            return 404, {"error": f"{path}: no such page; there are {', '.join(sorted(self._pages)) or 'none'}"}
        page = self._pages[path].get(method)
        if page is None:
            return 405, {"error": f"{path}: {method} is not for it, but {', '.join(sorted(self._pages[path]))}"}
        try:
            return 200, page(json.loads(body) if body else None)
        except json.JSONDecodeError as error:
            return 400, {"error": f"{path}: the body is not JSON: {error}"}
        except InputError as error:
            return 400, {"error": f"{path}: {error}"}
        except Exception as error:
            logging.exception("%s %s", method, path)
            return 500, {"error": f"{path}: {type(error).__name__}: {error}"}

    def install(self) -> None:
        """Before moto looks which service a request is for."""
        to_moto = DomainDispatcherApplication.__call__

        def call(dispatcher: Any, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            if not environ.get("PATH_INFO", "").startswith(PREFIX):
                answered: Iterable[bytes] = to_moto(dispatcher, environ, start_response)
                return answered
            request = Request(environ)
            status, told = self.answer(request.method, request.path, request.get_data())
            response = Response(json.dumps(told), status=status, content_type="application/json")
            return response(environ, start_response)

        setattr(DomainDispatcherApplication, "__call__", call)  # noqa: B010


def entries(told: Any, what: str) -> dict[str, Any]:
    """A body that must be a JSON object; `what` says what its keys and values would be."""
    if not isinstance(told, dict):
        raise InputError(f"the body must be an object of {what}")
    return told
