"""Every kind of worked example and how it is priced."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from infra.cost.lines.line import LineItem
from infra.cost.prices import PriceBook
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
