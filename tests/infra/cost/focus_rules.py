"""FOCUS 1.2's columns, types and allowed values, to which the rows of estimates and of bills are held alike."""

from __future__ import annotations

import re
from collections.abc import Mapping

# The columns that a Cost and Usage dataset must have: type, whether null is allowed, allowed values.
MANDATORY: Mapping[str, tuple[str, bool, frozenset[str] | None]] = {
    "BilledCost": ("decimal", False, None),
    "EffectiveCost": ("decimal", False, None),
    "ListCost": ("decimal", False, None),
    "ContractedCost": ("decimal", False, None),
    "BillingAccountId": ("string", False, None),
    "BillingAccountName": ("string", True, None),
    "BillingCurrency": ("string", False, frozenset({"USD"})),
    "BillingPeriodStart": ("time", False, None),
    "BillingPeriodEnd": ("time", False, None),
    "ChargePeriodStart": ("time", False, None),
    "ChargePeriodEnd": ("time", False, None),
    "ChargeCategory": ("string", False, frozenset({"Usage", "Purchase", "Tax", "Credit", "Adjustment"})),
    "ChargeClass": ("string", True, frozenset({"Correction"})),
    "ChargeDescription": ("string", True, None),
    "PricingQuantity": ("decimal", True, None),
    "PricingUnit": ("string", True, None),
    "ProviderName": ("string", False, None),
    "PublisherName": ("string", False, None),
    "InvoiceIssuerName": ("string", False, None),
    "ServiceCategory": (
        "string",
        False,
        frozenset(
            {
                *("AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools"),
                *("Multicloud", "Identity", "Integration", "Internet of Things", "Management and Governance", "Media"),
                *("Migration", "Mobile", "Networking", "Security", "Storage", "Web", "Other"),
            }
        ),
    ),
    "ServiceName": ("string", False, None),
}
SUBCATEGORIES = {
    "Compute": {"Containers", "End User Computing", "Quantum Compute", "Serverless Compute", "Virtual Machines"},
    "Databases": {"Caching", "Data Warehouses", "Ledger Databases", "NoSQL Databases", "Relational Databases"},
    "Integration": {"API Management", "Messaging", "Workflow Orchestration"},
    "Management and Governance": {"Architecture", "Compliance", "Cost Management", "Observability", "Support"},
    "Networking": {
        "Application Networking",
        "Content Delivery",
        "Network Connectivity",
        "Network Infrastructure",
        "Network Routing",
        "Network Security",
    },
    "Security": {"Secret Management", "Security Posture Management", "Threat Detection and Response"},
    "Storage": {"Backup Storage", "Block Storage", "File Storage", "Object Storage", "Storage Platform"},
}
OTHERS = {
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "PricingCategory": {"Standard", "Dynamic", "Committed", "Other"},
}


def check_row(row: Mapping[str, str]) -> None:
    """Every mandatory column with its type and allowed values, and what 1.2 ties to the category of the charge."""
    for column, (kind, nullable, allowed) in MANDATORY.items():
        value = row[column]
        if value == "":
            assert nullable, column
            continue
        if kind == "decimal":
            assert re.fullmatch(r"-?\d+(\.\d+)?", value), column
        if kind == "time":
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value), column
        assert allowed is None or value in allowed, (column, value)
    for column, values in OTHERS.items():
        assert row[column] in values | {""}, column
    charged = row["ChargeCategory"] in ("Usage", "Purchase")
    for column in ("PricingCategory", "PricingQuantity", "PricingUnit", "ListUnitPrice", "ContractedUnitPrice"):
        assert not charged or row[column], column
        assert row["ChargeCategory"] != "Tax" or not row[column], column
    assert bool(row["ConsumedQuantity"]) == bool(row["ConsumedUnit"]) == (row["ChargeCategory"] == "Usage")
    assert (row["ChargeCategory"], row["ChargeFrequency"]) != ("Purchase", "Usage-Based")
