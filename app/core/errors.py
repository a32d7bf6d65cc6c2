"""Every error of the service, drawn as a tree:

CrossoverError
├── ConfigurationError        a user's file or setting is wrong: one clear line, never a traceback
├── AllSuppliersFailed        nobody answered (carries the outcomes)
└── SupplierError             one supplier failed one search; becomes its outcome, never fails the search
    ├── SupplierTimeout       no answer in time
    ├── SupplierUnavailable   refused, 5xx, connection broken, redirected elsewhere
    │   └── SupplierThrottled it asked for fewer calls
    ├── SupplierMalformed     answered something that is not what its format promises
    ├── SupplierSkipped       cannot express this search: not asked
    └── SupplierHeldBack      not asked, to protect it or us: its circuit is open, too many calls, it asked us to wait
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.core.models import SupplierOutcome


class CrossoverError(Exception):
    """Base of every error the service raises on purpose."""


class ConfigurationError(CrossoverError):
    """A setting or a file is wrong. The message names where, what, and what would be right."""


class AllSuppliersFailed(CrossoverError):
    """Every supplier that was asked failed; there is nothing to show."""

    def __init__(self, outcomes: tuple[SupplierOutcome, ...]) -> None:
        skipped = sum(outcome.status == "skipped" for outcome in outcomes)
        among = f" ({skipped} more cannot express this search)" if skipped else ""
        super().__init__(f"none of the {len(outcomes) - skipped} suppliers asked answered{among}")
        self.outcomes = outcomes


class SupplierError(CrossoverError):
    """One supplier failed one search."""


class SupplierTimeout(SupplierError):
    pass


class SupplierUnavailable(SupplierError):
    pass


class SupplierThrottled(SupplierUnavailable):
    pass


class SupplierMalformed(SupplierError):
    pass


class SupplierSkipped(SupplierError):
    pass


class SupplierHeldBack(SupplierError):
    pass
