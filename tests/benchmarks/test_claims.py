"""The article's claims beside figures: each verdict says what its figures say, and nothing where there are none."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.claims import AFTERS, BEFORE, UNKNOWN, Claim, claims


def load(p50: float, p99: float = 900.0, errors: float = 0.0, cpu: float = 10.0, delayed: float = 0.0) -> dict[str, Any]:
    return {
        "p50_ms": p50,
        "p99_ms": p99,
        "errors_share": errors,
        "cpu_ms_per_search": cpu,
        "peak_rss_mb": 80.0,
        "delayed_share": delayed,
        "rps": 50.0,
    }


def document(**parts: Any) -> dict[str, Any]:
    return {"capacity": {}, "same_load": None, "twice": None, "blocking": None, "block_ms": 50, **parts}


def found(rows: list[Claim], claim: str, about: str) -> Claim:
    return next(row for row in rows if row.claim.startswith(claim) and row.about.startswith(about))


def test_without_figures_nothing_is_claimed() -> None:
    rows = claims(document())
    assert len(rows) == 3 * len(AFTERS) + 3
    assert {row.verdict for row in rows} == {UNKNOWN}


@pytest.mark.parametrize(("rate", "verdict"), [(40.0, "reproduced"), (26.0, "partly"), (20.0, "refuted")])
def test_throughput_is_of_the_rates_held(rate: float, verdict: str) -> None:
    rows = claims(document(capacity={BEFORE: {"rps": 20.0}, "quart_httpx": {"rps": rate}}))
    row = found(rows, "twice the throughput", "quart_httpx")
    assert (row.verdict, row.ours) == (verdict, f"{rate / 20:.1f}× (20 to {rate:.0f} searches/s on one core)")


@pytest.mark.parametrize(("p50", "verdict"), [(500.0, "reproduced"), (800.0, "partly"), (900.0, "refuted")])
def test_latency_is_of_the_medians_at_one_rate(p50: float, verdict: str) -> None:
    rows = claims(document(same_load={"variants": {BEFORE: load(1000.0), "crossover": load(p50)}}))
    assert found(rows, "half the latency", "crossover").verdict == verdict


@pytest.mark.parametrize(("errors", "verdict"), [(0.01, "reproduced"), (0.12, "partly"), (0.19, "refuted"), (0.4, "refuted")])
def test_errors_are_of_what_was_not_answered_in_time(errors: float, verdict: str) -> None:
    rows = claims(document(twice={"variants": {BEFORE: load(1.0, errors=0.2), "quart_httpx": load(1.0, errors=errors)}}))
    assert found(rows, "95% fewer errors", "quart_httpx").verdict == verdict


def test_fewer_errors_than_none_is_no_claim_that_can_hold() -> None:
    rows = claims(document(twice={"variants": {BEFORE: load(1.0), "quart_httpx": load(1.0)}}))
    row = found(rows, "95% fewer errors", "quart_httpx")
    assert (row.verdict, row.ours) == ("refuted", f"{BEFORE} made none")


def test_a_blocking_call_is_judged_by_how_many_others_it_delays() -> None:
    plain = {"asyncio": load(10.0), "threads": load(10.0)}
    blocked = {"asyncio_blocking": load(10.0, delayed=0.05), "threads_blocking": load(10.0, delayed=0.01)}
    rows = claims(document(blocking={"variants": plain | blocked}))
    row = found(rows, "one blocking call", "asyncio")
    assert row.verdict == "reproduced" and row.ours.startswith("each delays 4.0 others by over 25 ms")
    assert found(rows, "(the same on threads)", "threads").ours.startswith("each delays 0.0 others")


def test_threads_are_compared_by_cpu_and_the_rates_held() -> None:
    rows = claims(
        document(
            capacity={"threads": {"rps": 20.0}, "asyncio": {"rps": 50.0}},
            same_load={"variants": {"threads": load(1.0, cpu=20.0), "asyncio": load(1.0, cpu=8.0)}},
        )
    )
    row = found(rows, "asyncio does it", "asyncio")
    assert row.verdict == "reproduced" and "2.5× the rate held (20 to 50/s)" in row.ours
