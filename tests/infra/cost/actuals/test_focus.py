"""A bill as FOCUS 1.2 rows: sums that are the bill's, the mapping of CUR 2.0 by kind of charge, and what an export lacks."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from infra.config import Stage
from infra.cost.actuals.exports import read_export
from infra.cost.actuals.focus import billed_bytes
from infra.cost.compare import compare
from infra.cost.lane import CostOptions
from infra.cost.prices.book import PriceBook
from infra.cost.reports.focus import focus_bytes
from infra.cost.traffic.profile import flat_rate
from infra.errors import InputError
from tests.infra.cost.actuals.bills import Row, month_of_charges, write
from tests.infra.cost.conftest import profile_with
from tests.infra.cost.focus_rules import check_row

MONTH = date(2026, 11, 2)
CUR = month_of_charges()
FOCUS = [
    Row(service="AWSLambda", usage_type="Request", quantity="5", cost="1.5", day=MONTH, lane="lambda").focus(),
    Row(service="AmazonEC2", usage_type="BoxUsage:c7g.large", quantity="24", cost="1.74", covered="1.2", day=MONTH).focus(),
    Row(service="AmazonEC2", usage_type="", quantity="", cost="-3", day=MONTH, kind="Credit").focus(),
    Row(service="AmazonEC2", usage_type="", quantity="", cost="0.25", day=MONTH, kind="Tax").focus(),
]
OTHERS = [
    Row(service="AWSLambda", usage_type="Request", quantity="5", cost="9", day=MONTH, stage="prod"),
    Row(service="AWSLambda", usage_type="Request", quantity="5", cost="9", day=MONTH, stage=None),
    Row(service="AWSLambda", usage_type="Request", quantity="5", cost="9", day=date(2026, 10, 31)),
]


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(billed_bytes(path, "dev", MONTH, Path("x.csv")).decode(), newline="")))


def by_kind(rows: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {row["ChargeDescription"].partition(" ")[0]: row for row in rows}


@pytest.mark.parametrize("name", ["cur.csv", "cur.csv.gz", "cur.parquet", "focus.csv", "focus.csv.gz", "focus.parquet"])
def test_costs_add_up_to_the_bill_and_rows_are_of_stage_and_month_alone(name: str, tmp_path: Path) -> None:
    given = [*CUR, *(row.cur() | dict.fromkeys(CUR[0].keys() - row.cur().keys(), "") for row in OTHERS)]
    if name.startswith("focus"):
        given = [*FOCUS, *(row.focus() for row in OTHERS)]
    path = write(tmp_path / name, given)
    bill = read_export(path, "dev").of_month("2026-11")
    rows = rows_of(path)
    assert len(rows) == len(given) - 3 + (2 if name.startswith("cur") else 0), "two fees are not used up"
    assert sum(Decimal(row["BilledCost"]) for row in rows) == bill.usd("cash")
    assert sum(Decimal(row["EffectiveCost"]) for row in rows) == bill.usd("amortized")
    assert {row["x_Estimate"] for row in rows} == {"false"}
    assert {json.loads(row["Tags"])["crossover:stage"] for row in rows} == {"dev"}
    table = parquet.read_table(io.BytesIO(billed_bytes(path, "dev", MONTH, Path("x.parquet"))))
    assert sum(table.column("EffectiveCost").to_pylist()) == bill.usd("amortized")
    for ending in (".csv", ".parquet"):
        file = Path("x").with_suffix(ending)
        assert billed_bytes(path, "dev", MONTH, file) == billed_bytes(path, "dev", MONTH, file)


def test_every_row_of_cur_is_one_of_focus(tmp_path: Path) -> None:
    rows = rows_of(write(tmp_path / "cur.csv", CUR))
    for row in rows:
        check_row(row)
    wanted = {
        # kind: category, frequency, pricing, billed, effective, list, contracted
        "Usage": ("Usage", "Usage-Based", "Dynamic", "0.5", "0.5", "2", "0.5"),
        "SavingsPlanCoveredUsage": ("Usage", "Usage-Based", "Committed", "1.74", "1.2", "1.74", "1.74"),
        "SavingsPlanNegation": ("Adjustment", "Usage-Based", "Committed", "-1.74", "0", "0", "0"),
        "SavingsPlanRecurringFee": ("Purchase", "Recurring", "Standard", "24", "0", "24", "24"),
        "DiscountedUsage": ("Usage", "Usage-Based", "Committed", "0", "0.96", "1.74", "1.74"),
        "RIFee": ("Purchase", "Recurring", "Standard", "9", "0", "9", "9"),
        "Fee": ("Purchase", "One-Time", "Standard", "100", "0", "100", "100"),
        "EdpDiscount": ("Adjustment", "Usage-Based", "", "-0.25", "-0.25", "0", "-0.25"),
        "Credit": ("Credit", "One-Time", "", "-3", "-3", "-3", "-3"),
        "Refund": ("Adjustment", "One-Time", "", "-1", "-1", "-1", "-1"),
        "Tax": ("Tax", "One-Time", "", "0.3", "0.3", "0.3", "0.3"),
    }
    lost = [row for row in rows if row["ChargeDescription"].startswith("Not used: ")]
    rows = [row for row in rows if row not in lost]
    names = (
        "ChargeCategory",
        "ChargeFrequency",
        "PricingCategory",
        "BilledCost",
        "EffectiveCost",
        "ListCost",
        "ContractedCost",
    )
    assert {kind: tuple(row[name] for name in names) for kind, row in by_kind(rows).items()} == wanted
    assert [tuple(row[name] for name in names) for row in lost] == [
        ("Adjustment", "Usage-Based", "Committed", "0", amount, "0", "0") for amount in ("6", "0.75")
    ]


def test_identities_are_kept_and_nothing_is_made_up(tmp_path: Path) -> None:
    found = by_kind(rows_of(write(tmp_path / "cur.csv", CUR)))
    spot, tax = found["Usage"], found["Tax"]
    assert (spot["InvoiceId"], spot["SkuId"], spot["SkuPriceId"]) == ("987654321", "ABCD", "ABCD.JRTCKXETXF.6YS6EN2CT7")
    assert (spot["ResourceId"], spot["ResourceType"]) == (
        "arn:aws:lambda:us-east-1:210987654321:function:container",
        "function",
    )
    assert (spot["SubAccountId"], spot["BillingAccountId"]) == ("210987654321", "123456789012")
    assert (spot["ServiceName"], spot["ServiceSubcategory"]) == ("Amazon Elastic Compute Cloud", "Virtual Machines")
    assert (spot["RegionId"], spot["RegionName"], spot["x_Lane"]) == ("us-east-1", "US East (N. Virginia)", "container")
    assert json.loads(spot["Tags"]) == {"crossover:lane": "container", "crossover:stage": "dev"}
    assert [spot["ListUnitPrice"], spot["ContractedUnitPrice"]] == ["0.5", "0.125"]
    assert tax["SkuId"] == tax["SkuMeter"] == tax["PricingQuantity"] == tax["ListUnitPrice"] == tax["x_Lane"] == ""
    late = {**CUR[-2], "line_item_usage_start_date": "2026-11-02T00:00:00Z", "bill_billing_period_start_date": "2026-12-01"}
    row = by_kind(rows_of(write(tmp_path / "late.csv", [late])))["Refund"]
    assert (row["ChargeClass"], found["Refund"]["ChargeClass"]) == ("Correction", "")


def test_a_service_unknown_to_the_price_book_is_another_one(tmp_path: Path) -> None:
    row = Row(service="AmazonBraket", usage_type="Task", quantity="2", cost="1", day=MONTH).cur()
    found = rows_of(write(tmp_path / "cur.csv", [row]))[0]
    assert (found["ServiceName"], found["ServiceCategory"]) == ("Amazon AmazonBraket", "Other")
    found = rows_of(write(tmp_path / "odd.csv", [row | {"product": "{"}]))[0]
    assert found["ServiceName"] == "AmazonBraket"


def test_volumes_are_storage_of_ec2_as_in_the_export_of_aws(tmp_path: Path) -> None:
    row = Row(service="AmazonEC2", usage_type="EBS:VolumeUsage.gp3", quantity="2", cost="1", day=MONTH).cur()
    found = rows_of(write(tmp_path / "cur.csv", [row | {"line_item_resource_id": "i-0abc"}]))[0]
    assert (found["ServiceName"], found["ServiceCategory"]) == ("Amazon Elastic Compute Cloud", "Storage")
    assert (found["ServiceSubcategory"], found["ResourceType"]) == ("Block Storage", "instance")


def test_a_focus_export_keeps_its_own_values(tmp_path: Path) -> None:
    less = [{name: value for name, value in row.items() if name != "SkuId"} for row in FOCUS]
    for row in rows_of(write(tmp_path / "focus.csv", less)):
        assert row["SkuId"] == row["SubAccountId"] == row["PublisherName"] == row["x_MonthHours"] == ""
        assert (row["InvoiceId"], row["ResourceId"], row["ServiceCategory"]) == ("987654321", "i-0abc", "Compute")
        given = next(each for each in FOCUS if each["BilledCost"] == row["BilledCost"])
        assert {name: row[name] for name in row.keys() & given.keys() - {"Tags", "SkuId"}} == {
            name: given[name] for name in row.keys() & given.keys() - {"Tags", "SkuId"}
        }


def test_both_load_into_one_table(tmp_path: Path, stage: Stage, book: PriceBook, options: CostOptions) -> None:
    estimate = compare(profile_with(), flat_rate(2000), book, stage, options=options)
    export = write(tmp_path / "cur.csv", CUR)
    billed = parquet.read_table(io.BytesIO(billed_bytes(export, "dev", MONTH, Path("x.parquet"))))
    estimated = parquet.read_table(io.BytesIO(focus_bytes(estimate, Path("x.parquet"))))
    assert billed.schema == estimated.schema
    heads = [
        content.split(b"\r\n")[0]
        for content in (billed_bytes(export, "dev", MONTH, Path("x.csv")), focus_bytes(estimate, Path("x.csv")))
    ]
    assert heads[0] == heads[1] == ",".join(estimated.column_names).encode()


def without(column: str, rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: value for name, value in row.items() if name != column} for row in rows]


def emptied(column: str, rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [row | {column: ""} for row in rows]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            without("pricing_public_on_demand_cost", CUR),
            "no column pricing_public_on_demand_cost (for ListCost), which FOCUS 1.2 needs; select it in the export",
        ),
        (without("bill_payer_account_id", CUR), "no column bill_payer_account_id (for BillingAccountId), which"),
        (without("ListCost", FOCUS), "no column ListCost, which FOCUS 1.2 needs; select it"),
        (
            emptied("pricing_public_on_demand_cost", CUR),
            "pricing_public_on_demand_cost: nothing that can be read in a row of 2026-11-02 (Amazon Elastic Compute Cloud, "
            "SpotUsage:c7g.large), and FOCUS 1.2 needs ListCost of it",
        ),
        (emptied("line_item_usage_amount", CUR), "line_item_usage_amount: nothing that can be read"),
        (emptied("ContractedCost", FOCUS), "ContractedCost: nothing that can be read in a row of 2026-11-02"),
    ],
)
def test_what_an_export_lacks_is_said_in_one_line(rows: list[dict[str, str]], said: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows)
    with pytest.raises(InputError) as refused:
        rows_of(path)
    told: Any = str(refused.value)
    assert told.startswith(f"--focus: {path}: ")
    assert said in told
    assert "\n" not in told
