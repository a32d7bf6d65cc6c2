"""LCUs: the traps that other calculators fell into."""

from __future__ import annotations

from typing import Any

import pytest

from infra.cost.lines.load_balancer import Lcu, lcu, together


def steady(**changes: Any) -> dict[str, Any]:
    values = {
        "requests_per_s": 0.0,
        "new_connections_per_s": 0.0,
        "connection_seconds": 0.0,
        "bytes_per_s": 0.0,
        "rules": 0,
        "target": "instance",
    }
    return {**values, **changes}


def test_an_lcu_holds_25_new_connections_a_second_not_100() -> None:
    assert lcu(**steady(new_connections_per_s=25.0)).billed == 1.0
    assert lcu(**steady(new_connections_per_s=100.0)).billed == 4.0


def test_bytes_count_by_the_hour_not_by_the_second_or_month() -> None:
    assert lcu(**steady(bytes_per_s=1e9 / 3600)).billed == pytest.approx(1.0)


def test_lambda_targets_get_less_data_for_an_lcu() -> None:
    assert lcu(**steady(bytes_per_s=0.4e9 / 3600, target="lambda")).billed == pytest.approx(1.0)


def test_the_largest_dimension_is_billed_and_never_the_sum() -> None:
    used = lcu(**steady(new_connections_per_s=50.0, connection_seconds=120.0, bytes_per_s=1e9 / 3600))
    assert (used.new_connections, used.active_connections) == (2.0, 2.0)
    assert used.billed == 2.0
    assert lcu(**steady(bytes_per_s=1e9)).deciding == "processed bytes"


def test_ten_rules_are_free() -> None:
    assert lcu(**steady(requests_per_s=1000.0, rules=10)).rule_evaluations == 0
    assert lcu(**steady(requests_per_s=1000.0, rules=12)).rule_evaluations == 2.0


def test_each_dimension_adds_up_over_what_one_load_balancer_serves() -> None:
    parts = (
        Lcu(new_connections=1.0, active_connections=2.0, processed_bytes=3.0, rule_evaluations=4.0),
        Lcu(new_connections=0.5, active_connections=0.25, processed_bytes=6.0, rule_evaluations=1.0),
    )
    assert together(parts) == Lcu(new_connections=1.5, active_connections=2.25, processed_bytes=9.0, rule_evaluations=5.0)
    assert together(parts).billed == 9.0
