"""Exchange rates: the European Central Bank's reference rates of one day, shipped with their date and source."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import msgspec
from msgspec import Struct

from app.core.errors import ConfigurationError

SHIPPED = Path(__file__).parent / "data" / "exchange_rates.json"


class ReferenceRates(Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """`rates` maps ISO currency -> units of it for one unit of `base`. Implements the core's `ExchangeRates`."""

    as_of: date
    source: str
    base: str
    rates: dict[str, Decimal]

    def rate(self, source: str, target: str) -> Decimal:
        """Units of `target` for one unit of `source`, through the base currency; `KeyError` for an unknown one."""
        return self.rates[target] / self.rates[source]

    @cached_property
    def currencies(self) -> frozenset[str]:
        return frozenset(self.rates)


def load_rates(path: Path = SHIPPED) -> ReferenceRates:
    """Read rates; raises `ConfigurationError` naming the file and what is wrong."""
    try:
        rates = msgspec.json.decode(path.read_bytes(), type=ReferenceRates)
    except OSError as error:
        raise ConfigurationError(f"{path}: exchange rates cannot be read ({error.strerror})") from None
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"{path}: not exchange rates: {error}") from None
    wrong = [currency for currency, rate in rates.rates.items() if not (rate.is_finite() and rate > 0)]
    if wrong:
        raise ConfigurationError(f"{path}: the rate of {wrong[0]} must be above 0")
    return rates
