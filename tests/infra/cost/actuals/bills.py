"""Billing exports of the real layouts, made for tests: CUR 2.0 and FOCUS 1.2, as CSV, gzipped CSV or Parquet."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

CUR_COLUMNS = (
    "bill_payer_account_id",
    "line_item_usage_account_id",
    "line_item_line_item_type",
    "line_item_usage_start_date",
    "line_item_usage_end_date",
    "line_item_product_code",
    "line_item_usage_type",
    "line_item_operation",
    "line_item_usage_amount",
    "line_item_currency_code",
    "line_item_unblended_rate",
    "line_item_unblended_cost",
    "pricing_unit",
    "reservation_effective_cost",
    "savings_plan_savings_plan_effective_cost",
    "resource_tags",
)
FOCUS_COLUMNS = (
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
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "InvoiceIssuerName",
    "ServiceCategory",
    "ServiceName",
    "Tags",
    "x_ServiceCode",
    "x_UsageType",
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One charge, before it takes the shape of a layout. `covered` is its effective cost under a Savings Plan."""

    service: str
    usage_type: str
    quantity: str
    cost: str
    day: date
    kind: str = "Usage"
    lane: str | None = None
    stage: str | None = "dev"
    covered: str | None = None
    currency: str = "USD"

    def tags(self, prefix: str, colon: str) -> str:
        pairs = {"crossover:stage": self.stage, "crossover:lane": self.lane}
        return json.dumps({prefix + key.replace(":", colon): value for key, value in pairs.items() if value is not None})

    def cur(self) -> dict[str, str]:
        return {
            **dict.fromkeys(CUR_COLUMNS, ""),
            "bill_payer_account_id": "123456789012",
            "line_item_line_item_type": self.kind,
            "line_item_usage_start_date": f"{self.day}T00:00:00.000Z",
            "line_item_usage_end_date": f"{self.day + timedelta(days=1)}T00:00:00.000Z",
            "line_item_product_code": self.service,
            "line_item_usage_type": self.usage_type,
            "line_item_usage_amount": self.quantity,
            "line_item_currency_code": self.currency,
            "line_item_unblended_cost": self.cost,
            "savings_plan_savings_plan_effective_cost": self.covered or "",
            "resource_tags": self.tags("user_", "_"),
        }

    def focus(self) -> dict[str, str]:
        category = {"Credit": "Credit", "Tax": "Tax", "Refund": "Adjustment"}.get(self.kind, "Usage")
        return {
            **dict.fromkeys(FOCUS_COLUMNS, ""),
            "BilledCost": self.cost,
            "EffectiveCost": self.covered or self.cost,
            "BillingCurrency": self.currency,
            "ChargePeriodStart": f"{self.day}T00:00:00Z",
            "ChargePeriodEnd": f"{self.day + timedelta(days=1)}T00:00:00Z",
            "ChargeCategory": category,
            "PricingQuantity": self.quantity,
            "Tags": self.tags("", ":"),
            "x_ServiceCode": self.service,
            "x_UsageType": self.usage_type,
        }


def csv_text(rows: Sequence[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    """As the path's ending says; a Parquet file has doubles, timestamps and a map of tags, as AWS writes them."""
    text = csv_text(rows)
    if path.name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    elif path.suffix == ".parquet":
        _parquet(path, text)
    else:
        path.write_text(text)
    return path


def _parquet(path: Path, text: str) -> None:
    import duckdb

    source = path.with_suffix(".source.csv")
    source.write_text(text)
    if text.startswith("bill_payer"):
        amounts = ("line_item_usage_amount", "line_item_unblended_cost", "savings_plan_savings_plan_effective_cost")
        day, tags = "line_item_usage_start_date", "resource_tags"
    else:
        amounts, day, tags = ("PricingQuantity", "BilledCost", "EffectiveCost"), "ChargePeriodStart", "Tags"
    replaced = ", ".join(f"CAST(nullif({name}, '') AS DOUBLE) AS {name}" for name in amounts)
    duckdb.connect().execute(
        f"COPY (SELECT * REPLACE ({replaced}, CAST({day} AS TIMESTAMP) AS {day}, "
        f"CAST(CAST({tags} AS JSON) AS MAP(VARCHAR, VARCHAR)) AS {tags}) "
        f"FROM read_csv('{source}', all_varchar = true, header = true)) TO '{path}'"
    )
    source.unlink()
