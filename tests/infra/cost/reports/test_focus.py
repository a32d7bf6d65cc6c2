"""FOCUS 1.2 rows against the specification's columns, types and allowed values, and against its validator where that runs."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from infra.bundle import find_interpreter
from infra.config import Stage
from infra.cost.actuals.focus import billed_bytes
from infra.cost.compare import Comparison, compare
from infra.cost.lane import CostOptions
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.reports.focus import focus_bytes
from infra.cost.reports.focus_services import SERVICES, UNITS
from infra.cost.traffic.profile import flat_rate
from infra.errors import InputError
from infra.wheels import one_line, uv
from tests.conftest import ROOT
from tests.infra.cost.actuals.bills import month_of_charges, write
from tests.infra.cost.focus_rules import MANDATORY, OTHERS, SUBCATEGORIES, check_row


def csv_rows(comparison: Comparison) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(focus_bytes(comparison, Path("x.csv")).decode(), newline="")))


def test_csv_has_every_mandatory_column_with_its_type_and_allowed_values(everything: Comparison) -> None:
    for row in csv_rows(everything):
        check_row(row)
        assert row["x_Estimate"] == "true"
        for column, values in OTHERS.items():
            assert row[column] in values
        assert row["ServiceSubcategory"] in SUBCATEGORIES[row["ServiceCategory"]]


def test_one_row_a_line_with_amounts_that_add_up_exactly(everything: Comparison) -> None:
    rows = csv_rows(everything)
    assert [row["ChargeDescription"] for row in rows] == [line.name for lane in everything.lanes for line in lane.lines]
    for lane in everything.lanes:
        ours = [row for row in rows if row["x_Lane"] == lane.lane]
        for cost in ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"):
            assert sum(Decimal(row[cost]) for row in ours) == lane.usd_per_month
        for row in ours:
            assert Decimal(row["ListUnitPrice"]) * Decimal(row["PricingQuantity"]) == Decimal(row["ListCost"])
            assert json.loads(row["Tags"]) == {"crossover:lane": lane.lane, "crossover:stage": "test"}


def test_a_split_has_rows_of_its_own(profile: WorkloadProfile, book: PriceBook, stage: Stage, options: CostOptions) -> None:
    comparison = compare(profile, flat_rate(120.0), book, stage, options=options, lambda_percent=70)
    assert comparison.split is not None
    rows = [row for row in csv_rows(comparison) if row["x_Lane"] == "split"]
    assert [row["ChargeDescription"] for row in rows] == [line.name for line in comparison.split.whole.lines]
    assert sum(Decimal(row["BilledCost"]) for row in rows) == comparison.split.whole.usd_per_month


def test_spot_is_priced_dynamically_and_on_demand_is_standard(everything: Comparison) -> None:
    category = {row["ChargeDescription"]: row["PricingCategory"] for row in csv_rows(everything)}
    assert category["EC2 spot, mean of 2 types"] == "Dynamic"
    assert category["EC2 on demand, c7g.large"] == "Standard"


def test_a_savings_plan_is_in_the_effective_cost_and_not_in_the_list_cost(everything: Comparison) -> None:
    kept = everything.container_lane
    plan = replace(
        kept.lines[0],
        name="EC2 discount of savings plan compute-1y",
        service="SavingsPlans",
        dimension="compute-1y c7g.large",
        unit="USD",
        quantity=Decimal(100),
        unit_price=Decimal("-0.32"),
        usd=Decimal(-32),
    )
    told = replace(everything, container_lane=replace(kept, lines=(*kept.lines, plan)))
    *_, row = csv_rows(told)
    assert (row["ListCost"], row["ContractedCost"], row["EffectiveCost"], row["BilledCost"]) == ("0", "0", "-32", "-32")
    assert (row["ChargeCategory"], row["PricingCategory"]) == ("Adjustment", "Committed")
    assert row["ConsumedQuantity"] == row["ConsumedUnit"] == row["ListUnitPrice"] == row["ContractedUnitPrice"] == ""


def test_what_an_estimate_cannot_know_is_null(everything: Comparison) -> None:
    unknown = ("InvoiceId", "ResourceId", "SkuId", "SkuPriceId", "SubAccountId")
    assert {row[column] for row in csv_rows(everything) for column in unknown} == {""}
    table = parquet.read_table(io.BytesIO(focus_bytes(everything, Path("x.parquet"))))
    assert all(table.column(column).null_count == table.num_rows for column in unknown)


def test_parquet_holds_the_same_rows_in_types(everything: Comparison) -> None:
    table = parquet.read_table(io.BytesIO(focus_bytes(everything, Path("x.parquet"))))
    rows = csv_rows(everything)
    assert table.column_names == list(rows[0])
    for read, row in zip(table.to_pylist(), rows, strict=True):
        for column, (kind, _, _) in MANDATORY.items():
            if kind == "decimal":
                assert read[column] == Decimal(row[column])
            elif kind == "time":
                assert read[column] == datetime.fromisoformat(row[column])
            else:
                assert (read[column] or "") == row[column]
    assert pa.types.is_string(table.schema.field("BillingAccountId").type)


@pytest.mark.parametrize(("day", "start", "end"), [("2026-11-24", "2026-11", "2026-12"), ("2026-12-31", "2026-12", "2027-01")])
def test_the_month_is_the_calendar_month_of_the_report(everything: Comparison, day: str, start: str, end: str) -> None:
    told = replace(everything, options=replace(everything.options, report_date=date.fromisoformat(day)))
    row = csv_rows(told)[0]
    for period in ("BillingPeriod", "ChargePeriod"):
        assert (row[f"{period}Start"], row[f"{period}End"]) == (f"{start}-01T00:00:00Z", f"{end}-01T00:00:00Z")
    assert datetime.fromisoformat(row["ChargePeriodStart"]).tzinfo == UTC


def test_every_service_and_unit_of_the_price_book_has_a_word_in_focus(book: PriceBook) -> None:
    assert {price.service for price in book.every_price()} <= set(SERVICES)
    assert {price.unit for price in book.every_price()} <= set(UNITS)
    for unit in UNITS.values():
        assert re.fullmatch(r"(\d+ )?[A-Za-z]+(-(Hours|Months|Seconds))?", unit), unit


def test_same_inputs_give_the_same_bytes(everything: Comparison) -> None:
    for name in ("x.csv", "x.parquet"):
        assert focus_bytes(everything, Path(name)) == focus_bytes(everything, Path(name))


def test_another_ending_is_refused(everything: Comparison) -> None:
    with pytest.raises(InputError, match=r"--focus x\.json: must end in \.csv or \.parquet"):
        focus_bytes(everything, Path("x.json"))


@pytest.fixture(scope="module")
def validator() -> Path:
    """The foundation's validator in an environment of its own under out/, made once from hashed packages."""
    python = find_interpreter("3.12")
    if python is None:
        pytest.skip("focus-validator needs Python 3.12 (numpy below 2), which is not on this machine")
    locked = Path(__file__).parent / "focus_validator.txt"
    folder = ROOT / "out" / "focus-validator" / hashlib.sha256(locked.read_bytes()).hexdigest()[:12]
    if not (folder / "done").exists():
        built = [part for name in ("focus-validator", "pandasql") for part in ("--no-binary", name)]  # they have no wheels
        install = ["--require-hashes", "--no-deps", "--only-binary", ":all:", *built, "--requirements", str(locked)]
        for command in (
            ["venv", "--clear", "--python", str(python), str(folder)],
            ["pip", "install", "--python", str(folder / "bin" / "python"), *install],
        ):
            done = subprocess.run([uv(), *command, "--quiet", "--no-config"], capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"focus-validator cannot be installed: {one_line(done.stderr)}")
        (folder / "done").touch()
    return folder


