"""The arithmetic that cost and switching share, on figures that can be checked by hand."""

from __future__ import annotations

import pytest

from infra.sizing import cpu_share, environments, instances, rps_per_instance, seconds_on_lambda


def test_one_vcpu_at_1769_mb_and_never_more() -> None:
    assert cpu_share(1_769) == cpu_share(10_240) == 1.0
    assert cpu_share(884) == pytest.approx(0.4997, abs=1e-4)


def test_seconds_and_environments_on_lambda() -> None:
    seconds = seconds_on_lambda(cpu_ms=10, wait_ms=489.5, memory_mb=1_769)
    assert seconds == pytest.approx(0.5)
    assert environments(200, seconds) == pytest.approx(100)


def test_instances_for_a_rate() -> None:
    one = rps_per_instance(cpu_ms=10, vcpu=2, workers_per_vcpu=1, utilization=0.6)
    assert one == pytest.approx(120)
    assert rps_per_instance(cpu_ms=10, vcpu=2, workers_per_vcpu=4, utilization=0.6) == pytest.approx(120)
    assert [instances(rps, one) for rps in (0, 1, 120, 121)] == [0, 1, 1, 2]
