"""The spread of CPU, and of what suppliers sent, over a run."""

from __future__ import annotations

import pytest

from infra.lab.supplier_counts import Counts
from infra.lab.tenths import Tenths


async def nobody() -> None:
    return None


async def test_each_tenth_has_its_own_mean_and_every_search_is_passed_on() -> None:
    cpu, seen = [0.0], list[int]()

    def read() -> float:
        return cpu[0]

    tenths = Tenths(read, 50, seen.append, nobody)
    for number in range(50):
        cpu[0] += 0.010 if number < 25 else 0.030
        tenths.count(1)
    assert seen == [1] * 50
    assert tenths.cpu_ms == pytest.approx([10.0] * 5 + [30.0] * 5)
    assert await tenths.upstream("bytes_out") == []


async def test_what_suppliers_sent_is_told_by_tenths_too() -> None:
    sent = iter((100, 500))

    async def counts() -> Counts:
        return {"one": {"bytes_out": next(sent)}, "two": {"bytes_out": 0}}

    tenths = Tenths(lambda: 0.0, 20, lambda _: None, counts)
    for _ in range(4):
        tenths.count(1)
    assert await tenths.upstream("bytes_out") == [50, 200]


async def test_a_run_of_fewer_than_ten_has_a_sample_a_search() -> None:
    cpu = iter((0.0, 0.5, 0.7))
    tenths = Tenths(lambda: next(cpu), 2, lambda _: None, nobody)
    tenths.count(1)
    tenths.count(1)
    assert tenths.cpu_ms == pytest.approx([500, 200])
