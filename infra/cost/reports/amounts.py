"""Dollars in Markdown, the same in a report and in a comparison of two."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")


def usd(value: Decimal | None) -> str:
    """Dollars and cents; nothing where there is no amount."""
    if value is None:
        return ""
    cents = value.quantize(CENT, rounding=ROUND_HALF_EVEN)
    return f"{'-' if cents < 0 else ''}${abs(cents):,.2f}"


def signed(value: Decimal) -> str:
    """A change, with its sign."""
    cents = value.quantize(CENT, rounding=ROUND_HALF_EVEN)
    return f"{'-' if cents < 0 else '+'}${abs(cents):,.2f}"


def cell(text: str) -> str:
    """Text for a cell of a Markdown table: one line, no bar that would end it, no markup."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
