"""From several workers' `/metrics` to the instance's figures; what is unknown is not sent."""

from __future__ import annotations

from itertools import cycle

import pytest

from app.suppliers.guard import Guard
from app.telemetry.counters import SearchCounters
from app.telemetry.exposition import render
from app.telemetry.loop_lag import LoopLag
from app.telemetry.metrics import Metrics
from instance.figures import ASKED_PER_WORKER, Told, figures, hear, read


def text(process: int, busy: float, lag: float, in_flight: int, open_circuits: int) -> str:
    states = "".join(
        f'crossover_breaker_state{{supplier="s{n}",state="{state}"}} {int((state == "open") is (n < open_circuits))}\n'
        for n in range(3)
        for state in ("closed", "open")
    )
    return (
        f"# HELP crossover_worker_process Process id.\ncrossover_worker_process {process}\n"
        f"crossover_event_loop_busy_share {busy}\n"
        f'crossover_event_loop_lag_milliseconds{{quantile="0.5"}} 0.1\n'
        f'crossover_event_loop_lag_milliseconds{{quantile="0.99"}} {lag}\n'
        f"crossover_searches_in_flight {in_flight}\n{states}"
    )


ONE, OTHER = text(11, 0.25, 3.5, 4, 1), text(12, 0.75, 1.5, 2, 2)


def test_one_workers_answer_is_read() -> None:
    assert read(ONE) == Told(11, 0.25, 3.5, 4, 1)


async def test_the_services_own_text_is_read() -> None:
    metrics, lag = Metrics(), LoopLag()
    metrics.add(Guard("a", clock=lambda: 0.0).samples)
    lag._samples_ms.extend([1.0, 2.0])
    lag._busy_shares.append(0.5)
    told = read(render(SearchCounters(), lag, metrics))
    assert told.process and told[1:] == (0.5, 2.0, 0, 0)


def test_an_instances_figures_are_those_of_all_its_workers() -> None:
    assert [tuple(figure) for figure in figures([read(ONE), read(OTHER)])] == [
        ("EventLoopBusy", "Percent", 50.0),
        ("EventLoopLagP99", "Milliseconds", 3.5),
        ("SearchesInFlight", "Count", 6),
        ("SuppliersHeldBack", "Count", 2),
    ]


def test_each_worker_is_heard_once_however_often_it_answers() -> None:
    answers = iter([ONE, ONE, ONE, OTHER])
    assert sorted(told.process or 0 for told in hear(lambda: next(answers), 2)) == [11, 12]


def test_a_worker_that_is_never_heard_is_not_waited_for() -> None:
    asked = 0

    def ask() -> str:
        nonlocal asked
        asked += 1
        return ONE

    assert len(hear(ask, 2)) == 1
    assert asked == 2 * ASKED_PER_WORKER


def test_a_service_of_ones_own_is_asked_once_and_sends_nothing() -> None:
    answers = iter(["python_gc_objects_collected_total 3\nnot metrics at all\n"])
    assert figures(hear(lambda: next(answers), 4)) == []


def test_a_service_that_is_not_there_sends_nothing() -> None:
    assert figures(hear(lambda: None, 2)) == []


@pytest.mark.parametrize("line", ["crossover_event_loop_busy_share NaN", "crossover_event_loop_busy_share +Inf"])
def test_a_value_that_cloudwatch_refuses_is_unknown(line: str) -> None:
    assert figures([read(line)]) == []


def test_a_worker_that_has_just_started_counts_with_what_it_knows() -> None:
    answers = cycle([ONE, "crossover_worker_process 13\ncrossover_searches_in_flight 1\n"])
    assert {figure.name: figure.value for figure in figures(hear(lambda: next(answers), 2))} == {
        "EventLoopBusy": 25.0,
        "EventLoopLagP99": 3.5,
        "SearchesInFlight": 5,
        "SuppliersHeldBack": 1,
    }
