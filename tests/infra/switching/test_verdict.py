"""Well, sick, or not known: what each figure does to the verdict."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from infra.switching.plan import Limits
from infra.switching.verdict import Figures, Health, judge, less_sick, split_is_seen, uncompared

LIMITS = Limits()
FINE = Figures(requests=1_000, errors=1, p99_ms=400.0, loop_lag_ms=5.0, healthy=3)
FINE_LAMBDA = Figures(requests=1_000, errors=1, p99_ms=500.0, throttled=0)


def test_a_lane_with_enough_good_requests_is_well() -> None:
    assert judge("container", FINE, FINE_LAMBDA, LIMITS).health is Health.WELL
    assert judge("lambda", FINE_LAMBDA, FINE, LIMITS).health is Health.WELL


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"errors": 30}, "container: 3.00% errors, allowed are 1.00%"),
        ({"errors": 9}, "container: 0.90% errors, the other lane has 0.10%"),
        ({"p99_ms": 3_000.0}, "container: p99 3,000 ms, allowed are 2,500 ms"),
        ({"p99_ms": 900.0}, "container: p99 900 ms, the other lane has 500 ms"),
        ({"loop_lag_ms": 140.0}, "container: event-loop lag 140 ms, allowed are 100 ms"),
        ({"healthy": 0}, "container: no healthy target"),
    ],
)
def test_each_limit_makes_it_sick(changes: dict[str, float], said: str) -> None:
    verdict = judge("container", replace(FINE, **changes), FINE_LAMBDA, LIMITS)
    assert verdict.health is Health.SICK
    assert verdict.words == said


@pytest.mark.parametrize(
    ("lane", "baseline", "alone"),
    [
        ("container", FINE_LAMBDA, {"loop_lag_ms": "not-on-lambda"}),
        ("lambda", FINE, {"throttled": "not-on-containers"}),
        ("lambda", replace(FINE, p99_ms=None), {"throttled": "not-on-containers", "p99_ms": "not-known"}),
        (
            "container",
            replace(FINE_LAMBDA, requests=199),
            {"loop_lag_ms": "not-on-lambda", "errors": "too-few-requests", "p99_ms": "too-few-requests"},
        ),
        ("container", None, {"loop_lag_ms": "not-on-lambda", "errors": "not-known", "p99_ms": "not-known"}),
    ],
)
def test_what_the_other_lane_is_no_measure_for_is_told_with_the_reason(
    lane: str, baseline: Figures | None, alone: dict[str, str]
) -> None:
    assert uncompared(lane, baseline, LIMITS) == alone


def test_throttles_make_the_lambda_lane_sick() -> None:
    verdict = judge("lambda", replace(FINE_LAMBDA, throttled=50), FINE, LIMITS)
    assert verdict.words == "lambda: 4.76% throttled, allowed are 0.10%"


@pytest.mark.parametrize("name", ["requests", "errors", "p99_ms", "loop_lag_ms", "healthy"])
def test_a_figure_that_is_not_known_is_not_health(name: str) -> None:
    verdict = judge("container", replace(FINE, **{name: None}), FINE_LAMBDA, LIMITS)
    assert verdict.health is Health.UNKNOWN
    assert "not known" in verdict.words


def test_loop_lag_is_not_asked_of_a_service_that_does_not_tell_it() -> None:
    limits = Limits(loop_lag_ms=None)
    assert judge("container", replace(FINE, loop_lag_ms=None), FINE_LAMBDA, limits).health is Health.WELL


def test_silence_is_not_health() -> None:
    quiet = Figures(requests=0, loop_lag_ms=1.0, healthy=2)
    assert judge("container", quiet, None, LIMITS).words == "container: 0 of 200 requests seen"


def test_two_errors_among_few_do_not_condemn_and_many_do() -> None:
    few = replace(FINE, requests=50)
    assert judge("container", replace(few, errors=2), None, LIMITS).health is Health.UNKNOWN
    assert judge("container", replace(few, errors=20), None, LIMITS).health is Health.SICK


def test_one_slow_request_among_few_does_not_condemn() -> None:
    assert judge("container", replace(FINE, requests=20, p99_ms=9_000.0), None, LIMITS).health is Health.UNKNOWN


@pytest.mark.parametrize(
    ("rising", "falling", "share", "health"),
    [
        (52, 948, 0.05, Health.WELL),
        (500, 500, 0.05, Health.UNKNOWN),
        (0, 10_000, 0.5, Health.UNKNOWN),
        (10_000, 0, 1.0, Health.WELL),
        (0, 0, 0.5, Health.UNKNOWN),
        (1, 30, 0.01, Health.WELL),
    ],
)
def test_traffic_must_follow_the_weights(rising: int, falling: int, share: float, health: Health) -> None:
    assert split_is_seen(Figures(requests=rising), Figures(requests=falling), share).health is health


def test_of_two_lanes_the_less_sick_is_chosen() -> None:
    sick, sicker = replace(FINE, errors=100), replace(FINE_LAMBDA, errors=600)
    figures = {"container": sick, "lambda": sicker}
    verdicts = {lane: judge(lane, told, None, LIMITS) for lane, told in figures.items()}
    assert less_sick(figures, verdicts, "lambda") == "container"
    well = {**verdicts, "lambda": judge("lambda", FINE_LAMBDA, None, LIMITS)}
    assert less_sick(figures, well, "lambda") == "lambda"
