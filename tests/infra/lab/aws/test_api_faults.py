"""Faults of the API reach botocore, and the switch, as AWS's own would."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from infra.errors import KitError
from infra.switching.aws.calls import asked
from infra.switching.ports import Unreachable
from tests.infra.lab.fast_lab import FastLab

pytestmark = pytest.mark.slow

Calling = Callable[[Any], Any]
# A call of each service that the switch uses, with the protocol it speaks.
CALLS: dict[str, tuple[str, Calling]] = {
    "elbv2": ("elasticloadbalancing:DescribeLoadBalancers", lambda client: client.describe_load_balancers()),
    "autoscaling": ("autoscaling:DescribeAutoScalingGroups", lambda client: client.describe_auto_scaling_groups()),
    "ssm": ("ssm:DescribeParameters", lambda client: client.describe_parameters()),
    "dynamodb": ("dynamodb:ListTables", lambda client: client.list_tables()),
    "cloudwatch": ("cloudwatch:ListMetrics", lambda client: client.list_metrics(Namespace="none")),
    "lambda": ("lambda:ListFunctions", lambda client: client.list_functions()),
    "ec2": ("ec2:DescribeVpcs", lambda client: client.describe_vpcs()),
    "scheduler": ("scheduler:ListSchedules", lambda client: client.list_schedules()),
    "cloudformation": ("cloudformation:DescribeStacks", lambda client: client.describe_stacks()),
    "s3": ("s3:ListBuckets", lambda client: client.list_buckets()),
}
THROTTLED = {
    "elbv2": (400, "Throttling"),
    "autoscaling": (400, "Throttling"),
    "ssm": (400, "ThrottlingException"),
    "dynamodb": (400, "ThrottlingException"),
    "cloudwatch": (400, "Throttling"),
    "lambda": (429, "TooManyRequestsException"),
    "ec2": (503, "RequestLimitExceeded"),
    "scheduler": (429, "ThrottlingException"),
    "cloudformation": (400, "Throttling"),
    "s3": (503, "SlowDown"),
}


class Faulty:
    """Faults for calls with a key of its own."""

    def __init__(self, lab: FastLab) -> None:
        self.lab, self.key = lab, f"key{uuid4().hex}"

    def add(self, action: str, kind: str, **more: Any) -> int:
        fault = self.lab.page("POST", "/_lab/faults", {"action": action, "kind": kind, "key": self.key, **more})
        return int(fault["id"])

    def struck(self, id: int) -> int:
        (fault,) = [each for each in self.lab.page("GET", "/_lab/faults")["faults"] if each["id"] == id]
        return int(fault["struck"])

    def client(self, service: str, **more: Any) -> Any:
        return self.lab.client(service, key=self.key, **more)


@pytest.fixture
def faulty(fast_lab: FastLab) -> Iterator[Faulty]:
    yield Faulty(fast_lab)
    fast_lab.page("DELETE", "/_lab/faults")


@pytest.mark.parametrize("service", CALLS)
def test_a_call_that_is_throttled_or_fails_is_worth_asking_again(faulty: Faulty, service: str) -> None:
    action, call = CALLS[service]
    id = faulty.add(action, "throttle", times=2)
    client = faulty.client(service)
    with pytest.raises(ClientError) as raised:
        call(client)
    status = raised.value.response["ResponseMetadata"]["HTTPStatusCode"]
    assert (status, raised.value.response["Error"]["Code"]) == THROTTLED[service]
    with pytest.raises(Unreachable), asked(service):
        call(client)
    call(client)
    assert faulty.struck(id) == 2
    assert f"fault {id} throttle: {action} with {faulty.key} (2 of 2)" in faulty.lab.aws.log.read_text()
    faulty.add(action.partition(":")[0] + ":*", "error")
    with pytest.raises(ClientError, match="the lab was told to fail this call") as failed:
        call(client)
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    with pytest.raises(Unreachable), asked(service):
        call(client)


@pytest.mark.parametrize("service", ["elbv2", "ssm", "lambda", "cloudwatch"])
def test_any_other_error_can_be_told(faulty: Faulty, service: str) -> None:
    action, call = CALLS[service]
    faulty.add(action, "error", code="ExpiredTokenException", message="The security token included in the request is expired")
    with pytest.raises(KitError, match="the AWS credentials have expired") as raised, asked(service):
        call(faulty.client(service))
    assert not isinstance(raised.value, Unreachable)


@pytest.mark.parametrize("service", ["elbv2", "ssm", "lambda"])
def test_a_refused_call_is_never_answered_nor_carried_out(faulty: Faulty, service: str) -> None:
    _, call = CALLS[service]
    faulty.add("*", "refuse")
    client = faulty.client(service)
    with pytest.raises(ConnectionClosedError):
        call(client)
    with pytest.raises(Unreachable), asked(service):
        call(client)
    call(faulty.lab.client(service))  # everyone else's network is as it was


def test_a_call_may_be_carried_out_and_never_answered(faulty: Faulty) -> None:
    name = f"/{faulty.key}"
    faulty.add("ssm:PutParameter", "after", times=1)
    with pytest.raises(ConnectionClosedError):
        faulty.client("ssm").put_parameter(Name=name, Value="1", Type="String")
    assert faulty.lab.client("ssm").get_parameter(Name=name)["Parameter"]["Value"] == "1"
    assert "ssm:PutParameter was answered 200 OK, which nobody is told" in faulty.lab.aws.log.read_text()


def test_a_client_s_own_retries_are_struck_too(faulty: Faulty) -> None:
    id = faulty.add("ssm:DescribeParameters", "throttle", times=1)
    faulty.client("ssm", attempts=2).describe_parameters()
    assert faulty.struck(id) == 1


def test_a_slow_call_is_answered_late_and_one_that_times_out_never(faulty: Faulty) -> None:
    faulty.add("ssm:*", "slow", delay_s=0.3)
    began = time.monotonic()
    faulty.client("ssm").describe_parameters()
    assert time.monotonic() - began >= 0.3
    faulty.add("dynamodb:*", "timeout")
    with pytest.raises(ReadTimeoutError):
        faulty.client("dynamodb", read_s=0.3).list_tables()
    with pytest.raises(Unreachable), asked("dynamodb"):
        faulty.client("dynamodb", read_s=0.3).list_tables()


def test_taking_a_fault_away_ends_what_waits_in_it(faulty: Faulty) -> None:
    id = faulty.add("ssm:*", "slow", delay_s=60)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(faulty.client("ssm", read_s=10).describe_parameters)
        faulty.lab.until(lambda: faulty.struck(id) == 1, "the call waits")
        assert faulty.lab.page("DELETE", "/_lab/faults", {"id": id}) == {"faults": []}
        assert waiting.result(timeout=5)["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"action": "*", "kind": "break"}, "kind must be one of throttle, error"),
        ({"action": "*"}, "missing required field `kind`"),
        ({"action": "*", "kind": "slow", "delay": 1}, "unknown field `delay`"),
        ({"action": "*", "kind": "slow", "times": 0}, "times must be 1 or more"),
        ({"action": "*", "kind": "throttle", "code": "X"}, "are for the kind error"),
        (["*"], "Expected `object`"),
    ],
)
def test_a_fault_that_is_not_understood_is_one_line(fast_lab: FastLab, told: Any, why: str) -> None:
    assert why in fast_lab.refused("POST", "/_lab/faults", told)


def test_a_fault_that_is_not_there_cannot_be_taken_away(fast_lab: FastLab) -> None:
    assert "no such fault: {'id': 99999}" in fast_lab.refused("DELETE", "/_lab/faults", {"id": 99999})
