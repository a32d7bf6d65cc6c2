"""A request as the bytes that go over the wire, for requests whose URL and header fields can be written as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_TARGET = re.compile(r"/[A-Za-z0-9\-._~!$&'()*+,;=:@/?%]*")
"""Path and query of characters that need no escaping (RFC 3986, 3.3 and 3.4)."""

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DOT_SEGMENT = re.compile(r"/\.{1,2}(?:/|\?|$)")
_FIELDS = re.compile(r"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+: (?:[!-~](?:[\t -~]*[!-~])?)?\r\n)*")
"""Header fields of visible ASCII without surrounding blanks (RFC 9110, 5.5)."""

_METHOD = re.compile(r"[A-Z]+")
_FRAMING = frozenset(
    ("host", "content-length", "transfer-encoding", "connection", "expect", "upgrade", "te", "trailer", "cookie")
)
"""Fields that change how the message is framed or routed: a request that brings one is not written here."""


class Messages:
    """Writes requests of one client, whose default header fields they share."""

    def __init__(self, defaults: Sequence[tuple[str, str]]) -> None:
        self._defaults = defaults
        self._heads: dict[tuple[str, ...], str | None] = {}

    def write(
        self, method: str, netloc: str, target: str, headers: Mapping[str, str] | None, body: bytes | None
    ) -> bytes | None:
        """The request's bytes; `None` when it needs more care than is taken here."""
        names = tuple(headers) if headers else ()
        try:
            head = self._heads[names]
        except KeyError:
            head = self._heads[names] = self._head(names)
            if len(self._heads) > 1_000:  # somebody makes names up: start over rather than grow
                self._heads = {}
        if head is None or not _TARGET.fullmatch(target) or not _METHOD.fullmatch(method):
            return None
        if ("%" in target and _BROKEN_ESCAPE.search(target)) or ("/." in target and _DOT_SEGMENT.search(target)):
            return None
        fields = "".join([f"{name}: {value}\r\n" for name, value in headers.items()]) if headers else ""
        if not _FIELDS.fullmatch(fields) or fields.count("\r\n") != len(names):  # a value may not bring a field of its own
            return None
        if body is not None:
            text = f"{method} {target} HTTP/1.1\r\nHost: {netloc}\r\n{head}{fields}Content-Length: {len(body)}\r\n\r\n"
            return text.encode("ascii") + body
        length = "Content-Length: 0\r\n" if method in ("POST", "PUT", "PATCH") else ""
        return f"{method} {target} HTTP/1.1\r\nHost: {netloc}\r\n{head}{fields}{length}\r\n".encode("ascii")

    def _head(self, names: tuple[str, ...]) -> str | None:
        """The default fields that these names do not replace; `None` when a name is one of those left to httpx."""
        given = [name.lower() for name in names]
        if len(set(given)) < len(given) or not _FRAMING.isdisjoint(given):
            return None
        return "".join(f"{name}: {value}\r\n" for name, value in self._defaults if name.lower() not in given)
