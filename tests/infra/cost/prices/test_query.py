"""The query API gives the very book that the bulk files give, of what both can tell; its troubles are one line."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.cost.prices.asks import Ask, asks_of_instances, asks_of_wishes
from infra.cost.prices.downloads import Downloads, NoOffer
from infra.cost.prices.file import load_price_book
from infra.cost.prices.offers import Product, is_in
from infra.cost.prices.query import Queries, clients_for
from infra.cost.prices.refresh import Refreshed, refresh
from infra.cost.prices.wish import Wish
from infra.cost.prices.wishes import OFFERS, WISHES
from infra.errors import InputError, KitError
from tests.infra.cost.prices.offer_files import OfferFile, PlanFile, plan_list, price_list
from tests.infra.cost.prices.price_api import Direct, PriceApi
from tests.infra.cost.prices.test_refresh import OLD, TODAY, own_price

TYPES = OLD["instances"]["types"]


def from_bulk(folder: Path, region: str) -> Refreshed:
    with Downloads(str(folder)) as downloads:
        return refresh(region, OLD, downloads.open, today=TODAY)


def from_query(api: PriceApi, region: str) -> Refreshed:
    with Queries(Direct(api), TYPES) as queries:
        return refresh(region, OLD, queries.open, today=TODAY, origin=queries.origin)


def same_apart_from_the_named_source(bulk: Refreshed, query: Refreshed) -> bool:
    """Bytes of the books but for their own source, and that of plans' rates, which the API does not date; and what is left."""
    books = []
    for fresh in (bulk, query):
        document = copy.deepcopy(fresh.document)
        document["source"] = ""
        for rate in document["savings_plans"]:
            if "Savings" in rate["source"]:
                rate["source"], rate["as_of"] = "", ""
        books.append(document)
    for row, other in zip(books[0]["prices"], books[1]["prices"], strict=True):
        assert row == other
    assert [str(each) for each in bulk.left] == [str(each) for each in query.left]
    return json.dumps(books[0]).encode() == json.dumps(books[1]).encode()


def elsewhere(folder: Path) -> list[OfferFile]:
    """What the API has besides: the same offers in Frankfurt, at another price, without what all regions share."""
    files = list(price_list(folder, "eu-central-1", usd="8").values())
    for file in files:
        file.products = {sku: each for sku, each in file.products.items() if any(place_of(each))}
    return files


def place_of(product: dict[str, Any]) -> list[str]:
    return [product["attributes"].get(name, "") for name in ("regionCode", "fromRegionCode", "toRegionCode")]


@pytest.mark.parametrize(("region", "page"), [("us-east-1", 100), ("eu-west-1", 3)])
def test_both_sources_give_one_book(tmp_path: Path, region: str, page: int) -> None:
    files = price_list(tmp_path, region, usd=own_price, without="alb_lcu")
    api = PriceApi([*files.values(), *elsewhere(tmp_path / "elsewhere")], plan_list(tmp_path, region), page=page)
    bulk, query = from_bulk(tmp_path, region), from_query(api, region)
    assert same_apart_from_the_named_source(bulk, query)
    assert query.found == bulk.found > len(WISHES)
    assert query.document["source"].startswith("AWS Price List query API, offers AWSAppRunner 20261101000000, ")
    assert query.document["source"].endswith(", AWS Savings Plans API, offering rates")


NUMBERS = st.sets(st.integers(0, len(WISHES) - 1), max_size=9)


