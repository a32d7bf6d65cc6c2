"""The Lambda lane over a profile: cold starts, quota, bursts."""

from __future__ import annotations

import heapq

import numpy as np
import pytest

from infra.cost.simulation.arrivals import Arrivals, Burst
from infra.cost.simulation.functions import FunctionRule, Functions
from infra.cost.simulation.objective import ceiling
from infra.cost.traffic.profile import TrafficProfile
from infra.errors import InputError


def arrivals(*rates: float, burst: Burst | None = None) -> Arrivals:
    return Arrivals(TrafficProfile(step_s=60, rates=rates, source="made for a test"), burst)


def test_environments_are_reused_while_they_are_kept() -> None:
    twice = arrivals(10.0, 50.0, 10.0, 50.0, *[10.0] * 6)
    kept = Functions(twice, FunctionRule(quota=1_000, kept_s=120)).run(np.array([0.5]))
    gone = Functions(twice, FunctionRule(quota=1_000, kept_s=60)).run(np.array([0.5]))
    assert kept.cold_starts[0] == pytest.approx(40 * 0.5, abs=5.1)
    assert gone.cold_starts[0] == pytest.approx(2 * 40 * 0.5)
    assert kept.most[0] == pytest.approx(25)


def test_what_is_beyond_the_quota_is_throttled_and_missed() -> None:
    run = Functions(arrivals(*[100.0] * 10), FunctionRule(quota=40)).run(np.array([0.5, 0.3]))
    assert run.missed_s[0] == pytest.approx(600)
    assert run.throttled[0] == pytest.approx((100 - 80) * 600)
    assert run.missed_s[1] == 0


def test_a_rise_that_outruns_lambdas_scaling_is_throttled_for_ten_seconds() -> None:
    sudden = arrivals(*[10.0] * 30, *[20_000.0] * 30)
    run = Functions(sudden, FunctionRule(quota=100_000)).run(np.array([1.0]))
    assert run.missed_s[0] == pytest.approx(10)
    assert run.throttled[0] == pytest.approx((19_990 - 6_000) * 10)


def test_many_cold_searches_miss_the_objective_only_where_a_cold_one_does() -> None:
    rising = arrivals(*[1.0] * 20, *[100.0] * 20)
    functions = Functions(rising, FunctionRule(quota=1_000))
    assert functions.run(np.array([1.0]), cold_misses=np.array([1.0])).missed_s[0] == pytest.approx(60)
    assert functions.run(np.array([1.0]), cold_misses=np.array([0.0])).missed_s[0] == 0


def test_provisioned_environments_are_always_warm() -> None:
    """1/s, then 100/s, of a second each: 40 of the hundred start cold beyond the 60 that are kept; of 100 kept none do."""
    rising = arrivals(*[1.0] * 20, *[100.0] * 20)
    one, cold = np.array([1.0]), np.array([1.0])
    some, enough, rare = (
        Functions(traffic, FunctionRule(quota=1_000, provisioned=count)).run(one, cold_misses=cold)
        for traffic, count in ((rising, 60), (rising, 100), (arrivals(*[0.0002] * 40), 1))
    )
    assert some.cold_starts[0] == pytest.approx(40)
    assert some.missed_s[0] == 0  # 40 of a minute's 6,000 are fewer than 1%
    assert enough.cold_starts[0] == rare.cold_starts[0] == 0
    assert rare.missed_s[0] == 0
    few = Functions(rising, FunctionRule(quota=1_000, provisioned=20)).run(one, cold_misses=cold)
    assert few.missed_s[0] == pytest.approx(60)


