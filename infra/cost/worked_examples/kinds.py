"""Every kind of worked example and how it is priced."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from infra.cost.lines.line import LineItem
from infra.cost.prices.book import PriceBook
from infra.cost.worked_examples import functions, machines, network
from infra.cost.worked_examples.inputs import Inputs
from infra.cost.worked_examples.usages import USES, pricer

Pricer = Callable[[PriceBook, Inputs], list[LineItem]]


def _lambda_and_fargate(book: PriceBook, inputs: Inputs) -> list[LineItem]:
    """The Lambda side; the other stands in `fargate`, an example of its own."""
    machines.fargate(book, inputs.inner("fargate"))
    return functions.on_demand(book, inputs)


KINDS: Mapping[str, Pricer] = {
    "lambda": functions.on_demand,
    "lambda+pc": functions.provisioned,
    "lambda+snapstart": functions.snap_start,
    "lambda+stream": functions.streaming,
    "lambda-edge": functions.edge,
    "lambda-mi": functions.managed,
    "lambda-vs-fargate": _lambda_and_fargate,
    "alb": network.application_load_balancer,
    "app-runner": machines.app_runner,
    "dto": network.data_transfer,
    "ebs": machines.volumes,
    "ec2": machines.instances,
    "fargate": machines.fargate,
    "ipv4": network.public_ipv4,
    "nat": network.nat_gateway,
    **{kind: pricer(kind) for kind in USES},
}
ALIASES = {
    "api-gateway-http": "apigw-http",
    "api-gateway-rest": "apigw-rest",
    "cloudwatch-logs": "cloudwatch",
    "data-transfer": "dto",
    "elasticache-node": "elasticache",
    "lambda-provisioned": "lambda+pc",
    "lambda-snapstart": "lambda+snapstart",
    "lambda-streaming": "lambda+stream",
    "nat-gateway": "nat",
    "public-ipv4": "ipv4",
    "secretsmanager": "secrets",
    "sfn": "step-functions",
}
"""Other names under which publications sort theirs."""


def kind_of(name: object) -> str | None:
    """The kind that a name means; None where there is none."""
    known = ALIASES.get(str(name), str(name))
    return known if known in KINDS else None
