"""Exchange rates: dated, exact, and an unknown currency is an error."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from app.core.errors import ConfigurationError
from app.suppliers.rates import load_rates


def test_the_shipped_rates_are_dated_and_named() -> None:
    rates = load_rates()
    assert rates.as_of.year >= 2026
    assert "European Central Bank" in rates.source
    assert {"USD", "EUR", "GBP", "JPY"} <= rates.currencies


def test_cross_rates_go_through_the_base_and_back() -> None:
    rates = load_rates()
    assert rates.rate("EUR", "USD") == rates.rates["USD"]
    assert rates.rate("USD", "USD") == 1
    assert abs(rates.rate("USD", "GBP") * rates.rate("GBP", "USD") - 1) < Decimal("1e-20")


def test_an_unknown_currency_is_a_key_error_naming_it() -> None:
    with pytest.raises(KeyError, match="XTS"):
        load_rates().rate("XTS", "EUR")


@pytest.mark.parametrize(
    ("rate", "message"), [('"0"', "USD must be above 0"), ('"abc"', r"\$\.rates"), ('"NaN"', "USD must be")]
)
def test_wrong_rates_are_refused(tmp_path: Path, rate: str, message: str) -> None:
    path = tmp_path / "rates.json"
    path.write_text('{"as_of": "2026-01-01", "source": "x", "base": "EUR", "rates": {"EUR": "1", "USD": ' + rate + "}}")
    with pytest.raises(ConfigurationError, match=message):
        load_rates(path)
