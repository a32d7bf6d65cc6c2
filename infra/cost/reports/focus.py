"""The estimate as FOCUS 1.2 rows, the columns in which AWS exports what was billed: one row for each line of each lane, and of
the split where one was priced.

The lanes and the split are alternatives, each priced as if it served everything: whoever adds rows up filters by `x_Lane` (or
the tag `crossover:lane`) first. The month is the estimate's, placed in the calendar month of the report. ListCost is at list
prices; what a Savings Plan takes off, and what of its commitment is lost, are rows of their own (category Adjustment) in
EffectiveCost and BilledCost alone. What an estimate cannot know is null: invoice, account, resource, SKU.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from infra.cost.compare import Comparison
from infra.cost.lane import LaneCost
from infra.cost.lines.line import LineItem
from infra.cost.reports.focus_services import REGIONS, pricing_unit, service_of
from infra.cost.reports.focus_table import Row, table_bytes

ACCOUNT = "crossover-estimate"
SAVINGS_PLANS = "SavingsPlans"


def focus_bytes(comparison: Comparison, path: Path) -> bytes:
    """The rows as CSV or Parquet, by the path's ending."""
    return table_bytes(focus_rows(comparison), path)


def focus_rows(comparison: Comparison) -> Iterator[Row]:
    """Every line of both lanes and of the split, with the columns in one order."""
    for lane in comparison.bills:
        for line in lane.lines:
            yield _row(comparison, lane, line)


def _row(comparison: Comparison, lane: LaneCost, line: LineItem) -> Row:
    start, end = _calendar_month(comparison.options.report_date)
    service = service_of(line.service)
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
