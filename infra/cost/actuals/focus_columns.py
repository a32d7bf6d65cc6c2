"""What each FOCUS 1.2 column of a bill is, as SQL over an export: of FOCUS 1.2 itself the column as it stands, of CUR 2.0 the
columns named here.

AWS publishes which columns of its own FOCUS export may be empty, but no mapping from CUR 2.0. The one that is published is the
FinOps Foundation's (`focus_converters`, conversion plans for AWS's CUR), written before FOCUS 1.0; it stands here but where
1.2's own text says otherwise:

- Credits have a category of their own. Negations of a Savings Plan and discounts are Adjustments, for as Usage they would count
  the covered quantity twice; they are in BilledCost, not in ListCost. A kind that AWS adds is an Adjustment too.
- ListCost and ContractedCost of what has no list price (fees, taxes, credits, refunds) are the BilledCost, which 1.2 asks of
  charges that are unrelated to others; of a tax CUR does not tell which charges it is on.
- ContractedCost of usage is its unblended cost, which is at the account's own on-demand prices and of covered usage before the
  plan; a reservation's usage has no such cost (AWS writes 0), so there it is the ListCost.
- Of a charge that is no usage there is no consumed quantity, of one that is neither usage nor purchase no quantity at all.

Sources: https://focus.finops.org/focus-specification/v1-2/,
https://github.com/finopsfoundation/focus_converters (conversion_rules_export/markdown/aws-cur.md),
https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2.html and table-dictionary-focus-1-2-aws-conformance.html
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from infra.cost.actuals.columns import CUR, json_object, moment, number, quoted, tag
from infra.cost.reports.focus_table import COLUMNS, MONEY, QUANTITIES, TIMES

NOT_NULL = (
    *("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "BillingAccountId", "BillingCurrency", *TIMES),
    *("ChargeCategory", "ChargeFrequency", "ProviderName", "ServiceCategory", "ServiceName"),
)
NOT_NULL_BUT_OF_AWS = ("InvoiceIssuerName", "PublisherName")
"""FOCUS 1.2 wants them, and AWS says that its export may have none."""

NEEDED: Mapping[str, str] = {
    "BillingAccountId": "bill_payer_account_id",
    "BillingPeriodStart": "bill_billing_period_start_date",
    "BillingPeriodEnd": "bill_billing_period_end_date",
    "ChargePeriodStart": "line_item_usage_start_date",
    "ChargePeriodEnd": "line_item_usage_end_date",
    "ListCost": "pricing_public_on_demand_cost",
    "ListUnitPrice": "pricing_public_on_demand_rate",
    "ContractedUnitPrice": "line_item_unblended_rate",
    "PricingUnit": "pricing_unit",
    "PublisherName": "line_item_legal_entity",
    "InvoiceIssuerName": "bill_invoicing_entity",
    "SkuId": "product_sku",
    "SkuPriceId": "pricing_rate_code",
}
"""Columns of CUR 2.0 without which a column that FOCUS 1.2 wants would be empty."""
WHERE_KNOWN: Mapping[str, str] = {
    "BillingAccountName": "bill_payer_account_name",
    "ChargeDescription": "line_item_line_item_description",
    "InvoiceId": "bill_invoice_id",
    "RegionId": "product_region_code",
    "ResourceId": "line_item_resource_id",
    "SubAccountId": "line_item_usage_account_id",
    "SubAccountName": "line_item_usage_account_name",
}
"""Columns of CUR 2.0 that an export may lack; the FOCUS column is null then."""

KIND, USAGE_TYPE = (quoted(CUR.needed[name]) for name in ("kind", "usage_type"))
IS_USAGE = f"{KIND} IN ('Usage', 'DiscountedUsage', 'SavingsPlanCoveredUsage')"
IS_PURCHASE = f"{KIND} IN ('Fee', 'RIFee', 'SavingsPlanUpfrontFee', 'SavingsPlanRecurringFee')"
IS_TAKEN_OFF = f"({KIND} = 'SavingsPlanNegation' OR {KIND} LIKE '%Discount')"


def of_focus(have: Collection[str]) -> dict[str, str]:
    """Of an export of FOCUS 1.2; what it lacks is null."""

    def expression(name: str) -> str:
        if name not in have or name.startswith("x_"):
            return "NULL"
        if name in (*MONEY, *QUANTITIES):
            return number(name)
        return moment(name) if name in TIMES else text(name)

    tags = json_object("Tags")
    return {name: expression(name) for name in COLUMNS} | {"Tags": tags, "x_Lane": tag("Tags", "crossover:lane")}


def of_cur(have: Collection[str]) -> dict[str, str]:
    """Of an export of CUR 2.0. `ServiceName` is the product's code, `ServiceCategory` what AWS calls it where that is
    there; `focus` makes FOCUS's words of both."""
    cash, listed, tags = number(CUR.needed["cash"]), number(NEEDED["ListCost"]), CUR.needed["tags"]
    list_price, own_price = number(NEEDED["ListUnitPrice"]), number(NEEDED["ContractedUnitPrice"])
    amount, unit = number(CUR.needed["quantity"]), text(NEEDED["PricingUnit"])
    starts, bill_starts = moment(NEEDED["ChargePeriodStart"]), moment(NEEDED["BillingPeriodStart"])
    sku = f"CASE WHEN {KIND} <> 'Tax' THEN {text(NEEDED['SkuId'])} END"
    resource = text(WHERE_KNOWN["ResourceId"]) if WHERE_KNOWN["ResourceId"] in have else "CAST(NULL AS VARCHAR)"
    named = json_object("product")
    product = f"json_extract_string(CASE WHEN json_valid({named}) THEN {named} END, '$.product_name')"
    plain = {name: text(column) for name, column in NEEDED.items() if name not in TIMES}
    known = {name: text(column) if column in have else "NULL" for name, column in WHERE_KNOWN.items()}
    found = plain | known | {name: moment(NEEDED[name]) for name in TIMES}
    return (
        dict.fromkeys(COLUMNS, "NULL")
        | found
        | {
            "BilledCost": cash,
            "EffectiveCost": CUR.amortized(have),
            "ListCost": f"CASE WHEN {IS_USAGE} THEN {listed} WHEN {IS_TAKEN_OFF} THEN 0 ELSE {cash} END",
            "ContractedCost": f"""CASE {KIND} WHEN 'DiscountedUsage' THEN {listed}
            WHEN 'SavingsPlanNegation' THEN 0 ELSE {cash} END""",
            "BillingCurrency": text(CUR.needed["currency"]),
            "ChargeCategory": f"""CASE WHEN {IS_USAGE} THEN 'Usage' WHEN {IS_PURCHASE} THEN 'Purchase'
            WHEN {KIND} IN ('Tax', 'Credit') THEN {KIND} ELSE 'Adjustment' END""",
            "ChargeClass": f"CASE WHEN {KIND} IN ('Refund', 'Credit') AND {starts} < {bill_starts} THEN 'Correction' END",
            "ChargeFrequency": f"""CASE WHEN {IS_USAGE} OR {IS_TAKEN_OFF} THEN 'Usage-Based'
            WHEN {KIND} IN ('RIFee', 'SavingsPlanRecurringFee') THEN 'Recurring' ELSE 'One-Time' END""",
            "PricingCategory": f"""CASE WHEN {KIND} IN ('DiscountedUsage', 'SavingsPlanCoveredUsage', 'SavingsPlanNegation')
            THEN 'Committed' WHEN {KIND} = 'Usage' AND {USAGE_TYPE} LIKE '%SpotUsage%' THEN 'Dynamic'
            WHEN {IS_USAGE} OR {IS_PURCHASE} THEN 'Standard' END""",
            "PricingQuantity": f"CASE WHEN {IS_USAGE} OR {IS_PURCHASE} THEN {amount} END",
            "PricingUnit": f"CASE WHEN {IS_USAGE} OR {IS_PURCHASE} THEN {unit} END",
            "ConsumedQuantity": f"CASE WHEN {IS_USAGE} THEN {amount} END",
            "ConsumedUnit": f"CASE WHEN {IS_USAGE} THEN {unit} END",
            "ListUnitPrice": f"CASE WHEN {IS_USAGE} THEN {list_price} WHEN {IS_PURCHASE} THEN {own_price} END",
            "ContractedUnitPrice": f"""CASE WHEN {KIND} = 'DiscountedUsage' THEN {list_price}
            WHEN {IS_USAGE} OR {IS_PURCHASE} THEN {own_price} END""",
            "ProviderName": "'AWS'",
            "ResourceType": f"""CASE WHEN {resource} LIKE 'i-%' THEN 'instance' ELSE
            nullif(regexp_extract({resource}, '^arn:[^:]*:[^:]*:[^:]*:[^:]*:([^:/]+)[:/]', 1), '') END""",
            "ServiceCategory": product if "product" in have else "NULL",
            "ServiceName": text(CUR.needed["service"]),
            "SkuId": sku,
            "SkuMeter": f"CASE WHEN {sku} IS NOT NULL THEN nullif({USAGE_TYPE}, '') END",
            "SkuPriceId": f"CASE WHEN {KIND} <> 'Tax' THEN {text(NEEDED['SkuPriceId'])} END",
            "Tags": json_object(tags),
            "x_Lane": tag(tags, "crossover:lane"),
        }
    )


def text(column: str) -> str:
    return f"nullif(CAST({quoted(column)} AS VARCHAR), '')"