def test_searches_that_come_rarely_start_cold_as_often_as_poisson_arrivals_leave_gaps() -> None:
    """Two in a thousand seconds: e^-1.2 of the gaps are longer than the ten minutes that an environment is kept."""
    gaps = np.random.default_rng(5).exponential(1 / 0.002, 200_000)
    rare = Functions(arrivals(*[0.002] * 1440), FunctionRule(quota=10))
    found = rare.run(np.array([0.5]), cold_misses=np.array([1.0]))
    assert found.cold_starts[0] / (0.002 * 86_400) == pytest.approx(float((gaps > 600).mean()), abs=0.01)
    assert found.missed_s[0] == 86_400
    often = Functions(arrivals(*[0.02] * 1440), FunctionRule(quota=10))
    assert often.run(np.array([0.5]), cold_misses=np.array([1.0])).missed_s[0] == 0


def test_bursts_within_a_step_need_more_environments() -> None:
    steady = Functions(arrivals(*[100.0] * 10), FunctionRule(quota=60)).run(np.array([0.5]))
    bursty = Functions(arrivals(*[100.0] * 10, burst=Burst(factor=2.0)), FunctionRule(quota=60)).run(np.array([0.5]))
    assert steady.missed_s[0] == 0
    assert bursty.missed_s[0] == pytest.approx(0.1 * 600)


def test_a_search_that_takes_no_time_is_refused() -> None:
    with pytest.raises(InputError, match="must take more than 0 seconds"):
        Functions(arrivals(1.0), FunctionRule(quota=1)).run(np.array([0.0]))


def test_the_ceiling_is_where_the_queue_uses_up_what_the_objective_leaves() -> None:
    busy = float(ceiling(np.array([0.010]), np.array([1.2]), 1.5)[0])
    queue = np.log(100) * 0.010 * busy / (1 - busy)
    assert 1.2 + queue == pytest.approx(1.5)
    assert ceiling(np.array([0.010]), np.array([1.6]), 1.5)[0] == 0


def test_the_queues_99th_percentile_is_what_a_simulated_queue_has() -> None:
    random = np.random.default_rng(3)
    mean_s, busy, count = 0.010, 0.7, 400_000
    gaps, work = random.exponential(mean_s / busy, count), random.exponential(mean_s, count)
    wait, waits = 0.0, np.empty(count)
    for number in range(count):  # Lindley's recursion
        waits[number] = wait
        wait = max(0.0, wait + work[number] - gaps[number])
    measured = float(np.percentile(waits + work, 99))
    assert measured == pytest.approx(np.log(100) * mean_s / (1 - busy), rel=0.1)


@pytest.mark.parametrize("busy", [0.5, 0.7])
def test_a_search_that_queues_piece_by_piece_waits_less_than_the_ceiling_counts(busy: float) -> None:
    """The lane's shape: 30% of a search's CPU at its start, 60% over 40 answers that all take 0.4 s, 10% after the last."""
    random, mean_s, answers, workers, count = np.random.default_rng(3), 0.007, 40, 4, 6_000
    arrive = np.cumsum(random.exponential(mean_s / busy / workers, count)).tolist()
    cpu = (mean_s * np.exp(random.normal(-0.11, 0.47, count))).tolist()  # varies by half
    whose, free = random.integers(0, workers, count).tolist(), [0.0] * workers
    left, took, pieces = [answers] * count, np.empty(count), [(at, number) for number, at in enumerate(arrive)]
    asked = [False] * count
    while pieces:  # in the order in which they become ready, each worker one at a time
        ready, number = heapq.heappop(pieces)
        worker, share = whose[number], 0.3
        if asked[number]:
            left[number] -= 1
            share = 0.6 / answers + (0.0 if left[number] else 0.1)
        free[worker] = max(ready, free[worker]) + share * cpu[number]
        if not asked[number]:
            asked[number] = True
            for _ in range(answers):
                heapq.heappush(pieces, (free[worker] + 0.4, number))
        elif not left[number]:
            took[number] = free[worker] - arrive[number]
    added = float(np.percentile(took, 99) - np.percentile(np.array(cpu) + 0.4, 99))
    counted = np.log(100) * mean_s * busy / (1 - busy)
    assert 0.3 * counted < added < 0.8 * counted
