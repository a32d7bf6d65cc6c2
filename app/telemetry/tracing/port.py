"""What the rest of the service sees of traces: how they are set, and what a search tells of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from app.core.models import SearchQuery, SearchResult


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSettings:
    """Where traces go and which are made. `endpoint` is the whole URL; `headers` and `resource` are by name; `ratio` is the
    sampler's, where it has one. `repr` shows neither endpoint nor headers, which may hold a secret."""

    endpoint: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    resource: Mapping[str, str]
    sampler: str
    ratio: float


class Origin(NamedTuple):
    """The request that began a search; whoever joins it later leaves no trace. `streamed`: its status was sent beforehand."""

    route: str
    scheme: str
    headers: Sequence[tuple[bytes, bytes]]
    streamed: bool = False


class Trace(Protocol):
    """One search under way. Its methods never raise and never wait; either `finished` or `failed` ends it, and a search that is
    given up, as its callers have gone, ends without a word."""

    def asking(self) -> None:
        """Suppliers are asked now."""
        ...

    def finished(self, result: SearchResult) -> None: ...

    def failed(self, error: Exception) -> None: ...


class Tracer(Protocol):
    def begin(self, query: SearchQuery, origin: Origin) -> Trace:
        """A search begins now."""
        ...
