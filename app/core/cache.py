"""Which suppliers need not be asked again yet. Pure policy: clocks and the shared store are passed in.

A search's supplier answers are kept packed, in this process and, where there is one, in a store that many processes share;
each counts as fresh for as long as its supplier's rule says, so that a search asks only the others. Rules: `docs/search.md`.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from app.core.fanout import SupplierAnswer, vet
from app.core.lru import ByteLru
from app.core.models import OutcomeStatus, SearchQuery, SupplierHotel, SupplierOutcome
from app.core.ports import AnswerStore

FAILED_FRESH_S = 1.0
"""How long a supplier's failure stands before it is asked again: a hot search with one dead supplier is worked out once a
second, not every time. Never longer than the supplier's own freshness."""

JITTER = 0.1
"""An answer may count as stale up to this share of its freshness early, drawn anew each time, so that of many workers that
hold it one asks again first and the others find its answer in the shared store."""

SCHEMA = 1
"""Raised whenever `Packed` or the models in it change shape, so that a new release never reads old entries."""

USUAL = (OutcomeStatus.OK, OutcomeStatus.SKIPPED)


class Freshness(NamedTuple):
    """Seconds that a supplier's answers may be used again: `by_supplier`, else `default_s`; 0 is never."""

    default_s: float
    by_supplier: Mapping[str, float] = {}

    def of(self, supplier: str, status: OutcomeStatus) -> float:
        fresh_s = self.by_supplier.get(supplier, self.default_s)
        return fresh_s if status in USUAL else min(FAILED_FRESH_S, fresh_s)


class Packed(Struct, frozen=True, array_like=True):
    """One supplier's answer in a stored entry. `at` is when its search ended (Unix seconds); `hotels` is msgpack."""

    at: float
    outcome: SupplierOutcome
    hotels: msgspec.Raw


class Recent(NamedTuple):
    """A search's supplier answers that are still fresh (outcomes say their age), and the same as they are stored."""

    answers: Mapping[str, SupplierAnswer]
    packed: Mapping[str, Packed]


class AnswerCache:
    """Supplier answers by search. `remote` is shared by many processes and may be absent, slow or wrong.

    `hits` counts searches whose suppliers were all fresh, `partial` those with some, `misses` those with none; `namespace`
    tells apart whoever asks other suppliers, or with other credentials, over the same store.
    """

    def __init__(
        self,
        freshness: Freshness,
        lru: ByteLru[bytes],
        *,
        namespace: str = "",
        remote: AnswerStore | None = None,
        wall_clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._freshness = freshness
        self.lru = lru
        self._namespace = namespace
        self._remote = remote
        self._wall_clock = wall_clock
        self._jitter = jitter
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode_entry = msgspec.msgpack.Decoder(list[Packed]).decode
        self._decode_hotels = msgspec.msgpack.Decoder(tuple[SupplierHotel, ...]).decode
        self.hits = self.partial = self.misses = self.remote_hits = self.corrupt = 0

    async def recent(self, query: SearchQuery, suppliers: Sequence[str]) -> Recent:
        """Which of these suppliers need not be asked. Never raises; asks the shared store only for what is not here."""
        now = self._wall_clock()
        early = 1 - JITTER * self._jitter()
        packed: dict[str, Packed] = {}
        local = self.lru.get(query)
        if local is not None:
            packed = {each.outcome.supplier: each for each in self._fresh(self._decode_entry(local), now, early)}
        if self._remote is not None and not all(supplier in packed for supplier in suppliers):
            for each in self._fresh(await self._from_remote(self._remote, query), now, early):
                here = packed.get(each.outcome.supplier)
                if here is None or here.at < each.at:
                    packed[each.outcome.supplier] = each
        wanted = {supplier: packed[supplier] for supplier in suppliers if supplier in packed}
        if len(wanted) == len(suppliers):
            self.hits += 1
        elif wanted:
            self.partial += 1
        else:
            self.misses += 1
        return Recent({supplier: self._unpack(each, now) for supplier, each in wanted.items()}, wanted)

    def keep(self, query: SearchQuery, answers: Iterable[SupplierAnswer], recent: Recent, *, failures: bool) -> None:
        """Keep a search's answers beside the recent ones it used; `failures` says whether failures may stand, which they
        may not when the search had less time than usual."""
        now = self._wall_clock()
        kept = list(recent.packed.values())
        for answer in answers:
            outcome = answer.outcome
            if not failures and outcome.status not in USUAL:
                continue
            if self._freshness.of(outcome.supplier, outcome.status) > 0:
                kept.append(Packed(now, outcome, msgspec.Raw(self._encode(answer.hotels))))
        if not any(each.outcome.status is OutcomeStatus.OK for each in kept):
            return  # when nobody answered, everybody is asked again
        ttl_s = max(self._remaining_s(each, now) for each in kept)
        entry = self._encode(kept)
        self.lru.put(query, entry, size=len(entry), ttl_s=ttl_s)
        if self._remote is not None and ttl_s > 0 and len(kept) > len(recent.packed):
            self._remote.put(self._key(query), entry, ttl_ms=max(1, int(ttl_s * 1000)))

    def whole_ttl_s(self, outcomes: Iterable[SupplierOutcome]) -> float:
        """How long an answer made of these may be given again as it is: until the first supplier's freshness ends."""
        of = self._freshness.of
        left_s = min((of(each.supplier, each.status) - (each.cached_age_ms or 0) / 1000 for each in outcomes), default=0.0)
        return left_s * (1 - JITTER * self._jitter())

    def _fresh(self, packed: Iterable[Packed], now: float, early: float) -> Iterator[Packed]:
        for each in packed:
            fresh_s = self._freshness.of(each.outcome.supplier, each.outcome.status)
            if now - each.at < fresh_s * early:
                yield each

    def _remaining_s(self, each: Packed, now: float) -> float:
        return self._freshness.of(each.outcome.supplier, each.outcome.status) - max(0.0, now - each.at)

    def _unpack(self, each: Packed, now: float) -> SupplierAnswer:
        age_ms = round(max(0.0, now - each.at) * 1000, 3)
        return SupplierAnswer(replace(each.outcome, cached_age_ms=age_ms), self._decode_hotels(each.hotels))

    async def _from_remote(self, remote: AnswerStore, query: SearchQuery) -> list[Packed]:
        """The shared store's entry; anything that is not one of ours, whole and right, counts as corrupt and is nothing."""
        stored = await remote.get(self._key(query))
        if stored is None:
            return []
        try:
            entry = self._decode_entry(stored)
            for each in entry:
                hotels = self._decode_hotels(each.hotels)
                if vet(each.outcome.supplier, hotels) != each.outcome.offers or each.at != each.at:
                    raise ValueError
        except Exception:  # whatever a foreign value can make a decoder raise
            self.corrupt += 1
            return []
        self.remote_hits += 1
        return entry

    def _key(self, query: SearchQuery) -> bytes:
        digest = hashlib.blake2b(self._encode(query), digest_size=16).hexdigest()
        return f"crossover:{SCHEMA}:{self._namespace}:{digest}".encode()
