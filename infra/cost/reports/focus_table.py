"""The one table of FOCUS 1.2 rows that estimates (`focus`) and bills (`infra.cost.actuals.focus`) are written to: columns,
their order and types, as CSV or Parquet. `x_Estimate` tells the two apart; columns of our own start with `x_`.

Columns, types and allowed values: https://focus.finops.org/focus-specification/v1-2/
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from infra.errors import InputError

Row = Mapping[str, object]

COLUMNS = (
    "BilledCost",
    "EffectiveCost",
    "ListCost",
    "ContractedCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodStart",
    "BillingPeriodEnd",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ListUnitPrice",
    "ContractedUnitPrice",
    "ProviderName",
    "PublisherName",
    "InvoiceId",
    "InvoiceIssuerName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceSubcategory",
    "ServiceName",
    "SkuId",
    "SkuMeter",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "Tags",
    "x_Lane",
    "x_Estimate",
    "x_ReportDate",
    "x_MonthHours",
    "x_QuantityNote",
    "x_PriceSource",
    "x_PriceAsOf",
    "x_PriceConfidence",
)
MONEY = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "ListUnitPrice", "ContractedUnitPrice")
QUANTITIES = ("PricingQuantity", "ConsumedQuantity", "x_MonthHours")
TIMES = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
DIGITS = 18
"""Digits behind the point in Parquet: enough for every product of a quantity and a price of the book."""
BATCH = 2_000
"""Rows of a Parquet file's row group, and rows that are held as Python objects at once."""


def refuse_other_endings(path: Path) -> None:
    if path.suffix not in (".csv", ".parquet"):
        raise InputError(f"--focus {path}: must end in .csv or .parquet")


def table_bytes(rows: Iterable[Row], path: Path) -> bytes:
    """The rows as CSV or Parquet, by the path's ending."""
    refuse_other_endings(path)
    return _csv(rows) if path.suffix == ".csv" else _parquet(rows)


def _csv(rows: Iterable[Row]) -> bytes:
    out = io.BytesIO()
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    writer = csv.DictWriter(text, fieldnames=COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _text(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def _text(value: object) -> object:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{value:f}" if isinstance(value, Decimal) else value


def _parquet(rows: Iterable[Row]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    def kind(name: str) -> Any:
        if name in (*MONEY, *QUANTITIES):
            return pa.decimal128(38, DIGITS)
        return pa.timestamp("us", tz="UTC") if name in TIMES else pa.string()

    schema = pa.schema([(name, kind(name)) for name in COLUMNS])
    out = io.BytesIO()
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        left = iter(rows)
        while some := [dict(row) for row in islice(left, BATCH)]:
            writer.write_table(pa.Table.from_pylist(some, schema=schema))
    return out.getvalue()
