"""How money and quantities are computed: as decimals, of so many digits that no product of the engine is rounded."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context

EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
