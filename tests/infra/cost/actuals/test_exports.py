"""Billing exports of both layouts, in every file format, and what is wrong with those that are."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infra.cost.actuals.exports import read_export
from infra.cost.actuals.records import Bill
from infra.errors import InputError
from tests.infra.cost.actuals.bills import Row, csv_text, write

FIRST, SECOND = date(2026, 11, 1), date(2026, 11, 2)
BOX: dict[str, Any] = {
    "service": "AmazonEC2",
    "usage_type": "BoxUsage:c7g.large",
    "quantity": "24",
    "day": SECOND,
    "lane": "container",
}
ROWS = (
    Row(service="AWSLambda", usage_type="Lambda-GB-Second-ARM", quantity="1000.5", cost="1.2E-7", day=FIRST, lane="lambda"),
    Row(**BOX, cost="1.74", covered="1.20", kind="SavingsPlanCoveredUsage"),
    Row(service="AmazonEC2", usage_type="", quantity="", cost="-3", day=SECOND, kind="Credit"),
    Row(service="AmazonEC2", usage_type="BoxUsage:c7g.large", quantity="24", cost="7", day=SECOND, stage="prod"),
    Row(service="AmazonEC2", usage_type="BoxUsage:c7g.large", quantity="24", cost="3.5", day=SECOND, stage=None),
)
NEGATION = Row(**BOX, cost="-1.74", kind="SavingsPlanNegation")
CUR = [row.cur() for row in (*ROWS, NEGATION)]


def check(bill: Bill, *, covered_cash: Decimal) -> None:
    by_type = {each.usage_type: each for each in bill.charges}
    assert len(bill.charges) == 3
    assert by_type["Lambda-GB-Second-ARM"].cash == Decimal("1.2E-7")
    assert by_type["Lambda-GB-Second-ARM"].lane == "lambda"
    box = by_type["BoxUsage:c7g.large"]
    assert (box.quantity, box.cash, box.amortized, box.day) == (Decimal(24), covered_cash, Decimal("1.2"), SECOND)
    assert (by_type[""].kind, by_type[""].cash, by_type[""].quantity) == ("credit", Decimal(-3), Decimal(0))
    assert (bill.untagged_usd, bill.others_usd) == (Decimal("3.5"), Decimal(7))


@pytest.mark.parametrize("name", ["cur.csv", "cur.csv.gz", "cur.parquet"])
def test_cur_gives_cash_and_amortized_by_tag(name: str, tmp_path: Path) -> None:
    """The negation takes the covered usage off the cash bill; amortized it has its effective cost."""
    check(read_export(write(tmp_path / name, CUR), "dev"), covered_cash=Decimal(0))


@pytest.mark.parametrize("name", ["focus.csv", "focus.csv.gz", "focus.parquet"])
def test_focus_gives_the_same(name: str, tmp_path: Path) -> None:
    check(read_export(write(tmp_path / name, [row.focus() for row in ROWS]), "dev"), covered_cash=Decimal("1.74"))


def test_a_folder_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "one.csv", CUR[:2])
    write(tmp_path / "data" / "two.csv.gz", CUR[2:])
    check(read_export(tmp_path, "dev"), covered_cash=Decimal(0))


def test_a_month_that_would_be_counted_twice_is_refused(tmp_path: Path) -> None:
    """Of an export that keeps each refresh, each folder below the month's holds all of it."""
    first, second = (tmp_path / "data" / "BILLING_PERIOD=2026-11" / f"2026-11-{day}T04:00:00Z-1a2b" for day in (20, 21))
    for folder, rows in ((first, CUR[:2]), (second, CUR)):
        folder.mkdir(parents=True)
        write(folder / "bill-00001.csv.gz", rows)
    with pytest.raises(InputError, match=r"=2026-11: holds 2 deliveries.* give the latest alone: .*2026-11-21T04:00:00Z-1a2b$"):
        read_export(tmp_path, "dev")
    check(read_export(second, "dev"), covered_cash=Decimal(0))
    shutil.copy(second / "bill-00001.csv.gz", second / "copy.csv.gz")
    with pytest.raises(InputError, match=r"copy\.csv\.gz: the same as .*bill-00001\.csv\.gz; give each file once"):
        read_export(second, "dev")
    (second / "copy.csv.gz").unlink()
    write(second / "bill-00001.csv", CUR)
    with pytest.raises(InputError, match=r"lies beside bill-00001\.csv, the same unpacked"):
        read_export(second, "dev")


def test_of_several_months_one_is_taken(tmp_path: Path) -> None:
    october = Row(service="AWSLambda", usage_type="Request", quantity="5", cost="1", day=date(2026, 10, 31))
    bill = read_export(write(tmp_path / "a.csv", [october.cur(), *CUR]), "dev")
    assert bill.of_month(None).first == FIRST
    assert bill.of_month("2026-10").usd("cash") == 1
    with pytest.raises(InputError, match="nothing of 2026-09; it has 2026-10, 2026-11"):
        bill.of_month("2026-09")