@settings(max_examples=5, deadline=None)
@given(NUMBERS, NUMBERS, st.sets(st.sampled_from(["AWSAppRunner", "AmazonElastiCache", "awswaf"]), max_size=2))
def test_whatever_the_list_lacks_or_has_twice_both_tell_the_same(lost: set[int], twice: set[int], gone: set[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = price_list(folder, "eu-west-1", usd=own_price)
        for number in sorted(lost | twice):
            wish = WISHES[number]
            file = files[wish.offer]
            for sku in [sku for sku, each in file.products.items() if fits(wish, each)]:
                again = dict(file.products[sku]["attributes"])
                if number in lost:
                    del file.products[sku], file.terms[sku]
                else:
                    usagetype = again.pop("usagetype")
                    file.add(usagetype, "Unit", [("0", "Inf", "7")], prefix="", family=wish.family or "", **again, other="sku")
        for offer, file in files.items():
            path = file.write(folder)
            if offer in gone:
                path.unlink()
        api = PriceApi([file for offer, file in files.items() if offer not in gone], plan_list(folder, "eu-west-1"), page=7)
        bulk, query = from_bulk(folder, "eu-west-1"), from_query(api, "eu-west-1")
    assert same_apart_from_the_named_source(bulk, query)


def fits(wish: Wish, product: dict[str, Any]) -> bool:
    told = Product(sku="", family=product["productFamily"], attributes=product["attributes"])
    return wish.takes(told, "eu-west-1") and is_in("eu-west-1", told.attributes)


def test_little_more_is_asked_than_the_book_wants() -> None:
    for offer in OFFERS:
        wishes = [wish for wish in WISHES if wish.offer == offer]
        asks = asks_of_wishes(wishes, "us-east-1") + asks_of_instances(offer, TYPES, "us-east-1")
        assert all(len(ask.filters()) >= 2 or offer == "AmazonRoute53" for ask in asks), offer
        assert not [(one, two) for one in asks for two in asks if one != two and one.covers(two)]
    ask = next(ask for ask in asks_of_instances("AmazonEC2", ["c7g.large", "c7g.xlarge"], "eu-west-1"))
    assert {"Type": "CONTAINS", "Field": "usagetype", "Value": "BoxUsage:c7g."} in ask.filters()
    assert {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-west-1"} in ask.filters()


def test_a_question_that_another_answers_is_not_asked() -> None:
    wide, narrow = Ask(part="Request"), Ask(part="Edge-Request", equal={"group": "x"})
    assert wide.covers(narrow)
    assert not narrow.covers(wide)


def test_data_that_comes_in_is_asked_for_by_where_it_goes_to() -> None:
    transfers = [wish for wish in WISHES if wish.offer == "AWSDataTransfer"]
    named = {wish.dimension: asks_of_wishes([wish], "eu-west-1")[0].equal for wish in transfers}
    assert named["in_internet"] == {"transferType": "AWS Inbound", "toRegionCode": "eu-west-1"}
    assert named["out_internet"] == {"transferType": "AWS Outbound", "fromRegionCode": "eu-west-1"}
    assert named["out_us_east"]["toRegionCode"] == "us-east-1"


def test_a_region_that_is_none_is_one_line(tmp_path: Path) -> None:
    api = PriceApi(price_list(tmp_path).values())
    with pytest.raises(NoOffer, match=r"query API: has no AWSDataTransfer for 'mars-1'; is it a region\?"):
        from_query(api, "mars-1")


def test_a_region_without_rates_of_plans_is_one_line(tmp_path: Path) -> None:
    api = PriceApi(price_list(tmp_path).values(), PlanFile("us-east-1"))
    with pytest.raises(KitError, match="Savings Plans API, offering rates: has no rates in 'us-east-1'"):
        from_query(api, "us-east-1")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("[1]", r"AWSAppRunner: answered what is no product: '\[1\]'"),
        ("{", "answered what is no product"),
        ('{"product": {"sku": "A"}}', "a product needs a sku and attributes, 'A' has not both"),
    ],
)
def test_an_answer_that_is_no_product_is_refused(tmp_path: Path, answer: str, said: str) -> None:
    class Broken(PriceApi):
        def get_products(self, told: Any) -> Any:
            return {"PriceList": [answer]}

    with pytest.raises(InputError, match=said):
        from_query(Broken([]), "us-east-1")


def test_an_offer_that_is_published_anew_while_it_is_asked_is_dated_by_the_older(tmp_path: Path) -> None:
    files = price_list(tmp_path)
    newer = OfferFile("AWSELB", "us-east-1", version="20261102000000")
    newer.add("LCUUsage", "Unit", [("0", "Inf", "0.5")], family="Load Balancer-Application", operation="new")
    fresh = from_query(PriceApi([*files.values(), newer], plan_list(tmp_path)), "us-east-1")
    assert "AWSELB 20261101000000," in fresh.document["source"]


def test_the_nearest_of_the_apis_regions_is_asked() -> None:
    told = {region: clients_for(region).region for region in ("us-east-1", "eu-west-1", "ap-northeast-1", "sa-east-1")}
    assert told == {
        "us-east-1": "us-east-1",
        "eu-west-1": "eu-central-1",
        "ap-northeast-1": "ap-south-1",
        "sa-east-1": "us-east-1",
    }


def test_the_book_that_is_asked_for_can_be_read_back(tmp_path: Path) -> None:
    fresh = from_query(PriceApi(price_list(tmp_path).values(), plan_list(tmp_path)), "us-east-1")
    path = tmp_path / "book.json"
    path.write_text(json.dumps(fresh.document))
    book = load_price_book("us-east-1", path)
    rates = [each for each in book.savings_plans if each.plan == "compute-1y" and each.service == "AWSLambda"]
    assert {each.source for each in rates} == {"AWS Savings Plans API, offering rates"}
