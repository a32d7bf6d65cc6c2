"""The two layouts of a billing export, as SQL: AWS's CUR 2.0 and FOCUS 1.2 (its columns, and AWS's own `x_…`).

Amortized and cash as AWS's documentation of CUR 2.0 computes them: what a Savings Plan or a reservation covers has its
effective cost, the negations that take it off the cash bill count nothing, and of a recurring fee only what was not used.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """`needed` maps what is read to its column; `optional` columns are needed only by rows of the kinds named."""

    name: str
    needed: Mapping[str, str]
    optional: Mapping[str, tuple[str, ...]]
    kinds: Mapping[str, str]
    counted: tuple[str, ...]

    def amortized(self, have: Collection[str]) -> str:
        if self is FOCUS:
            return number("EffectiveCost")
        cash = number(self.needed["cash"])

        def column(name: str) -> str:
            return number(name) if name in have else "NULL"

        # What was paid ahead for a reservation is in its usage's effective cost.
        reservation = "reservation_reservation_a_r_n"
        upfront = f"{quoted(reservation)} <> ''" if reservation in have else "FALSE"
        return f"""CASE {quoted(self.needed["kind"])}
            WHEN 'SavingsPlanCoveredUsage' THEN {column("savings_plan_savings_plan_effective_cost")}
            WHEN 'SavingsPlanNegation' THEN 0
            WHEN 'SavingsPlanUpfrontFee' THEN 0
            WHEN 'SavingsPlanRecurringFee' THEN {column("savings_plan_total_commitment_to_date")}
                - {column("savings_plan_used_commitment")}
            WHEN 'DiscountedUsage' THEN {column("reservation_effective_cost")}
            WHEN 'RIFee' THEN {column("reservation_unused_amortized_upfront_fee_for_billing_period")}
                + {column("reservation_unused_recurring_fee")}
            WHEN 'Fee' THEN CASE WHEN {upfront} THEN 0 ELSE {cash} END
            ELSE {cash} END"""

    def kind(self) -> str:
        cases = " ".join(f"WHEN '{given}' THEN '{ours}'" for given, ours in self.kinds.items())
        column = quoted(self.needed["kind"])
        return f"CASE {column} {cases} ELSE CASE WHEN {column} LIKE '%Discount' THEN 'discount' ELSE 'other' END END"


CUR = Layout(
    name="CUR 2.0",
    needed={
        "service": "line_item_product_code",
        "usage_type": "line_item_usage_type",
        "day": "line_item_usage_start_date",
        "kind": "line_item_line_item_type",
        "quantity": "line_item_usage_amount",
        "cash": "line_item_unblended_cost",
        "currency": "line_item_currency_code",
        "tags": "resource_tags",
    },
    optional={
        "savings_plan_savings_plan_effective_cost": ("SavingsPlanCoveredUsage",),
        "savings_plan_total_commitment_to_date": ("SavingsPlanRecurringFee",),
        "savings_plan_used_commitment": ("SavingsPlanRecurringFee",),
        "reservation_effective_cost": ("DiscountedUsage",),
        "reservation_unused_amortized_upfront_fee_for_billing_period": ("RIFee",),
        "reservation_unused_recurring_fee": ("RIFee",),
    },
    kinds={
        "Usage": "usage",
        "DiscountedUsage": "usage",
        "SavingsPlanCoveredUsage": "usage",
        "SavingsPlanNegation": "usage",
        "Credit": "credit",
        "Refund": "refund",
        "Tax": "tax",
        "Fee": "fee",
        "RIFee": "fee",
        "SavingsPlanRecurringFee": "fee",
        "SavingsPlanUpfrontFee": "fee",
    },
    counted=("Usage", "DiscountedUsage", "SavingsPlanCoveredUsage"),
)
FOCUS = Layout(
    name="FOCUS 1.2",
    needed={
        "service": "x_ServiceCode",
        "usage_type": "x_UsageType",
        "day": "ChargePeriodStart",
        "kind": "ChargeCategory",
        "quantity": "PricingQuantity",
        "cash": "BilledCost",
        "amortized": "EffectiveCost",
        "currency": "BillingCurrency",
        "tags": "Tags",
    },
    optional={},
    kinds={"Usage": "usage", "Purchase": "fee", "Tax": "tax", "Credit": "credit", "Adjustment": "refund"},
    counted=("Usage",),
)
LAYOUTS = (CUR, FOCUS)


def quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def number(column: str, *, empty: str = "NULL") -> str:
    """Exactly, from text or from a double's shortest digits; None where it is no number. `empty` is what nothing means."""
    return f"TRY_CAST(coalesce(nullif(CAST({quoted(column)} AS VARCHAR), ''), {empty}) AS DECIMAL(38, 15))"


def json_object(column: str) -> str:
    """Tags as JSON text: from a map, or from text that holds an object."""
    text = f"CAST(to_json({quoted(column)}) AS VARCHAR)"
    return f"CASE WHEN json_type({text}) = 'VARCHAR' THEN json_extract_string({text}, '$') ELSE {text} END"


def spellings(key: str) -> set[str]:
    """How a tag's key stands in exports: AWS writes `user_` or `user:` before it, in CUR without colons."""
    return {key, f"user:{key}", f"user_{key.replace(':', '_')}", key.replace(":", "_")}


def tag(column: str, key: str) -> str:
    """A tag out of a JSON object or a map."""
    inner = json_object(column)
    found = f"CASE WHEN json_valid({inner}) THEN {inner} END"
    return "coalesce(" + ", ".join(f"json_extract_string({found}, '$.\"{each}\"')" for each in sorted(spellings(key))) + ")"


def tags_are_read(column: str) -> str:
    """No tags, or an object of them."""
    return f"coalesce(nullif({json_object(column)}, '') IS NULL OR json_valid({json_object(column)}), TRUE)"


def moment(column: str) -> str:
    """An instant of a day on which AWS can have billed, in UTC as AWS writes it; None for any other."""
    return f"CASE WHEN {day(column)} IS NOT NULL THEN TRY_CAST(CAST({quoted(column)} AS VARCHAR) AS TIMESTAMP) END"


def day(column: str) -> str:
    """A day on which AWS can have billed; None for any other, `inf` and years that no calendar has among them."""
    read = f"TRY_CAST(substr(CAST({quoted(column)} AS VARCHAR), 1, 10) AS DATE)"
    return f"CASE WHEN {read} BETWEEN DATE '2006-01-01' AND DATE '2199-12-31' THEN {read} END"
