"""Billing exports of the real layouts, made for tests: CUR 2.0 and FOCUS 1.2, as CSV, gzipped CSV or Parquet."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.cost.actuals.records import month_end

CUR_COLUMNS = (
    "bill_payer_account_id",
    "bill_billing_period_start_date",
    "bill_billing_period_end_date",
    "bill_invoice_id",
    "bill_invoicing_entity",
    "line_item_usage_account_id",
    "line_item_usage_account_name",
    "line_item_legal_entity",
    "line_item_line_item_description",
    "line_item_resource_id",
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
    "pricing_public_on_demand_cost",
    "pricing_public_on_demand_rate",
    "pricing_rate_code",
    "pricing_unit",
    "product",
    "product_region_code",
    "product_sku",
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
    "ChargeFrequency",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "InvoiceId",
    "InvoiceIssuerName",
    "ResourceId",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "Tags",
    "x_ServiceCode",
    "x_UsageType",
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One charge, before it takes the shape of a layout. `covered` is its effective cost under a Savings Plan, `listed` what it
    is at list prices where that is not its cost."""

    service: str
    usage_type: str
    quantity: str
    cost: str
    day: date
    kind: str = "Usage"
    lane: str | None = None
    stage: str | None = "dev"
    covered: str | None = None
    listed: str | None = None
    currency: str = "USD"

    @property
    def used(self) -> bool:
        return self.kind in ("Usage", "DiscountedUsage", "SavingsPlanCoveredUsage")

    def rate(self, usd: str) -> str:
        return f"{Decimal(usd) / Decimal(self.quantity):f}" if self.quantity else ""

    def tags(self, prefix: str, colon: str) -> str:
        pairs = {"crossover:stage": self.stage, "crossover:lane": self.lane}
        return json.dumps({prefix + key.replace(":", colon): value for key, value in pairs.items() if value is not None})

    def cur(self) -> dict[str, str]:
        return {
            **dict.fromkeys(CUR_COLUMNS, ""),
            "bill_payer_account_id": "123456789012",
            "bill_billing_period_start_date": f"{self.day:%Y-%m}-01T00:00:00.000Z",
            "bill_billing_period_end_date": f"{month_end(self.day) + timedelta(days=1)}T00:00:00.000Z",
            "bill_invoice_id": "987654321",
            "bill_invoicing_entity": "Amazon Web Services, Inc.",
            "line_item_usage_account_id": "210987654321",
            "line_item_usage_account_name": "search",
            "line_item_legal_entity": "Amazon Web Services, Inc.",
            "line_item_line_item_description": f"{self.kind} of {self.usage_type}",
            "line_item_resource_id": f"arn:aws:lambda:us-east-1:210987654321:function:{self.lane}" if self.used else "",
            "line_item_line_item_type": self.kind,
            "line_item_usage_start_date": f"{self.day}T00:00:00.000Z",
            "line_item_usage_end_date": f"{self.day + timedelta(days=1)}T00:00:00.000Z",
            "line_item_product_code": self.service,
            "line_item_usage_type": self.usage_type,
            "line_item_usage_amount": self.quantity,
            "line_item_currency_code": self.currency,
            "line_item_unblended_rate": self.rate(self.cost),
            "line_item_unblended_cost": self.cost,
            "pricing_public_on_demand_cost": (self.listed or self.cost) if self.used else "",
            "pricing_public_on_demand_rate": self.rate(self.listed or self.cost) if self.used else "",
            "pricing_rate_code": "ABCD.JRTCKXETXF.6YS6EN2CT7" if self.quantity else "",
            "pricing_unit": "Hrs" if self.quantity else "",
            "product": json.dumps({"product_name": f"Amazon {self.service}"}),
            "product_region_code": "us-east-1",
            "product_sku": "ABCD" if self.quantity else "",
            "savings_plan_savings_plan_effective_cost": self.covered or "",
            "resource_tags": self.tags("user_", "_"),
        }

    def focus(self) -> dict[str, str]:
        category = {"Credit": "Credit", "Tax": "Tax", "Refund": "Adjustment"}.get(self.kind, "Usage")
        return {
            **dict.fromkeys(FOCUS_COLUMNS, ""),
            "BilledCost": self.cost,
            "EffectiveCost": self.covered or self.cost,
            "ListCost": self.listed or self.cost,
            "ContractedCost": self.cost,
            "BillingAccountId": "123456789012",
            "BillingPeriodStart": f"{self.day:%Y-%m}-01T00:00:00Z",
            "BillingPeriodEnd": f"{month_end(self.day) + timedelta(days=1)}T00:00:00Z",
            "BillingCurrency": self.currency,
            "ChargePeriodStart": f"{self.day}T00:00:00Z",
            "ChargePeriodEnd": f"{self.day + timedelta(days=1)}T00:00:00Z",
            "ChargeCategory": category,
            "ChargeFrequency": "Usage-Based" if self.used else "One-Time",
            "PricingQuantity": self.quantity,
            "PricingUnit": "Hrs" if self.quantity else "",
            "ProviderName": "AWS",
            "InvoiceId": "987654321",
            "ResourceId": "i-0abc",
            "ServiceCategory": "Compute",
            "ServiceName": self.service,
            "SkuId": "ABCD",
            "Tags": self.tags("", ":"),
            "x_ServiceCode": self.service,
            "x_UsageType": self.usage_type,
        }


