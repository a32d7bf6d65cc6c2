"""Every kind of worked example and how it is priced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from infra.cost.lines.line import LineItem
from infra.cost.prices.book import PriceBook
from infra.cost.worked_examples import functions, machines, network
from infra.cost.worked_examples.inputs import Inputs
from infra.cost.worked_examples.spelling import canonical
from infra.cost.worked_examples.usages import USES, pricer

Pricer = Callable[[PriceBook, Inputs], list[LineItem]]


def _lambda_and(other: str, price: Pricer) -> Pricer:
    """The Lambda side of a comparison; the other stands in a table, an example of its own."""

    def lambda_side(book: PriceBook, inputs: Inputs) -> list[LineItem]:
        price(book, inputs.inner(other))
        return functions.on_demand(book, inputs)

    return lambda_side


KINDS: Mapping[str, Pricer] = {
    "lambda": functions.on_demand,
    "lambda+pc": functions.provisioned,
    "lambda+snapstart": functions.snap_start,
    "lambda+stream": functions.streaming,
    "lambda-edge": functions.edge,
    "lambda-mi": functions.managed,
    "lambda-vs-ec2": _lambda_and("ec2", machines.instances),
    "lambda-vs-fargate": _lambda_and("fargate", machines.fargate),
    "alb": network.application_load_balancer,
    "app-runner": machines.app_runner,
    "dto": network.data_transfer,
    "inter-az": network.between_zones,
    "ebs": machines.volumes,
    "ec2": machines.instances,
    "ec2-spot": partial(machines.instances, spot=True),
    "fargate": machines.fargate,
    "fargate-spot": partial(machines.fargate, spot=True),
    "ipv4": network.public_ipv4,
    "nat": network.nat_gateway,
    **{kind: pricer(kind) for kind in USES},
}
ALIASES = {
    "alb": ("application-load-balancer", "elb", "load-balancer"),
    "apigw-http": ("api-gateway-http", "apigateway-http", "http-api"),
    "apigw-rest": ("api-gateway-rest", "apigateway-rest", "rest-api"),
    "cloudwatch": ("cloudwatch-alarms", "cloudwatch-dashboards", "cloudwatch-logs", "cloudwatch-metrics"),
    "dto": ("data-transfer", "data-transfer-out", "egress"),
    "dynamodb": ("dynamodb-on-demand", "dynamodb-provisioned"),
    "ec2": ("ec2-on-demand", "ec2-reserved", "ec2-savings-plan"),
    "elasticache": ("elasticache-node", "elasticache-nodes"),
    "inter-az": ("cross-az", "inter-zone"),
    "ipv4": ("public-ipv4",),
    "lambda": ("lambda-arm", "lambda-ephemeral", "lambda-free-tier", "lambda-on-demand"),
    "lambda+pc": ("lambda-pc", "lambda-provisioned", "lambda-provisioned-concurrency"),
    "lambda+snapstart": ("lambda-snapstart", "lambda-snap-start"),
    "lambda+stream": ("lambda-response-streaming", "lambda-stream", "lambda-streaming"),
    "lambda-mi": ("lambda-managed-instances", "lmi"),
    "nat": ("nat-gateway",),
    "secrets": ("secrets-manager", "secretsmanager"),
    "ssm": ("parameter-store", "ssm-parameter", "ssm-parameter-store"),
    "step-functions": ("sfn",),
}
"""Other names under which publications sort theirs, by what they mean here."""
NAMES = {other: kind for kind, others in ALIASES.items() for other in others} | {kind.replace("+", "-"): kind for kind in KINDS}


def kind_of(name: object) -> str | None:
    """The kind that a name means; None where there is none."""
    return NAMES.get(canonical(str(name)).replace("_", "-"))
