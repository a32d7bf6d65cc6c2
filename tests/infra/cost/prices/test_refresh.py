"""A price book from offer files of the real shape; what is not in the list stays what it was, with its own date."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cost.prices.book import PriceBook, Tier
from infra.cost.prices.depth import Shallow
from infra.cost.prices.diff import changes, plan_changes
from infra.cost.prices.downloads import Downloads, NoOffer
from infra.cost.prices.file import SHIPPED, load_price_book
from infra.cost.prices.offers import read_head, read_offers, read_pairs, read_products
from infra.cost.prices.plan_list import read_plan_rates
from infra.cost.prices.refresh import Refreshed, refresh
from infra.cost.prices.spot_history import summarize
from infra.cost.prices.wish import Wish
from infra.cost.prices.wishes import FEE, INSTANCE_ATTRIBUTES, NOT_ASKED_FOR, WISHES
from infra.cost.prices.wishes_managed import PLACES
from infra.errors import InputError, KitError
from tests.infra.cost.prices.listed_rows import listed_rows
from tests.infra.cost.prices.offer_files import OfferFile, PlanFile, plan_list, price_list, set_tiers

TODAY = date(2026, 11, 26)
OLD = json.loads((SHIPPED / "us-east-1.json").read_text())
OLD_DATES = {(row["service"], row["dimension"]): row["as_of"] for row in OLD["prices"]}


def refreshed(folder: Path, region: str = "us-east-1") -> Refreshed:
    with Downloads(str(folder)) as downloads:
        return refresh(region, OLD, downloads.open, today=TODAY)


def book_from(folder: Path, region: str = "us-east-1") -> PriceBook:
    fresh = refreshed(folder, region)
    path = folder / "book.json"
    path.write_text(json.dumps(fresh.document))
    return load_price_book(region, path)


def test_prices_tiers_and_dates_come_from_the_list(tmp_path: Path) -> None:
    price_list(tmp_path)
    book = book_from(tmp_path)
    arm = book.price("AWSLambda", "duration_arm64")
    assert [(tier.start, tier.end, tier.usd) for tier in arm.tiers] == [
        (Decimal(0), Decimal(7_500_000_000), Decimal("0.00002")),
        (Decimal(7_500_000_000), None, Decimal("0.00001")),
    ]
    assert arm.as_of == "2026-11-01"
    assert arm.confidence == "high"
    assert "offer AWSLambda, version 20261101000000, SKU " in arm.source
    assert book.price("AWSELB", "alb_lcu").usd == Decimal("0.5")
    assert book.price("AmazonECS", "fargate_vcpu_arm64").usd == Decimal("0.0001388888888889")  # 0.5 an hour
    assert book.instance("c7g.large").on_demand.usd == Decimal("0.08")
    assert book.as_of == TODAY


def own_price(wish: Wish) -> str:
    """Another price for each wish, so that none is taken for another."""
    return f"0.{WISHES.index(wish) + 1:04d}"


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_every_dimension_is_found_beside_its_decoys(tmp_path: Path, region: str) -> None:
    price_list(tmp_path, region, usd=own_price)
    fresh = refreshed(tmp_path, region)
    told = {(row["service"], row["dimension"]): row for row in fresh.document["prices"]}
    for wish in WISHES:
        if wish.dimension == "duration_arm64":
            continue  # has tiers, below
        row, factor = told[wish.service, wish.dimension], wish.factor
        exact = Decimal(own_price(wish)) * factor.numerator / factor.denominator
        assert abs(Decimal(row["usd"]) - exact) <= Decimal("1e-16"), wish
        assert row["source"].startswith(f"AWS Price List, offer {wish.offer}, version 20261101000000, SKU ")
        assert row["as_of"] == "2026-11-01"
        assert wish.known_from
    names = {left.name for left in fresh.left}
    assert names.isdisjoint(f"{wish.service} {wish.dimension}" for wish in WISHES)


def test_rows_as_the_list_has_them_give_the_figures_of_the_shipped_book(tmp_path: Path) -> None:
    price_list(tmp_path)  # for what is not asked here: instances and plans
    files: dict[str, OfferFile] = {}
    expected = set()
    for offer, family, usagetype, attributes, tiers, key in listed_rows():
        file = files.setdefault(offer, OfferFile(offer, PLACES.get(offer, "us-east-1")))
        file.add(usagetype, "Unit", tiers, family=family, prefix="", **attributes)
        expected |= {key} if key else set()
    files["AmazonEC2"].add(  # the fee of Managed Instances is a share of this
        "BoxUsage:c7g.large", "Hrs", [("0", "Inf", "0.0725")], instanceType="c7g.large", **INSTANCE_ATTRIBUTES
    )
    for file in files.values():
        file.write(tmp_path)
    told = {(row["service"], row["dimension"]): row for row in refreshed(tmp_path).document["prices"]}
    before = {(row["service"], row["dimension"]): row for row in OLD["prices"]}
    assert {key for key, row in told.items() if row["source"].startswith("AWS Price List, offer")} == expected
    nodes = {(wish.service, wish.dimension) for wish in WISHES if wish.dimension.startswith("node_")}
    assert {(wish.service, wish.dimension) for wish in WISHES} - expected <= nodes  # of nodes one of each engine stands for all
    month = {("AWSLambda", "microvm_snapshot_storage"): 730 / 720}  # listed by the hour; AWS's page counts 720 of them
    for key in expected:
        assert float(told[key]["usd"]) == pytest.approx(float(before[key]["usd"]) * month.get(key, 1), rel=0.003), key


def test_every_price_of_the_shipped_book_is_asked_for_or_has_a_reason() -> None:
    asked = {(wish.service, wish.dimension): wish for wish in WISHES}
    book = {(row["service"], row["dimension"]): row["unit"] for row in OLD["prices"]}
    assert set(book) == set(asked) | set(NOT_ASKED_FOR)
    assert not set(asked) & set(NOT_ASKED_FOR)
    assert len(asked) == len(WISHES)
    told = (SHIPPED.parents[3] / "docs" / "cost.md").read_text()
    assert f"Of the shipped book's {len(book)} dimensions {len(asked)} are looked for" in told
    assert {key: book[key] for key in asked} == {key: wish.unit for key, wish in asked.items()}


def test_what_is_not_refreshed_is_said_with_source_date_and_reason(tmp_path: Path) -> None:
    price_list(tmp_path, without="alb_lcu")
    left = {each.name: each for each in refreshed(tmp_path).left}
    assert left["AmazonECS fargate_spot_vcpu_arm64"].why == "not in the Price List, which has no spot prices"
    assert {f"{service} {dimension}" for service, dimension in NOT_ASKED_FOR if (service, dimension) != FEE} <= set(left)
    assert str(left["AWSELB alb_lcu"]).endswith("(2026-09-20): not in the Price List under AWSELB LCUUsage as it is asked for")
    kept = [each for name, each in left.items() if name.startswith("AmazonEC2 on demand")]
    assert sum(each.name.count(",") + 1 for each in kept) == len(OLD["instances"]["types"]) - 2
    assert f"{OLD['instances']['on_demand_source']} ({OLD['instances']['on_demand_as_of']})" in {
        each.kept_from for each in kept
    }
    price_list(tmp_path, "eu-west-1")
    left = {each.name: each for each in refreshed(tmp_path, "eu-west-1").left}
    assert str(left["AmazonECS fargate_spot_vcpu_arm64"]).startswith("AmazonECS fargate_spot_vcpu_arm64: unknown: not in the")
    price_list(tmp_path, "eu-west-1", without="durable_operation")
    (told,) = [each.why for each in refreshed(tmp_path, "eu-west-1").left if each.name == "AWSLambda durable_operation"]
    assert told == ("not in the Price List under AWSLambda group AWS-Lambda-Durable-Execution-Operations as it is asked for")


def test_a_dimension_that_nothing_says_how_to_find_is_kept_and_said(tmp_path: Path) -> None:
    price_list(tmp_path)
    own = {"service": "AmazonOwn", "dimension": "thing", "unit": "thing", "usd": "1", "source": "a bill", "as_of": None}
    with Downloads(str(tmp_path)) as downloads:
        old = {**OLD, "prices": [*OLD["prices"], {**own, "confidence": "low"}]}
        left = refresh("us-east-1", old, downloads.open, today=TODAY).left
    (said,) = [str(each) for each in left if each.name == "AmazonOwn thing"]
    assert said == "AmazonOwn thing: kept from a bill (undated): filter not known: nothing says what it is in the Price List"


def test_the_fee_of_managed_instances_is_the_share_that_all_types_have(tmp_path: Path) -> None:
    files = price_list(tmp_path)
    fee = book_from(tmp_path).price(*FEE)
    assert fee.usd == Decimal("0.15")
    assert fee.source.endswith("management hours of 2 instance types over their prices on demand")
    files["AWSLambda"].add("Lambda-Managed-Instances-c7g.large-Management-Hours", "Hrs", [("0", "Inf", "0.02")], operation="x")
    files["AWSLambda"].write(tmp_path)
    (left,) = [each for each in refreshed(tmp_path).left if each.name == " ".join(FEE)]
    assert left.why == (
        "the Price List has it as different shares of the price on demand: 15.00% of c7g.large, 25.00% of c7g.large"
    )
    assert book_from(tmp_path).price(*FEE).as_of == "2026"


def test_an_accounts_free_allowance_is_no_price_of_the_first_units(tmp_path: Path) -> None:
    file = price_list(tmp_path)["AmazonDynamoDB"]
    set_tiers(file, "TimedStorage-ByteHrs", [("0", "25", "0"), ("25", "Inf", "0.25")])
    file.write(tmp_path)
    storage = book_from(tmp_path).price("AmazonDynamoDB", "storage")
    assert storage.tiers == (Tier(Decimal(0), None, Decimal("0.25")),)
    assert storage.note == "the first 25 a month free of charge in the list, and priced here"


def test_tiers_change_their_unit_with_the_price(tmp_path: Path) -> None:
    file = price_list(tmp_path)["AmazonStates"]
    set_tiers(file, "StepFunctions-GB-Second", [("0", "3600000", "0.00001667"), ("3600000", "Inf", "0.00000833")])
    file.write(tmp_path)
    tiers = book_from(tmp_path).price("AWSStepFunctions", "express_duration").tiers
    assert tiers == (
        Tier(Decimal(0), Decimal(1000), Decimal("0.060012")),
        Tier(Decimal(1000), None, Decimal("0.029988")),
    )  # as the shipped book has them


def test_an_offer_that_a_region_lacks_is_said_and_the_lanes_own_must_be_there(tmp_path: Path) -> None:
    price_list(tmp_path)
    offers = tmp_path / "offers/v1.0/aws"
    (offers / "AWSAppRunner/current/us-east-1/index.json").unlink()
    (left,) = [each for each in refreshed(tmp_path).left if each.name == "AmazonAppRunner vcpu"]
    assert left.why == "the Price List has no offer AWSAppRunner for us-east-1"
    (offers / "AWSELB/current/us-east-1/index.json").unlink()
    with pytest.raises(NoOffer, match=r"AWSELB/current/us-east-1/index\.json: cannot be read"):
        refreshed(tmp_path)


def test_what_the_list_lacks_keeps_its_figure_and_its_date(tmp_path: Path) -> None:
    price_list(tmp_path, without="alb_lcu")
    book = book_from(tmp_path)
    assert book.price("AWSELB", "alb_lcu").usd == Decimal("0.008")
    assert book.price("AWSELB", "alb_lcu").as_of == "2026-09-20"
    assert book.price("AmazonECS", "fargate_spot_vcpu_arm64").as_of == OLD_DATES["AmazonECS", "fargate_spot_vcpu_arm64"]


def test_another_region_takes_no_price_of_this_one(tmp_path: Path) -> None:
    price_list(tmp_path, "eu-west-1", without="alb_lcu")
    book = book_from(tmp_path, "eu-west-1")
    assert book.price("AWSLambda", "requests").usd == Decimal("0.5")
    assert sorted(book.instances) == ["c7g.large", "m7g.large"]
    assert book.instance("c7g.large").vcpu == 2
    with pytest.raises(InputError, match="no price for AWSELB alb_lcu in eu-west-1"):
        book.price("AWSELB", "alb_lcu")
    with pytest.raises(InputError, match=r"no price for AmazonEC2 spot price of c7g\.large in eu-west-1"):
        book.spot("c7g.large")


def test_one_usage_type_at_two_prices_is_not_guessed(tmp_path: Path) -> None:
    files = price_list(tmp_path)
    files["AWSELB"].add("LCUUsage", "LCU-Hrs", [("0", "Inf", "7")], family="Load Balancer-Application", operation="other")
    files["AWSELB"].write(tmp_path)
    (left,) = [each for each in refreshed(tmp_path).left if each.name == "AWSELB alb_lcu"]
    assert re.fullmatch(r"SKUs \w+, \w+ of the Price List have different prices for LCUUsage", left.why)
    assert book_from(tmp_path).price("AWSELB", "alb_lcu").usd == Decimal("0.008")


@pytest.mark.parametrize(
    ("tiers", "said"),
    [
        ([("0", "5", "1"), ("6", "Inf", "2")], "its tiers do not run from 0 without a gap to Inf"),
        ([("0", "5", "1")], "its tiers do not run from 0 without a gap to Inf"),
        ([("0", "Inf", "free")], "a tier needs beginRange, endRange and pricePerUnit.USD"),
        ([("0", "Inf", "-1")], "price -1 must be 0 or more"),
    ],
)
def test_a_malformed_price_names_file_and_sku(tmp_path: Path, tiers: list[tuple[str, str, str]], said: str) -> None:
    files = price_list(tmp_path)
    sku = set_tiers(files["AWSLambda"], "Request", tiers)
    files["AWSLambda"].write(tmp_path)
    with pytest.raises(InputError) as refused:
        book_from(tmp_path)
    assert said in str(refused.value)
    assert f"AWSLambda/current/us-east-1/index.json: SKU {sku}" in str(refused.value)


def test_a_file_that_broke_off_is_refused(tmp_path: Path) -> None:
    path = OfferFile("AWSLambda", "us-east-1").write(tmp_path)
    path.write_text(path.read_text()[:-30])
    with pytest.raises(InputError, match="not a whole offer file"):
        list(read_offers(path, read_products(path, "us-east-1", {"Request"})))


DEEP = b"[" * 70_000 + b"]" * 70_000


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (b'{"products": {"x": ' + DEEP + b"}}", lambda path: list(read_products(path, "us-east-1", {"Request"}))),
        (b'{"terms": {"OnDemand": {"x": ' + DEEP + b"}}}", lambda path: list(read_pairs(path, "terms.OnDemand"))),
        (b'{"a": ' + b'{"x": ' * 16 + b"1" + b"}" * 17, read_head),
        (b'{"products": ' + DEEP + b"}", lambda path: list(read_plan_rates(path))),
    ],
)
def test_a_file_nested_deeper_than_aws_writes_is_one_line(tmp_path: Path, text: bytes, read: Callable[[Path], Any]) -> None:
    path = tmp_path / "deep.json"
    path.write_bytes(text)
    with pytest.raises(InputError) as refused:
        read(path)
    assert str(refused.value) == f"{path}: nested more than 16 deep; AWS's price list nests 8"


@given(st.text(alphabet='[{}]"\\x', max_size=40), st.integers(1, 9))
def test_brackets_in_strings_are_no_depth_wherever_the_bytes_are_cut(text: str, size: int) -> None:
    document = json.dumps([{text: [text * 3]}] * 20).encode()
    file = Shallow(Path("x"), io.BytesIO(document))
    assert b"".join(iter(lambda: file.read(size), b"")) == document
    deep = Shallow(Path("x"), io.BytesIO(json.dumps([text]).encode() + b"[" * 17))
    with pytest.raises(InputError, match="nested more than 16 deep"):
        list(iter(lambda: deep.read(size), b""))


@pytest.mark.parametrize("products", ['{"x": 5}', '{"x": {"attributes": [1]}}'])
def test_a_product_that_is_no_object_is_refused(tmp_path: Path, products: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(f'{{"products": {products}}}')
    with pytest.raises(InputError, match=r"x\.json: SKU x: must be an object"):
        read_products(path, "us-east-1", {"Request"})


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"hello": 1}')
    with pytest.raises(InputError, match="not an offer file"):
        read_head(path)


def test_a_region_or_list_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"index\.json: cannot be read \(No such file or directory\)"):
        book_from(tmp_path)
    with Downloads("http://127.0.0.1:9") as downloads, pytest.raises(KitError, match=r"cannot be fetched \(.*refused"):
        downloads.open("AWSLambda", "us-east-1")


class _Answers(BaseHTTPRequestHandler):
    """Answers with the code that the address names as region."""

    def do_GET(self) -> None:
        self.send_error(int(self.path.split("/")[-2]))

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.parametrize(("code", "absent"), [("404", True), ("403", True), ("503", False)])
def test_only_an_answer_that_there_is_no_such_file_is_no_offer(code: str, absent: bool) -> None:
    with HTTPServer(("127.0.0.1", 0), _Answers) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        with Downloads(f"http://127.0.0.1:{server.server_port}") as downloads, pytest.raises(KitError) as refused:
            downloads.open("AWSAppRunner", code)
        thread.join()
    assert f"AWSAppRunner/current/{code}/index.json: answered {code}" in str(refused.value)
    assert isinstance(refused.value, NoOffer) == absent


@pytest.mark.slow
def test_a_large_file_is_read_in_little_memory(tmp_path: Path) -> None:
    file = OfferFile("AmazonEC2", "us-east-1")
    for number in range(60_000):
        file.add(f"BoxUsage:t{number}.large", "Hrs", [("0", "Inf", "1")], instanceType=f"t{number}.large")
    path = file.write(tmp_path)
    peak = "int(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"
    program = (
        "from pathlib import Path; from infra.cost.prices.offers import *\n"
        f"before = {peak}\n"
        f"found = read_offers(Path({str(path)!r}), read_products(Path({str(path)!r}), 'us-east-1', {{'BoxUsage:t7.large'}}))\n"
        f"assert len(found) == 1; print({peak} - before)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert path.stat().st_size > 30_000_000
    assert int(done.stdout) < 10_000, "KiB: the file is not held in memory"


# Savings Plans and reserved instances


def discounts(book: PriceBook, plan: str) -> dict[str, Decimal]:
    """By instance type and dimension of Lambda, what the plan takes off."""
    return {
        name: rate.discount for rate in book.savings_plans if rate.plan == plan for name in (rate.families or (rate.service,))
    }


def test_every_family_has_its_rates_by_term_and_payment(tmp_path: Path) -> None:
    price_list(tmp_path)
    book = book_from(tmp_path)
    off = {
        "compute-1y": "0.3",
        "compute-1y-partial": "0.32",
        "compute-1y-all": "0.34",
        "compute-3y": "0.5",
        "compute-3y-all": "0.54",
    }
    for plan, share in off.items():
        told = discounts(book, plan)
        assert {name: told[name] for name in ("c7g.large", "m7g.large")} == dict.fromkeys(
            ("c7g.large", "m7g.large"), Decimal(share)
        )
        assert (told["duration_x86_64"], told["provisioned_duration_arm64"]) == (Decimal("0.12"), Decimal("0.15"))
    assert discounts(book, "compute-1y")["fargate_vcpu_x86_64"] == Decimal("0.98")  # a cent an hour for half a dollar
    own = discounts(book, "ec2-instance-1y")
    assert own == {"c7g.large": Decimal("0.375"), "m7g": Decimal("0.32"), "r7g": Decimal("0.32")}  # two are not in the list
    # Half the price by the hour, and $87.60 upfront over a year of 8,760 hours.
    assert discounts(book, "reserved-1y-partial")["c7g.large"] == 1 - (Decimal("0.04") + Decimal("0.01")) / Decimal("0.08")
    assert not any(rate.plan.startswith(("reserved-5y", "machine")) for rate in book.savings_plans)
    functions = book.plan_rate("compute-1y", "AWSLambda", "duration_x86_64")
    assert functions is not None
    assert (functions.as_of, functions.confidence) == ("2026-11-01", "high")


def test_a_plan_that_the_list_lacks_is_kept_and_a_family_without_a_rate_is_said(tmp_path: Path) -> None:
    price_list(tmp_path)
    names = {left.name for left in refreshed(tmp_path).left}
    book = book_from(tmp_path)
    assert discounts(book, "reserved-3y") == dict.fromkeys(
        ("c7g", "m7g", "r7g"), Decimal("0.65")
    )  # only partial payments are listed
    assert discounts(book, "compute-1y")["r7g"] == Decimal("0.32")
    assert "AmazonEC2 savings plans of c9g" in names
    assert {"AmazonEC2 savings plans of c7g", "AmazonEC2 savings plans of m7g"}.isdisjoint(names)
    assert "SavingsPlans reserved-3y rate of c7g, m7g, r7g" in names
    assert "SavingsPlans compute-1y rate of r7g" in names


def test_the_diff_counts_what_changed_plan_by_plan(tmp_path: Path, book: PriceBook) -> None:
    price_list(tmp_path)
    found = {each.plan: each for each in plan_changes(book, book_from(tmp_path))}
    one = found["compute-1y"]  # two of 16 sizes have rates of their own; the families' rates of before are gone
    assert (one.changed, one.new) == (4, 0)
    # 32% before, 30% now; the vCPUs of Fargate 20%, and 98% now.
    assert (one.least, one.greatest) == (Decimal("-0.02"), Decimal("0.78"))
    sizes = sum(name.startswith(("c7g.", "m7g.")) for name in book.instances)
    assert one.gone == sizes - 2 + 4  # r7g and Fargate's memory, not in the list, keep theirs; of Lambda two of six are in it
    assert (found["compute-3y-all"].new, found["compute-3y-all"].changed) == (5, 0)
    assert "reserved-3y" not in found
    assert plan_changes(book, book) == []


def test_rates_of_another_region_have_its_prefix_and_nothing_of_this_one_is_taken(tmp_path: Path) -> None:
    price_list(tmp_path, "eu-west-1")
    book = book_from(tmp_path, "eu-west-1")
    assert discounts(book, "compute-1y")["m7g.large"] == Decimal("0.3")
    assert "reserved-3y" not in {rate.plan for rate in book.savings_plans}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: file.terms[0]["rates"][0]["discountedRate"].update(price="soon"), "'soon' must be a price in dollars"),
        (lambda file: file.terms[0]["rates"][0]["discountedRate"].update(price="-1"), "price -1 must be 0 or more"),
        (lambda file: file.terms[0]["rates"][0]["discountedRate"].update(currency="CNY"), "currency 'CNY', must be USD"),
        (lambda file: file.products.clear(), "not a list of Savings Plans: it has no products of ComputeSavingsPlans or"),
    ],
)
def test_a_malformed_rate_names_file_and_code(tmp_path: Path, change: Callable[[PlanFile], None], said: str) -> None:
    price_list(tmp_path)
    file = plan_list(tmp_path)
    change(file)
    path = file.write(tmp_path)
    with pytest.raises(InputError) as refused:
        book_from(tmp_path)
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


def test_an_index_without_the_region_is_refused(tmp_path: Path) -> None:
    price_list(tmp_path)
    plan_list(tmp_path, "eu-west-1")
    with pytest.raises(InputError, match=r"region_index\.json: has no region 'us-east-1'"):
        book_from(tmp_path)
    index = tmp_path / "savingsPlan/v1.0/aws/AWSComputeSavingsPlan/current/region_index.json"
    index.write_text('{"regions": 5}')
    with pytest.raises(InputError, match="not an index of Savings Plans"):
        book_from(tmp_path)


@pytest.mark.slow
def test_a_large_list_of_plans_is_read_in_little_memory(tmp_path: Path) -> None:
    file = PlanFile("us-east-1")
    rates = {("AmazonEC2", f"BoxUsage:t{number}.large", "RunInstances"): Decimal("0.01") for number in range(60_000)}
    file.add("ComputeSavingsPlans", 1, "No Upfront", rates)
    path = file.write(tmp_path)
    peak = "int(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"
    program = (
        "from pathlib import Path; from infra.cost.prices.plan_list import *\n"
        f"before = {peak}\n"
        f"assert sum(1 for _ in read_plan_rates(Path({str(path)!r}))) == 60_000; print({peak} - before)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert path.stat().st_size > 15_000_000
    assert int(done.stdout) < 6_000, "KiB: the file is not held in memory"


# Spot


def change(name: str, zone: str, day: int, price: str) -> dict[str, object]:
    at = datetime(2026, 11, 26, tzinfo=UTC) - timedelta(days=day)
    return {"InstanceType": name, "AvailabilityZone": zone, "Timestamp": at, "SpotPrice": price}


def test_spot_is_the_mean_over_time_and_zones() -> None:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    history = [
        change("c7g.large", "a", 40, "0.10"),  # held from before the window
        change("c7g.large", "a", 10, "0.04"),
        change("c7g.large", "b", 30, "0.03"),
    ]
    spot = summarize(history, now=now)["c7g.large"]
    assert spot.mean == Decimal("0.055000")  # a: 20 days at 0.10 and 10 at 0.04; b: 30 at 0.03
    assert spot.current == Decimal("0.035000")
    assert spot.highest == Decimal("0.10")


@given(st.lists(st.tuples(st.integers(0, 29), st.integers(1, 500)), min_size=1, max_size=20))
def test_the_mean_lies_between_lowest_and_highest(points: list[tuple[int, int]]) -> None:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    history = [change("x.large", "a", day, str(Decimal(price) / 1000)) for day, price in points]
    spot = summarize(history, now=now)["x.large"]
    lowest = min(Decimal(price) / 1000 for _, price in points)
    assert lowest - Decimal("1e-6") <= spot.mean <= spot.highest + Decimal("1e-6")


# Two books


def test_the_diff_names_what_changed_and_by_how_much(tmp_path: Path, book: PriceBook) -> None:
    price_list(tmp_path)
    found = {(each.service, each.dimension): each for each in changes(book, book_from(tmp_path))}
    lcu = found["AWSELB", "alb_lcu"]
    assert lcu.share == Decimal("61.5")
    assert ("AmazonECS", "fargate_spot_vcpu_arm64") not in found
    assert changes(book, book) == []
    gone = changes(book, book.without("AWSELB", "alb_lcu"))
    assert [(each.dimension, each.after) for each in gone] == [("alb_lcu", None)]
