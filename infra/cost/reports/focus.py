"""The estimate as FOCUS 1.2 rows, the columns in which AWS exports what was billed: one row for each line of each lane, and of
the split where one was priced.

The lanes and the split are alternatives, each priced as if it served everything: whoever adds rows up filters by `x_Lane` (or
the tag `crossover:lane`) first. The month is the estimate's, placed in the calendar month of the report. ListCost is at list
prices; what a Savings Plan takes off, and what of its commitment is lost, are rows of their own (category Adjustment) in
EffectiveCost and BilledCost alone. What an estimate cannot know is null: invoice, account, resource, SKU. Columns of our own
start with `x_`.

Columns, types and allowed values: https://focus.finops.org/focus-specification/v1-2/
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from infra.cost.compare import Comparison
from infra.cost.lane import LaneCost
from infra.cost.lines.line import LineItem
from infra.cost.reports.focus_services import REGIONS, SERVICES, Service, pricing_unit
from infra.errors import InputError

Row = Mapping[str, object]

ACCOUNT = "crossover-estimate"
SAVINGS_PLANS = "SavingsPlans"
MONEY = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "ListUnitPrice", "ContractedUnitPrice")
QUANTITIES = ("PricingQuantity", "ConsumedQuantity", "x_MonthHours")
TIMES = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
DIGITS = 18
"""Digits behind the point in Parquet: enough for every product of a quantity and a price of the book."""


def focus_bytes(comparison: Comparison, path: Path) -> bytes:
    """The rows as CSV or Parquet, by the path's ending."""
    rows = list(focus_rows(comparison))
    if path.suffix == ".csv":
        return _csv(rows)
    if path.suffix == ".parquet":
        return _parquet(rows)
    raise InputError(f"--focus {path}: must end in .csv or .parquet")


def focus_rows(comparison: Comparison) -> Iterator[Row]:
    """Every line of both lanes and of the split, with the columns in one order."""
    for lane in comparison.bills:
        for line in lane.lines:
            yield _row(comparison, lane, line)


def _row(comparison: Comparison, lane: LaneCost, line: LineItem) -> Row:
    start, end = _calendar_month(comparison.options.report_date)
    service = SERVICES.get(line.service, Service(line.service, "Other", "Other (Other)"))
    adjusts = line.service == SAVINGS_PLANS
    unit = pricing_unit(line.unit)
    listed, each = (Decimal(0), None) if adjusts else (line.usd, line.unit_price)
    return {
        "BilledCost": line.usd,
        "EffectiveCost": line.usd,
        "ListCost": listed,
        "ContractedCost": listed,
        "BillingAccountId": ACCOUNT,
        "BillingAccountName": "Estimate, not a bill",
        "BillingCurrency": "USD",
        "BillingPeriodStart": start,
        "BillingPeriodEnd": end,
        "ChargePeriodStart": start,
        "ChargePeriodEnd": end,
        "ChargeCategory": "Adjustment" if adjusts else "Usage",
        "ChargeClass": None,
        "ChargeDescription": line.name,
        "ChargeFrequency": "Usage-Based",
        "PricingCategory": _category(line),
        "PricingQuantity": line.quantity,
        "PricingUnit": unit,
        "ConsumedQuantity": None if adjusts else line.used,
        "ConsumedUnit": None if adjusts else unit,
        "ListUnitPrice": each,
        "ContractedUnitPrice": each,
        "ProviderName": "AWS",
        "PublisherName": "AWS",
        "InvoiceId": None,
        "InvoiceIssuerName": "AWS",
        "RegionId": comparison.prices.region,
        "RegionName": REGIONS.get(comparison.prices.region),
        "ResourceId": None,
        "ResourceName": None,
        "ResourceType": None,
        "ServiceCategory": service.category,
        "ServiceSubcategory": service.subcategory,
        "ServiceName": service.name,
        "SkuId": None,
        "SkuMeter": line.dimension,
        "SkuPriceId": None,
        "SubAccountId": None,
        "SubAccountName": None,
        "Tags": json.dumps({"crossover:lane": lane.lane, "crossover:stage": comparison.stage.name}, sort_keys=True),
        "x_Lane": lane.lane,
        "x_Estimate": "true",
        "x_ReportDate": comparison.options.report_date.isoformat(),
        "x_MonthHours": comparison.options.month_hours,
        "x_QuantityNote": line.note,
        "x_PriceSource": line.source,
        "x_PriceAsOf": line.as_of,
        "x_PriceConfidence": line.confidence,
    }


def _category(line: LineItem) -> str:
    if line.service == SAVINGS_PLANS:
        return "Committed"
    spot = line.service == "AmazonEC2" and (line.dimension.startswith("spot") or line.dimension.endswith(" spot"))
    return "Dynamic" if spot else "Standard"


def _calendar_month(day: date) -> tuple[datetime, datetime]:
    """First instant of the month and of the next, which FOCUS counts out."""
    following = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return datetime(day.year, day.month, 1, tzinfo=UTC), datetime(*following, 1, tzinfo=UTC)


def _csv(rows: list[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _text(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode()


def _text(value: object) -> object:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{value:f}" if isinstance(value, Decimal) else value


def _parquet(rows: list[Row]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    def kind(name: str) -> pa.DataType:
        if name in (*MONEY, *QUANTITIES):
            return pa.decimal128(38, DIGITS)
        return pa.timestamp("us", tz="UTC") if name in TIMES else pa.string()

    table = pa.Table.from_pylist([dict(row) for row in rows], schema=pa.schema([(name, kind(name)) for name in rows[0]]))
    out = io.BytesIO()
    parquet.write_table(table, out, compression="zstd")
    return out.getvalue()