def month_of_charges() -> list[dict[str, str]]:
    """A row of CUR 2.0 of each kind of charge: a plan of a dollar an hour of which six are not used, a reservation likewise."""
    day = date(2026, 11, 2)
    box = {"service": "AmazonEC2", "usage_type": "BoxUsage:c7g.large", "quantity": "24", "day": day, "lane": "container"}
    other = {"service": "AmazonEC2", "usage_type": "", "quantity": "", "day": day}
    plan = {"savings_plan_total_commitment_to_date": "24", "savings_plan_used_commitment": "18"}
    fee = {
        "reservation_unused_amortized_upfront_fee_for_billing_period": "0.25",
        "reservation_unused_recurring_fee": "0.5",
    }
    reserved = {"reservation_effective_cost": "0.96"}
    upfront = {"reservation_reservation_a_r_n": "arn:aws:ec2:us-east-1:210987654321:reserved-instances/a"}
    rows: list[tuple[dict[str, Any], dict[str, str]]] = [
        ({**box, "usage_type": "SpotUsage:c7g.large", "quantity": "4", "cost": "0.5", "listed": "2"}, {}),
        ({**box, "cost": "1.74", "covered": "1.20", "kind": "SavingsPlanCoveredUsage"}, {}),
        ({**box, "cost": "-1.74", "kind": "SavingsPlanNegation"}, {}),
        ({**other, "service": "ComputeSavingsPlans", "quantity": "24", "cost": "24", "kind": "SavingsPlanRecurringFee"}, plan),
        ({**box, "cost": "0", "listed": "1.74", "kind": "DiscountedUsage"}, reserved),
        ({**box, "usage_type": "HeavyUsage", "cost": "9", "quantity": "1", "kind": "RIFee"}, fee),
        ({**other, "quantity": "1", "cost": "100", "kind": "Fee"}, upfront),
        ({**other, "cost": "-0.25", "kind": "EdpDiscount"}, {}),
        ({**other, "cost": "-3", "kind": "Credit"}, {}),
        ({**other, "cost": "-1", "kind": "Refund"}, {}),
        ({**other, "cost": "0.3", "kind": "Tax"}, {}),
    ]
    blank = dict.fromkeys((*plan, *fee, *upfront), "")
    return [blank | Row(**row).cur() | more for row, more in rows]


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
    amounts = ("line_item_usage_amount", "line_item_unblended_cost", "pricing_public_on_demand_cost")
    columns, tags = [*amounts, "savings_plan_savings_plan_effective_cost"], "resource_tags"
    days = [name for name in CUR_COLUMNS if name.endswith("_date")]
    if tags not in text.partition("\n")[0]:
        columns, tags = ["PricingQuantity", "BilledCost", "EffectiveCost", "ListCost", "ContractedCost"], "Tags"
        days = ["BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd"]
    replaced = ", ".join(
        [f"CAST(nullif({name}, '') AS DOUBLE) AS {name}" for name in columns]
        + [f"CAST({name} AS TIMESTAMP) AS {name}" for name in days]
    )
    duckdb.connect().execute(
        f"COPY (SELECT * REPLACE ({replaced}, "
        f"CAST(CAST({tags} AS JSON) AS MAP(VARCHAR, VARCHAR)) AS {tags}) "
        f"FROM read_csv('{source}', all_varchar = true, header = true)) TO '{path}'"
    )
    source.unlink()
