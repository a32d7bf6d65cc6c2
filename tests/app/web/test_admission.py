"""The admission limit against a simulated CPU: out of the way while it keeps up, closing in when it does not."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from app.web.admission import FIRST_LIMIT, LAG_MS, LEAST, LONG_LAG_MS, Admission

SAMPLE_S = 0.05


SUPPLIERS = 8


@dataclass(slots=True)
class Search:
    began: float
    left: int = SUPPLIERS


class Outcome(NamedTuple):
    good_per_s: float
    p99_s: float
    shed: int


def one_core(admission: Admission, *, rate: float, work_s: float, seconds: float, wait_s: float = 0.4) -> Outcome:
    """Searches arrive at random on one core: a quarter of the work at once, a sixteenth as each of eight suppliers answers
    (lognormal, the slowest usually after `wait_s`), the rest with the last. The core does one thing after another; lag is how
    long what is ready waits. Counts the second half."""
    rng = random.Random(7)
    events: list[tuple[float, int, str, Search]] = []
    number, due = 0, 0.0
    nobody = Search(0.0)
    while (due := due + rng.expovariate(rate)) < seconds:
        heapq.heappush(events, (due, number := number + 1, "arrive", Search(due)))
    for tick in range(int(seconds / SAMPLE_S)):
        heapq.heappush(events, (tick * SAMPLE_S, number := number + 1, "tick", nobody))
    free_at, in_flight, shed = 0.0, 0, 0
    idle_s, idle_before = 0.0, 0.0
    took: list[float] = []
    while events:
        at, _, what, search = heapq.heappop(events)
        start = max(at, free_at)
        idle_s += start - free_at
        free_at = start
        if what == "tick":
            admission.loop_seen((start - at) * 1000, 1 - (idle_s - idle_before) / SAMPLE_S)
            idle_before = idle_s
        elif what == "arrive":
            if admission.admits(in_flight):
                in_flight += 1
                free_at += work_s / 4
                for _ in range(SUPPLIERS):
                    answered = free_at + rng.lognormvariate(0, 0.5) * wait_s / 2
                    heapq.heappush(events, (answered, number := number + 1, "answer", search))
            else:
                shed += search.began > seconds / 2
                free_at += 0.0001
        else:
            free_at += work_s / 16
            search.left -= 1
            if not search.left:
                free_at += work_s / 4
                in_flight -= 1
                if search.began > seconds / 2:
                    took.append(free_at - search.began)
    return Outcome(len(took) / (seconds / 2), sorted(took)[int(0.99 * len(took))], shed)


def unlimited() -> Admission:
    return Admission(enabled=False)


@pytest.mark.parametrize("work_s", [0.005, 0.02])
@pytest.mark.parametrize("overload", [1.5, 2.0, 4.0])
def test_under_overload_goodput_stays_near_capacity_and_latency_near_the_unloaded(work_s: float, overload: float) -> None:
    capacity = 1 / work_s
    calm = one_core(unlimited(), rate=capacity / 2, work_s=work_s, seconds=40)
    drowned = one_core(unlimited(), rate=capacity * overload, work_s=work_s, seconds=40)
    limited = one_core(Admission(), rate=capacity * overload, work_s=work_s, seconds=40)
    assert drowned.p99_s > 3 * calm.p99_s, "without a limit this load drowns it"
    assert limited.good_per_s >= 0.9 * capacity
    assert limited.p99_s <= 1.5 * calm.p99_s


def test_it_refuses_nothing_while_the_cpu_keeps_up_even_when_suppliers_become_slow() -> None:
    for wait_s in (0.1, 0.4, 1.2):
        assert one_core(Admission(), rate=50, work_s=0.01, seconds=30, wait_s=wait_s).shed == 0


def test_one_late_sample_closes_nothing() -> None:
    admission = Admission()
    for _ in range(10):
        for late_ms in (8 * LONG_LAG_MS, *[0.0] * 40):
            admission.loop_seen(late_ms, 0.3)
    assert admission.limit == FIRST_LIMIT


def test_lag_of_a_loop_that_rests_is_somebody_elses() -> None:
    admission = Admission()
    for _ in range(500):
        admission.loop_seen(3 * LAG_MS, 0.6)
    assert admission.limit == FIRST_LIMIT


def test_a_busy_loop_in_which_nothing_waits_is_used_well() -> None:
    admission = Admission()
    for _ in range(100):
        for running in range(int(admission.limit)):
            assert admission.admits(running)
        admission.loop_seen(0.5 * LAG_MS, 1.0)
    assert admission.limit > 2 * FIRST_LIMIT


@pytest.mark.parametrize("busy", [0.5, None])
def test_a_long_lag_closes_whatever_the_thread_does_meanwhile(busy: float | None) -> None:
    admission = Admission()
    for _ in range(50):
        admission.loop_seen(2 * LONG_LAG_MS, busy)
    assert admission.limit == LEAST


def test_the_limit_never_closes_wholly_and_opens_again() -> None:
    admission = Admission()
    for _ in range(500):
        admission.loop_seen(10 * LONG_LAG_MS, 1.0)
    assert admission.limit == LEAST
    for _ in range(100):
        for running in range(int(admission.limit)):
            assert admission.admits(running)
        admission.loop_seen(0.0, 0.2)
    assert admission.limit > FIRST_LIMIT


def test_a_limit_that_nothing_tests_does_not_grow() -> None:
    admission = Admission()
    for _ in range(500):
        assert admission.admits(3)
        admission.loop_seen(0.0, 0.2)
    assert admission.limit == FIRST_LIMIT
