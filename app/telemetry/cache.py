"""What the cache of supplier answers, and the sharing of searches in flight, save."""

from __future__ import annotations

from collections.abc import Iterator

from app.core.cache import AnswerCache
from app.telemetry.metrics import Sample


def cache_samples(cache: AnswerCache) -> Iterator[Sample]:
    about = "Searches by how many of their suppliers had a recent answer: all, some, none."
    for found, count in (("all", cache.hits), ("some", cache.partial), ("none", cache.misses)):
        yield Sample("crossover_cache_searches_total", "counter", about, count, (("found", found),))
    yield Sample("crossover_cache_bytes", "gauge", "Memory of the supplier answers kept here.", cache.lru.bytes)
    yield Sample("crossover_cache_evicted_total", "counter", "Entries dropped before their time.", cache.lru.evicted)
    yield Sample("crossover_cache_corrupt_total", "counter", "Entries of the shared cache that were not ours.", cache.corrupt)
