"""The benchmark's suppliers answer what the real adapter reads, in the size that is claimed."""

from __future__ import annotations

from datetime import date
from itertools import islice
from pathlib import Path

import pytest

from app.core.models import Occupancy, SearchQuery
from app.suppliers.catalogue import load_catalogue
from app.suppliers.formats.account import Account
from app.suppliers.formats.rapid import Rapid
from app.suppliers.wire import WireRequest, WireResponse
from benchmarks.workload import (
    ANSWER_BYTES,
    OFFERS_A_SEARCH,
    PLACE,
    SUPPLIERS,
    answer,
    search_paths,
    supplier_ids,
    write_catalogue,
)


class Prepared:
    """A transport that answers with given bytes."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def send(self, request: WireRequest) -> WireResponse:
        return WireResponse(200, self.body)


def test_answers_have_the_size_claimed_and_never_change() -> None:
    for number in range(SUPPLIERS):
        assert len(answer(number)) == pytest.approx(ANSWER_BYTES, rel=0.05)
        assert answer(number) == answer(number)


async def test_the_real_adapter_reads_every_offer(tmp_path: Path) -> None:
    urls = [f"http://127.0.0.1:1/{name}" for name in supplier_ids()]
    catalogue = load_catalogue(write_catalogue(tmp_path, urls), variables={})
    query = SearchQuery(PLACE, date(2027, 1, 10), date(2027, 1, 12), Occupancy(2), "USD")
    offers = 0
    for number, entry in enumerate(catalogue.suppliers):
        account = Account(
            supplier=entry.id, url=entry.url, key=entry.key, secret=entry.secret, hotels=catalogue.content.hotels[entry.id]
        )
        hotels = await Rapid(account).search(query, Prepared(answer(number)))
        offers += sum(len(hotel.offers) for hotel in hotels)
    assert offers == OFFERS_A_SEARCH


def test_neighbouring_searches_differ() -> None:
    assert len(set(islice(search_paths(), 64))) == 64
