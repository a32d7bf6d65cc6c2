"""IAM policy documents: statements, and their packing into as many managed policies as IAM's size limit asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from infra.errors import KitError

MOST_CHARACTERS = 6_144
"""Of a customer-managed policy, white space not counted (IAM and STS quotas, IAM User Guide)."""
MOST_POLICIES = 10
"""Managed policies that a role, user or group takes, unless the account has a higher quota (same source)."""
VERSION = "2012-10-17"


@dataclass(frozen=True, slots=True)
class Statement:
    """Allows `actions` on `resources`; `sid` says what for, in letters and digits."""

    sid: str
    actions: Sequence[str]
    resources: Sequence[str]
    condition: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        stated: dict[str, Any] = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": sorted(set(self.actions)),
            "Resource": sorted(set(self.resources)),
        }
        return {**stated, "Condition": self.condition} if self.condition else stated


@dataclass(frozen=True, slots=True)
class Policy:
    """One managed policy: its name in IAM and its document."""

    name: str
    statements: tuple[Statement, ...]

    @property
    def document(self) -> dict[str, Any]:
        return {"Version": VERSION, "Statement": [each.as_dict() for each in self.statements]}

    @property
    def characters(self) -> int:
        return len(json.dumps(self.document, separators=(",", ":")))


def pack(name: str, statements: Sequence[Statement], limit: int = MOST_CHARACTERS) -> tuple[Policy, ...]:
    """`statements` in their order in as few policies as hold them, named `name` or `name-1`, `name-2`, …"""
    packed: list[list[Statement]] = [[]]
    for statement in _small_enough(statements, limit):
        if packed[-1] and Policy(name, (*packed[-1], statement)).characters > limit:
            packed.append([])
        packed[-1].append(statement)
    if len(packed) > MOST_POLICIES:
        raise KitError(f"{name}: takes {len(packed)} managed policies, of which IAM lets a role have {MOST_POLICIES}")
    if len(packed) == 1:
        return (Policy(name, tuple(packed[0])),)
    return tuple(Policy(f"{name}-{number}", tuple(each)) for number, each in enumerate(packed, start=1))


def _small_enough(statements: Sequence[Statement], limit: int) -> Iterator[Statement]:
    """Statements that are too large by themselves, halved until they are not."""
    for statement in statements:
        if Policy("", (statement,)).characters <= limit:
            yield statement
            continue
        actions = sorted(set(statement.actions))
        if len(actions) < 2:
            raise KitError(f"{statement.sid}: its resources alone are over {limit} characters")
        half = len(actions) // 2
        parts = (("A", actions[:half]), ("B", actions[half:]))
        yield from _small_enough([replace(statement, sid=statement.sid + end, actions=part) for end, part in parts], limit)
