"""Metrics by the minute of lab time."""

from __future__ import annotations

from infra.lab.aws.cloudwatch.statistics import Samples
from infra.lab.aws.cloudwatch.store import KEPT_S, Metric, MetricStore

T0 = 1_800_000_000
METRIC = Metric.of("Lab", "Requests", {"Lane": "lambda"})


class Clock:
    def __init__(self) -> None:
        self.time = float(T0)

    def now(self) -> float:
        return self.time


def one(value: float = 1.0) -> Samples:
    samples = Samples()
    samples.add(value)
    return samples


def sums(store: MetricStore, start: int, end: int, period: int = 60) -> dict[int, float | None]:
    return {begin - T0: samples.statistic("Sum") for begin, samples in store.samples(METRIC, start, end, period).items()}


def test_data_points_of_a_minute_are_one() -> None:
    store = MetricStore(Clock().now)
    for second in (0.0, 30.0, 59.9):
        store.put(METRIC, T0 + second, one())
    store.put(METRIC, T0 + 60, one(5))
    assert sums(store, T0, T0 + 120) == {0: 3, 60: 5}


def test_the_start_is_in_the_end_is_not_and_silence_is_nothing() -> None:
    store = MetricStore(Clock().now)
    for minute in (0, 2, 3):
        store.put(METRIC, T0 + 60 * minute, one())
    assert sums(store, T0, T0 + 180) == {0: 1, 120: 1}


def test_longer_periods_begin_at_the_start_that_is_asked_for() -> None:
    store = MetricStore(Clock().now)
    for minute in range(6):
        store.put(METRIC, T0 + 60 * minute, one(minute))
    assert sums(store, T0 + 60, T0 + 360, 180) == {60: 1 + 2 + 3, 240: 4 + 5}


def test_what_is_published_by_the_second_can_be_asked_for_by_the_second() -> None:
    store = MetricStore(Clock().now)
    for second in (0, 1, 10):
        store.put(METRIC, T0 + second, one(), step=1)
    assert sums(store, T0, T0 + 60, 10) == {0: 2, 10: 1}
    assert sums(store, T0, T0 + 60, 60) == {0: 3}


def test_what_has_been_read_is_not_changed_by_what_is_published_after() -> None:
    store = MetricStore(Clock().now)
    store.put(METRIC, T0, one())
    (read,) = store.samples(METRIC, T0, T0 + 60, 60).values()
    store.put(METRIC, T0, one())
    assert (read.statistic("Sum"), sums(store, T0, T0 + 60)) == (1, {0: 2})


def test_a_delay_keeps_data_back_in_lab_time() -> None:
    clock = Clock()
    store = MetricStore(clock.now, delay_s=30)
    store.put(METRIC, T0, one())
    assert (sums(store, T0, T0 + 60), store.metrics()) == ({}, [])
    clock.time += 30
    assert (sums(store, T0, T0 + 60), store.metrics()) == ({0: 1}, [METRIC])


def test_a_long_lab_keeps_no_more_than_some_hours() -> None:
    clock = Clock()
    store = MetricStore(clock.now)
    for minute in range(3 * KEPT_S // 60):
        clock.time = T0 + 60 * minute
        store.put(METRIC, clock.time, one())
    kept = store.samples(METRIC, T0, int(clock.time) + 60, 60)
    assert min(kept) >= clock.time - KEPT_S - 60
    assert len(kept) <= KEPT_S // 60 + 2
    clock.time += 2 * KEPT_S
    store.put(Metric.of("Lab", "Other", {}), clock.time, one())
    clock.time += 60
    assert METRIC not in store.metrics()
