"""A local AWS for a test module, without the CDK CLI: its pages, a network, and waiting until it says what is expected."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from infra.lab.aws.local_aws import LocalAws
from tests.conftest import ROOT, absent, require_program

REGION = "us-east-1"


@contextmanager
def local_aws(*, live: bool, speed: float) -> Iterator[LocalAws]:
    require_program("node")
    if not (ROOT / "node_modules" / ".bin" / "cdk").exists():
        absent("the CDK CLI is not installed (npm ci)")
    with LocalAws(REGION, live=live, speed=speed) as aws:
        yield aws


def page(aws: LocalAws, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and JSON of one of the lab's pages."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{aws.url}/_lab/{path}", data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def network(aws: LocalAws, zones: str = "ab") -> tuple[str, list[str]]:
    """A VPC and its subnets, one a zone."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.40.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]
        for number, zone in enumerate(zones)
    ]
    return vpc, subnets


def until(what: Callable[[], Any], within_s: float = 10.0) -> Any:
    """The first true answer."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError(f"still {what()!r} after {within_s} s")
