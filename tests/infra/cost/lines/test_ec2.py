"""Instances and their disks."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.cost.lines import ec2
from infra.cost.prices.book import PriceBook
from infra.errors import InputError


def test_spot_is_the_mean_of_the_types_estimates(book: PriceBook) -> None:
    types = ("c7g.large", "c6g.large")
    expected = (book.spot(types[0]).usd + book.spot(types[1]).usd) / 2
    (line,) = ec2.spot(book, types, Decimal(100), note="n")
    assert line.unit_price == expected.quantize(Decimal("0.000001"))
    assert line.usd == line.unit_price * 100
    assert line.confidence == "medium"
    assert "c7g.large" in line.note


def test_spot_estimate_is_the_advisors_saving_off_the_on_demand_price(book: PriceBook) -> None:
    instance = book.instance("c7g.large")
    assert instance.spot is not None
    assert instance.spot.usd == instance.on_demand.usd * Decimal("0.51")
    assert "Spot Advisor" in instance.spot.source
    assert "2025-06" in instance.spot.source


def test_type_without_spot_history_has_no_spot_price(book: PriceBook) -> None:
    with pytest.raises(InputError, match=r"AmazonEC2 spot price of c9g\.large in us-east-1"):
        ec2.spot(book, ("c7g.large", "c9g.large"), Decimal(1), note="n")


def test_disks_are_paid_while_instances_run(book: PriceBook) -> None:
    (line,) = ec2.volumes(book, 8, Decimal(1460), Decimal(730), note="n")
    assert (line.quantity, line.unit, line.usd) == (Decimal(16), "GB-month", Decimal("1.28"))
