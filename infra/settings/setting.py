"""One setting of a stage: its default, what it means, and how a wrong value is told."""

from __future__ import annotations

import dataclasses
from typing import Any

Checks = tuple[tuple[bool, str], ...]
"""What must be true, and the reason that is said where it is not."""


def setting(default: Any, about: str) -> Any:
    """A dataclass field; `about` is what docs/settings.md and `crossover settings` say of it, in one sentence."""
    return dataclasses.field(default=default, metadata={"about": about})


def one_of(values: tuple[object, ...]) -> str:
    return ", ".join(str(value) for value in values[:-1]) + f" or {values[-1]}"
