"""IAM's own evaluation, as far as our policies need it: allowing statements, wildcards, string and ARN conditions.

"Policy evaluation logic" and "IAM JSON policy elements" of the IAM User Guide: actions without regard to case, resources with
it, `*` and `?` across any characters, every operator and every key of a condition, any value of a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from infra.policies.document import Policy, Statement


def allowed(policies: Iterable[Policy | Statement], action: str, resource: str = "*", **context: str) -> bool:
    """`context` has `__` for `:` and `___` for `/` in the keys of conditions: `aws__ResourceTag___crossover__stage="prod"`."""
    keys = {key.replace("___", "/").replace("__", ":"): value for key, value in context.items()}
    statements = [each for policy in policies for each in (policy.statements if isinstance(policy, Policy) else (policy,))]
    return any(_applies(each.as_dict(), action, resource, keys) for each in statements)


def _applies(statement: Mapping[str, Any], action: str, resource: str, keys: Mapping[str, str]) -> bool:
    return (
        statement["Effect"] == "Allow"
        and any(_matches(pattern.lower(), action.lower()) for pattern in statement["Action"])
        and any(_matches(pattern, resource) for pattern in statement["Resource"])
        and all(
            key in keys and any(_holds(operator, pattern, keys[key]) for pattern in _list(patterns))
            for operator, conditions in statement.get("Condition", {}).items()
            for key, patterns in conditions.items()
        )
    )


def _holds(operator: str, pattern: str, value: str) -> bool:
    if operator == "StringEquals":
        return pattern == value
    assert operator in ("ArnEquals", "ArnLike"), operator  # the same in IAM
    return _matches(pattern, value)


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _matches(pattern: str, text: str) -> bool:
    wild = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(wild, text, re.DOTALL) is not None
