"""What the fleet asks of AWS about its autoscaling group, and tells it; answered over boto3. Every call blocks."""

from __future__ import annotations

import base64
import http.client
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from infra.errors import KitError
from infra.lab.live.instances.bundles import Client

LIVING = ("pending", "running")
"""States of an instance whose machine is there (Amazon EC2 User Guide, "Amazon EC2 instance state changes")."""

log = logging.getLogger("crossover.lab")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """An instance as EC2 and its group describe it; `lifecycle_state` is `None` where it is in no group (any more). `ends_at`
    (lab seconds since 1970) is when EC2 takes it away, `None` where it has no such plan."""

    instance_id: str
    state: str
    lifecycle_state: str | None
    private_ip: str
    instance_type: str
    zone: str
    spot: bool
    ends_at: float | None = None


class Group(Protocol):
    """One autoscaling group."""

    @property
    def name(self) -> str: ...

    def look(self) -> Mapping[str, Launched]:
        """Instances whose machines are there, by id; others of the account's may be among them, in no group."""
        ...

    def user_data(self, instance_id: str) -> str:
        """The program that the instance was launched with."""
        ...

    def tell_running(self, instance_id: str) -> None:
        """Its machine has started."""
        ...

    def tell_terminated(self, instance_id: str) -> None:
        """Its machine is gone, and EC2 has noticed."""
        ...

    def reclaim(self, instance_ids: Sequence[str], notice_s: float) -> None:
        """EC2 will take these spot instances away in so many lab seconds. Raises `KitError` where it cannot."""
        ...

    def publish_cpu(self, percents: Sequence[float]) -> None:
        """`AWS/EC2 CPUUtilization`, one value of each instance in the last minute."""
        ...


class AwsGroup:
    """`Group` in the local AWS at `url`."""

    def __init__(self, name: str, client: Client, url: str) -> None:
        self.name = name
        self._client = client
        self._url = url

    def look(self) -> Mapping[str, Launched]:
        groups = self._client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])[
            "AutoScalingGroups"
        ]
        states = {each["InstanceId"]: each["LifecycleState"] for group in groups for each in group["Instances"]}
        ends = self._ends()
        living = {"Name": "instance-state-name", "Values": list(LIVING)}
        pages = self._client("ec2").get_paginator("describe_instances").paginate(Filters=[living])
        return {
            each["InstanceId"]: Launched(
                instance_id=each["InstanceId"],
                state=each["State"]["Name"],
                lifecycle_state=states.get(each["InstanceId"]),
                private_ip=each["PrivateIpAddress"],
                instance_type=each["InstanceType"],
                zone=each["Placement"]["AvailabilityZone"],
                spot=each.get("InstanceLifecycle") == "spot",
                ends_at=ends.get(each["InstanceId"]),
            )
            for page in pages
            for reservation in page["Reservations"]
            for each in reservation["Instances"]
        }

    def user_data(self, instance_id: str) -> str:
        told = self._client("ec2").describe_instance_attribute(InstanceId=instance_id, Attribute="userData")
        return base64.b64decode(told["UserData"].get("Value", "")).decode()

    def tell_running(self, instance_id: str) -> None:
        """A local AWS that is not live has no such page, and its instances run at once."""
        status, told = self._page("PUT", "instances", {instance_id: "running"})
        if status != 200:
            log.info("the local AWS does not take word that %s runs: %s", instance_id, told.get("error", status))

    def tell_terminated(self, instance_id: str) -> None:
        self._client("ec2").terminate_instances(InstanceIds=[instance_id])

    def reclaim(self, instance_ids: Sequence[str], notice_s: float) -> None:
        status, told = self._page("POST", "spot-interruption", {"instance-ids": list(instance_ids), "notice-s": notice_s})
        if status != 200:
            raise KitError(f"the local AWS does not reclaim {', '.join(instance_ids)}: {told.get('error', status)}")

    def _ends(self) -> dict[str, float]:
        status, told = self._page("GET", "spot-interruption")
        return {each: datetime.fromisoformat(its["time"]).timestamp() for each, its in told.items()} if status == 200 else {}

    def _page(self, method: str, name: str, body: object = None) -> tuple[int, dict[str, Any]]:
        """One of the local AWS's own pages (`infra.lab.aws.lab_pages`): status and JSON, empty where there is none."""
        parts = urlsplit(self._url)
        connection = http.client.HTTPConnection(parts.hostname or "localhost", parts.port, timeout=5)
        try:
            connection.request(method, f"/_lab/{name}", None if body is None else json.dumps(body))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        its_own = answer.headers.get_content_type() == "application/json"
        return answer.status, json.loads(content) if its_own else {}

    def publish_cpu(self, percents: Sequence[float]) -> None:
        """A value each, under the group's name alone: as many samples as instances, as AWS aggregates them."""
        dimensions = [{"Name": "AutoScalingGroupName", "Value": self.name}]
        figures = [
            {"MetricName": "CPUUtilization", "Unit": "Percent", "Value": percent, "Dimensions": dimensions}
            for percent in percents
        ]
        self._client("cloudwatch").put_metric_data(Namespace="AWS/EC2", MetricData=figures)
