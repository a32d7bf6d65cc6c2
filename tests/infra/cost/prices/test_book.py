"""The price book as shipped, and books that are wrong."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from infra.config import INSTANCE_TYPES
from infra.cost.prices.book import PriceBook
from infra.cost.prices.file import SHIPPED, load_price_book
from infra.errors import InputError


def test_every_price_has_source_unit_and_confidence(book: PriceBook) -> None:
    prices = list(book.every_price())
    assert len(prices) > 400
    for price in prices:
        assert price.source
        assert price.unit
        assert price.region == "us-east-1"
        assert price.confidence in ("high", "medium", "low")
        assert price.as_of is None or price.as_of[:4].isdigit()


def test_prices_are_exact_decimals(book: PriceBook) -> None:
    assert book.price("AWSLambda", "duration_arm64").usd == Decimal("0.0000133334")
    assert book.price("AWSLambda", "requests").usd == Decimal("0.0000002")
    assert [tier.start for tier in book.price("AWSDataTransfer", "out_internet").tiers] == [0, 10_240, 51_200, 153_600]


def test_instances_of_both_architectures_have_shape_and_price(book: PriceBook) -> None:
    arm, intel = book.instance("c7g.large"), book.instance("c7i.large")
    assert (arm.architecture, arm.vcpu, arm.memory_gib) == ("arm64", 2, Decimal(4))
    assert (intel.architecture, intel.vcpu, intel.memory_gib) == ("x86_64", 2, Decimal(4))
    assert arm.on_demand.usd < intel.on_demand.usd


def test_free_transfer_is_marked_as_unconfirmed(book: PriceBook) -> None:
    assert book.free_tier("AWSDataTransfer", "out_internet").confidence == "medium"


def test_missing_price_names_service_region_and_dimension(book: PriceBook) -> None:
    with pytest.raises(InputError, match="no price for AWSLambda teleport in us-east-1"):
        book.price("AWSLambda", "teleport")
    with pytest.raises(InputError, match=r"AmazonEC2 instance type c7g\.nano in us-east-1"):
        book.instance("c7g.nano")
    with pytest.raises(InputError, match="AWSELB free tier of alb_hour in us-east-1"):
        book.free_tier("AWSELB", "alb_hour")


def test_missing_region_names_what_there_is() -> None:
    with pytest.raises(InputError, match="no price book for region 'eu-west-1'; there is one for: us-east-1"):
        load_price_book("eu-west-1")


def test_book_is_stale_after_90_days_and_not_before(book: PriceBook) -> None:
    assert not book.is_stale(book.as_of + timedelta(days=90))
    assert book.is_stale(book.as_of + timedelta(days=91))


def _broken(tmp_path: Path, change: dict[str, object]) -> Path:
    data = json.loads((SHIPPED / "us-east-1.json").read_text())
    data["prices"][0].update(change)
    path = tmp_path / "book.json"
    path.write_text(json.dumps(data))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"usd": "much"}, r"book\.json: not a price book: .*\$\.prices\[0\]\.usd"),
        ({"usd": "-1"}, "a price must be 0 or more"),
        ({"usd": "NaN"}, "a price must be 0 or more"),
        ({"usd": "1e999999999"}, r"book\.json: \w+ \w+: a price must be 0 or more, and 1,000,000 at most"),
        ({"cost": "1"}, "unknown field `cost`"),
        ({"tiers": [["0", "10", "1"], ["20", None, "1"]]}, "tiers must run from 0 without a gap"),
        ({"tiers": [["0", "10", "1"]]}, "tiers must run from 0 without a gap to null"),
        ({"tiers": [["0", "10", "1"], ["10", "5", "1"], ["5", None, "1"]]}, "tiers must run from 0 without a gap to null"),
        ({"tiers": [["0", None, "7"]]}, "usd is .*, its first tier 7; both are the price of the first unit"),
    ],
)
def test_malformed_book_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_price_book("us-east-1", _broken(tmp_path, change))


@pytest.mark.parametrize("quantity", ["NaN", "-5", "Infinity"])
def test_a_free_allowance_that_cannot_be_is_refused(quantity: str, tmp_path: Path) -> None:
    path = _broken(tmp_path, {})
    data = json.loads(path.read_text())
    data["free_tiers"][0]["quantity"] = quantity
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match=rf"book\.json: free tier of \w+ \w+: quantity must be 0 or more, not {quantity}"):
        load_price_book("us-east-1", path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"on_demand_usd_per_hour": "NaN"}, r"book\.json: c7g\.large: on_demand_usd_per_hour: a price must be 0 or more"),
        ({"on_demand_usd_per_hour": "-1"}, r"c7g\.large: on_demand_usd_per_hour: a price must be 0 or more"),
        ({"vcpu": 0}, r"c7g\.large: vcpu and memory_gib: must be more than 0"),
        ({"spot_saving_percent": 150}, r"c7g\.large: spot_saving_percent: must be 0 to 100"),
        ({"spot_usd_per_hour": "0.02"}, r"c7g\.large: spot_usd_per_hour: goes with spot_current"),
    ],
)
def test_a_malformed_instance_type_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = _broken(tmp_path, {})
    document = json.loads(path.read_text())
    document["instances"]["types"]["c7g.large"] |= change
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=message):
        load_price_book("us-east-1", path)


def test_a_price_that_stands_twice_and_another_schema_are_refused(tmp_path: Path) -> None:
    path = _broken(tmp_path, {})
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "prices": [*document["prices"], document["prices"][0]]}))
    with pytest.raises(InputError, match=r"book\.json: prices: \w+ \w+ stands more than once; each price once"):
        load_price_book("us-east-1", path)
    path.write_text(json.dumps({**document, "schema": 2}))
    with pytest.raises(InputError, match=r"book\.json: schema: 2, must be 1"):
        load_price_book("us-east-1", path)


def test_book_of_another_region_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="region is 'us-east-1', but 'eu-west-1' was asked for"):
        load_price_book("eu-west-1", _broken(tmp_path, {}))


def test_book_has_a_date(book: PriceBook) -> None:
    assert book.as_of >= date(2026, 11, 23)


@pytest.mark.parametrize("architecture", sorted(INSTANCE_TYPES))
def test_every_instance_type_the_kit_deploys_by_default_is_priced(book: PriceBook, architecture: str) -> None:
    for name in INSTANCE_TYPES[architecture]:
        assert book.spot(name).usd < book.instance(name).on_demand.usd
        assert book.instance(name).architecture == architecture
        assert book.instance(name).vcpu == 2