@pytest.mark.slow
def test_the_foundations_validator_finds_nothing_but_what_it_cannot_tell(
    everything: Comparison, tmp_path: Path, validator: Path
) -> None:
    """An estimate and a bill. InvoiceId: with or without a number one of two rules fails, for which charges are invoiced is
    taken for granted. BilledCost: an issuer that is not named as the provider is taken for a third party, and AWS bills as
    `Amazon Web Services, Inc.`. The rules are those that it ships with, which it looks for in the folder it runs in."""
    (packages,) = validator.glob("lib/python*/site-packages")
    options = ("--focus-dataset", "CostAndUsage", "--validate-version", "1.2", "--block-download")
    export = write(tmp_path / "cur.csv", month_of_charges())
    for name in ("estimate.csv", "estimate.parquet"):
        (tmp_path / name).write_bytes(focus_bytes(everything, Path(name)))
    (tmp_path / "billed.parquet").write_bytes(billed_bytes(export, "dev", date(2026, 11, 1), Path("billed.parquet")))

    def validated(name: str) -> str:
        command = [str(validator / "bin" / "focus-validator"), "--data-file", str(tmp_path / name), *options]
        return subprocess.run(command, cwd=packages, capture_output=True, text=True, timeout=300, check=False).stdout

    def failed(told: str) -> set[str]:
        assert told.count(": PASS ") > 100
        return set(re.findall(r"❌ (\S+): FAIL", told))

    with ThreadPoolExecutor(2) as both:
        *estimates, bill = map(failed, both.map(validated, ("estimate.csv", "estimate.parquet", "billed.parquet")))
    assert estimates == [{"InvoiceId-C-005-C"}] * 2
    assert bill == {"InvoiceId-C-004-C", "BilledCost-C-000-M", "BilledCost-C-005-C"}
