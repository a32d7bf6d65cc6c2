"""The kit's own commands call nothing of AWS that the people who run them may not."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from infra.overrides import override
from infra.policies.document import Statement
from infra.policies.finance import finance_statements
from infra.policies.people import operator_statements
from tests.conftest import ROOT

STAGE = override({"stage": "prod", "switch.scheduled": "true", "switch.notify": "slack:secret:crossover/slack"})
# boto3's client of each service that the commands use, and the prefix of its permissions.
SERVICES = {
    "autoscaling": "autoscaling",
    "ce": "ce",
    "cloudformation": "cloudformation",
    "cloudwatch": "cloudwatch",
    "dynamodb": "dynamodb",
    "ec2": "ec2",
    "elbv2": "elasticloadbalancing",
    "lambda": "lambda",
    "logs": "logs",
    "pricing": "pricing",
    "savingsplans": "savingsplans",
    "scheduler": "scheduler",
    "secretsmanager": "secretsmanager",
    "service-quotas": "servicequotas",
    "ssm": "ssm",
}
OF_THE_REPORT = {"get_template", "put_metric_data"}
"""Jinja's, with which the report is written, and the line of it that prices such requests."""


@cache
def operations() -> Mapping[str, frozenset[str]]:
    """Python's name of an operation -> the permissions that it may take, of every service that has one of that name."""
    session = botocore.session.get_session()
    found: dict[str, set[str]] = {}
    for service, prefix in SERVICES.items():
        for name in session.get_service_model(service).operation_names:
            found.setdefault(xform_name(name), set()).add(f"{prefix}:{name}")
    return {name: frozenset(actions) for name, actions in found.items()}


def called(source: str) -> set[str]:
    """Names of operations that a module calls, or asks a paginator or a waiter for."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names.add(node.func.attr)
            if node.func.attr in ("get_paginator", "get_waiter") and isinstance(node.args[0], ast.Constant):
                names.add(str(node.args[0].value))
    return names & operations().keys()


def refused(sources: list[Path], statements: tuple[Statement, ...], other: frozenset[str] = frozenset()) -> dict[str, str]:
    granted = {action for each in statements for action in each.actions}
    return {
        f"{path.relative_to(ROOT)}: {name}": " or ".join(sorted(operations()[name]))
        for path in sources
        for name in sorted(called(path.read_text()) - other)
        if not operations()[name] & granted
    }


def test_what_moves_traffic_is_granted_to_the_operator() -> None:
    assert refused(sorted((ROOT / "infra" / "switching").rglob("*.py")), operator_statements(STAGE)) == {}


def test_what_prices_is_granted_to_finance() -> None:
    sources = [*sorted((ROOT / "infra" / "cost").rglob("*.py")), ROOT / "infra" / "commands" / "prices.py"]
    assert refused(sources, finance_statements(STAGE), frozenset(OF_THE_REPORT)) == {}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('aws.client("elbv2").modify_rule(RuleArn=arn)', {"modify_rule"}),
        ('pages = ec2.get_paginator("describe_spot_price_history").paginate()', {"describe_spot_price_history"}),
        ("values.update(a); path.read_text()", set()),
    ],
)
def test_calls_are_seen(source: str, names: set[str]) -> None:
    assert called(source) == names


def test_a_call_that_nobody_granted_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "balancer.py").write_text("client.delete_load_balancer(LoadBalancerArn=arn)")
    monkeypatch.setattr("tests.infra.policies.test_calls.ROOT", tmp_path)
    assert refused([tmp_path / "balancer.py"], operator_statements(STAGE)) == {
        "balancer.py: delete_load_balancer": "elasticloadbalancing:DeleteLoadBalancer"
    }