def test_of_a_plans_fee_only_what_was_not_used_is_amortized(tmp_path: Path) -> None:
    """A dollar an hour committed, 24 on the day, of which 18 covered usage; a reservation's fee likewise."""
    plan = {"savings_plan_total_commitment_to_date": "24", "savings_plan_used_commitment": "18"}
    reserved = {
        "reservation_unused_amortized_upfront_fee_for_billing_period": "0.25",
        "reservation_unused_recurring_fee": "0.5",
    }
    others = dict.fromkeys((*plan, *reserved), "")
    fees = [
        Row(
            service="ComputeSavingsPlans",
            usage_type="ComputeSP",
            quantity="1",
            cost="24",
            day=FIRST,
            kind="SavingsPlanRecurringFee",
        ),
        Row(service="AmazonEC2", usage_type="HeavyUsage", quantity="1", cost="9", day=FIRST, kind="RIFee"),
        Row(service="AmazonEC2", usage_type="BoxUsage:c7g.large", quantity="24", cost="0", day=FIRST, kind="DiscountedUsage"),
    ]
    rows = [{**others, **row.cur(), **more} for row, more in zip(fees, (plan, reserved, {}), strict=True)]
    rows[2]["reservation_effective_cost"] = "0.96"
    found = {each.usage_type: each for each in read_export(write(tmp_path / "a.csv", rows), "dev").charges}
    assert {name: (each.cash, each.amortized, each.kind) for name, each in found.items()} == {
        "ComputeSP": (Decimal(24), Decimal(6), "fee"),
        "HeavyUsage": (Decimal(9), Decimal("0.75"), "fee"),
        "BoxUsage:c7g.large": (Decimal(0), Decimal("0.96"), "usage"),
    }
    for row in rows:
        del row["savings_plan_used_commitment"]
    with pytest.raises(InputError, match="line 2: savings_plan_used_commitment: a row of kind SavingsPlanRecurringFee needs"):
        read_export(write(tmp_path / "b.csv", rows), "dev")


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (replaced("1000.5", "lots"), "line 2: line_item_usage_amount: 'lots' must be a number"),
        (replaced("1000.5", "NaN"), "line 2: line_item_usage_amount: 'NaN' must be a number"),
        (replaced("1.2E-7", ""), "line 2: line_item_unblended_cost: None must be a number"),
        (replaced("USD", "EUR"), "line 2: line_item_currency_code: 'EUR', must be USD"),
        (replaced("2026-11-02T00:00:00.000Z,", "soon,"), "line 3: line_item_usage_start_date: 'soon' must be a date"),
        (replaced("2026-11-02T00:00:00.000Z,", "inf,"), "line 3: line_item_usage_start_date: 'inf' must be a date"),
        (
            replaced("2026-11-02T00:00:00.000Z,", "0001-01-01,"),
            "line 3: line_item_usage_start_date: '0001-01-01' must be a date",
        ),
        (replaced('stage"": ""dev"', 'stage"" ""dev"'), "must be a JSON object of tags"),
        (replaced("line_item_usage_type", "x"), "line 1: no column line_item_usage_type, which AWS's CUR 2.0 has"),
        (
            replaced("savings_plan_savings_plan_effective_cost", "x"),
            "line 3: savings_plan_savings_plan_effective_cost: a row of",
        ),
        (replaced("user_crossover_stage", "user_other"), "it has no such tag: activate it as a cost-allocation tag"),
        (replaced('stage"": ""dev"', 'stage"": ""qa"'), "no row has the tag crossover:stage = 'dev'; it has prod, qa"),
        (lambda text: text + "1,2,3\n", f"line 8: 3 fields, the header has {len(CUR[0])}"),
        (lambda _: "a,b\n1,2\n", "line 1: neither the columns of CUR 2.0 nor of FOCUS 1.2; export one of these"),
        (lambda _: "lineItem/UsageType,b\n1,2\n", "(these are of the legacy Cost and Usage Report)"),
        (lambda _: "", "line 1: neither the columns of CUR 2.0 nor of FOCUS 1.2"),
    ],
)
def test_what_is_wrong_is_one_line_with_its_place(change: Callable[[str], str], said: str, tmp_path: Path) -> None:
    path = tmp_path / "bill.csv"
    path.write_text(change(csv_text(CUR)))
    with pytest.raises(InputError) as refused:
        read_export(path, "dev")
    assert said in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: cannot be read \(no such file or folder\)"):
        read_export(tmp_path / "none.csv", "dev")
    with pytest.raises(InputError, match="holds no billing export"):
        read_export(tmp_path, "dev")
    text = csv_text(CUR)
    (tmp_path / "cut.csv").write_text(text[: text.rindex('"')])
    with pytest.raises(InputError, match=r"cut\.csv: not rows of CSV with quotes that end; is it cut off\?"):
        read_export(tmp_path / "cut.csv", "dev")
    (tmp_path / "a.parquet").write_text("not Parquet at all")
    with pytest.raises(InputError, match=r"a\.parquet: not a billing export that can be read"):
        read_export(tmp_path / "a.parquet", "dev")
    whole = gzip.compress(csv_text(CUR).encode() * 50)
    (tmp_path / "b.csv.gz").write_bytes(whole[:-40])
    with pytest.raises(InputError, match=r"b\.csv\.gz: not a billing export that can be read: .*GZIP"):
        read_export(tmp_path / "b.csv.gz", "dev")
    with pytest.raises(InputError, match="Parquet and CSV side by side"):
        read_export(tmp_path, "dev")


@pytest.mark.slow
def test_a_large_export_is_read_in_little_memory(tmp_path: Path) -> None:
    """300 MB as text; what is held does not grow with it (DuckDB may take 300 MB for itself)."""
    path = tmp_path / "cur.csv.gz"
    head, _, body = csv_text([row.cur() for row in ROWS[:2]] * 500).partition("\n")
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write(head + "\n")
        for _ in range(600):
            file.write(body)
    program = (
        "from pathlib import Path; from infra.cost.actuals.exports import read_export\n"
        f"bill = read_export(Path({str(path)!r}), 'dev')\n"
        "assert len(bill.charges) == 2; assert max(each.quantity for each in bill.charges) == 300_150_000\n"
        "print(int(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 600 * len(body) > 300_000_000
    assert int(done.stdout) < 500_000, "KiB"
