"""What a part of the service says about itself when asked: plain samples, gathered only when somebody looks.

A part counts in plain attributes (an integer costs nothing on the hot path) and offers `samples()`; bootstrap registers it
with `Metrics`, and the exposition formats read all sources when they are scraped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

Kind = Literal["counter", "gauge"]


class Sample(NamedTuple):
    """One figure: `name` is the Prometheus name with its unit (`crossover_pool_connections`), counters end in `_total`."""

    name: str
    kind: Kind
    help: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


Source = Callable[[], Iterable[Sample]]


class Metrics:
    """The sources of one process, asked in the order they were added."""

    def __init__(self) -> None:
        self._sources: list[Source] = []

    def add(self, source: Source) -> None:
        self._sources.append(source)

    def samples(self) -> Iterator[Sample]:
        """Every sample of every source, read now."""
        for source in self._sources:
            yield from source()
