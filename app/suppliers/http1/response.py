"""A real `httpx.Response` around an answer that is already whole: header fields and request are made when asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx

from app.suppliers.http1.exchange import Answer


def as_response(answer: Answer, elapsed_s: float, build_request: Callable[[], httpx.Request]) -> httpx.Response:
    """The answer as stock httpx would hand it out, read and closed."""
    if answer.coding:  # brotli, zstandard, several: httpx decodes what it has decoders for
        response = httpx.Response(answer.status, headers=answer.headers, content=answer.body, request=build_request())
        response.extensions["http_version"] = b"HTTP/" + answer.http_version.encode()
        response.elapsed = timedelta(seconds=elapsed_s)
        return response
    return _WholeResponse(answer, elapsed_s, build_request)


class _WholeResponse(httpx.Response):
    """`httpx.Response` with the costly parts put off; every attribute that its `__init__` sets is set here."""

    def __init__(self, answer: Answer, elapsed_s: float, build_request: Callable[[], httpx.Request]) -> None:
        self.status_code = answer.status
        self.next_request = None
        self.extensions = {"http_version": b"HTTP/" + answer.http_version.encode()}
        self.history = []
        self.is_closed = True
        self.is_stream_consumed = True
        self.default_encoding = "utf-8"
        self.stream = httpx.ByteStream(answer.body)
        self._content = answer.body
        self._num_bytes_downloaded = len(answer.body)
        self._elapsed = timedelta(seconds=elapsed_s)
        self._raw_headers = answer.headers
        self._made_headers: httpx.Headers | None = None
        self._made_request: httpx.Request | None = None
        self._build_request: Callable[[], httpx.Request] | None = build_request

    @property
    def headers(self) -> httpx.Headers:
        if self._made_headers is None:
            self._made_headers = httpx.Headers(self._raw_headers)
        return self._made_headers

    @headers.setter
    def headers(self, value: httpx.Headers) -> None:
        self._made_headers = value

    @property
    def _request(self) -> httpx.Request | None:
        if self._made_request is None and self._build_request is not None:
            self._made_request = self._build_request()
        return self._made_request

    @_request.setter
    def _request(self, value: httpx.Request | None) -> None:
        self._made_request = value

    def __getstate__(self) -> dict[str, Any]:
        _ = self._request  # made now: how to make it cannot be pickled
        return {**super().__getstate__(), "_build_request": None}
