"""The spread of CPU over a run."""

from __future__ import annotations

import pytest

from infra.lab.tenths import Tenths


def test_each_tenth_has_its_own_mean_and_every_search_is_passed_on() -> None:
    cpu, seen = [0.0], []

    def read() -> float:
        return cpu[0]

    tenths = Tenths(read, 50, seen.append)
    for number in range(50):
        cpu[0] += 0.010 if number < 25 else 0.030
        tenths.count(1)
    assert seen == [1] * 50
    assert tenths.cpu_ms == pytest.approx([10.0] * 5 + [30.0] * 5)


def test_a_run_of_fewer_than_ten_has_a_sample_a_search() -> None:
    cpu = iter((0.0, 0.5, 0.7))
    tenths = Tenths(lambda: next(cpu), 2, lambda _: None)
    tenths.count(1)
    tenths.count(1)
    assert tenths.cpu_ms == pytest.approx([500, 200])
