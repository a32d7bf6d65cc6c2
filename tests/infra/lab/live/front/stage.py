"""A container lane in the live local AWS, made over boto3 as the stacks make it, with the real bundle in its bucket."""

from __future__ import annotations

import base64
import functools
import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.bundle import Bundle
from infra.components.boot.render import BOOT_HOOK, DRAIN_HOOK, Boot, render_user_data
from infra.lab.aws.local_aws import LocalAws
from infra.lab.live.instances.group import AwsGroup
from tests.conftest import free_port
from tests.infra.lab.aws.live_aws import REGION, network

BUCKET = "assets"
TYPE = "c7g.large"
DRAIN_DELAY_S = 30
"""Lab seconds for which the target group drains, before the group's hook begins."""

HOOKS = [
    {
        "LifecycleHookName": name,
        "LifecycleTransition": f"autoscaling:EC2_INSTANCE_{transition}",
        "HeartbeatTimeout": timeout_s,
        "DefaultResult": otherwise,
    }
    for name, transition, timeout_s, otherwise in (
        (BOOT_HOOK, "LAUNCHING", 3_600, "ABANDON"),  # a busy machine boots slowly, and lab time goes on
        (DRAIN_HOOK, "TERMINATING", 600, "CONTINUE"),
    )
]


class Region:
    """What all stages of a test module share."""

    def __init__(self, aws: LocalAws, bundle: Bundle) -> None:
        self.aws = aws
        self.bundle = bundle
        self.numbers = itertools.count(1)
        self.vpc, (self.subnet,) = network(aws, "a")
        self.client("s3").create_bucket(Bucket=BUCKET)
        self.client("s3").upload_file(str(bundle.zip), BUCKET, "key.zip")

    @functools.cache  # noqa: B019 (it lives as long as its module)
    def client(self, service: str) -> Any:
        return self.aws.client(service)


class Stage:
    """`port` is the deployed one, `name` the group's."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.port = free_port()
        self.name = f"group-{next(region.numbers)}"
        self.group = AwsGroup(self.name, region.client, region.aws.url)
        made = region.client("elbv2").create_target_group(
            Name=self.name, Protocol="HTTP", Port=self.port, VpcId=region.vpc, TargetType="instance"
        )
        self.target_group: str = made["TargetGroups"][0]["TargetGroupArn"]
        attributes = [{"Key": "deregistration_delay.timeout_seconds", "Value": str(DRAIN_DELAY_S)}]
        region.client("elbv2").modify_target_group_attributes(TargetGroupArn=self.target_group, Attributes=attributes)

    def deploy(self, instances: int, *, on_demand: int = 100, secret: Mapping[str, str] | None = None) -> None:
        """The group with so many instances, the given share (percent) of them on demand. `secret` is what they read."""
        boot = self._boot()
        if secret is not None:
            self.region.client("secretsmanager").create_secret(Name=self.name, SecretString=json.dumps(secret))
            boot = replace(boot, environment={**boot.environment, "CROSSOVER_SECRET": self.name})
        user_data = base64.b64encode(render_user_data(boot).encode()).decode()
        image = self.region.client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        data = {"ImageId": image, "InstanceType": TYPE, "UserData": user_data}
        self.region.client("ec2").create_launch_template(LaunchTemplateName=self.name, LaunchTemplateData=data)
        template = {"LaunchTemplateName": self.name, "Version": "$Latest"}
        self.region.client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName=self.name,
            MinSize=0,
            MaxSize=10,
            DesiredCapacity=instances,
            VPCZoneIdentifier=self.region.subnet,
            TargetGroupARNs=[self.target_group],
            LifecycleHookSpecificationList=HOOKS,
            MixedInstancesPolicy={
                "LaunchTemplate": {"LaunchTemplateSpecification": template, "Overrides": [{"InstanceType": TYPE}]},
                "InstancesDistribution": {"OnDemandBaseCapacity": 0, "OnDemandPercentageAboveBaseCapacity": on_demand},
            },
        )

    def _boot(self) -> Boot:
        return Boot(
            bundle_uri=f"s3://{BUCKET}/key.zip",
            sha256=self.region.bundle.sha256,
            python=self.region.bundle.target.python,
            region=REGION,
            stack="crossover-prod-container",
            group="InstanceGroup",
            target_group=self.target_group,
            port=self.port,
            workers_per_vcpu=1,
            environment={
                "CROSSOVER_LANE": "container",
                "CROSSOVER_BUNDLE_SHA256": self.region.bundle.sha256,
                "CROSSOVER_SUPPLIERS_URL": "https://suppliers.example.com",
                "FORWARDED_ALLOW_IPS": "10.40.0.0/16",
            },
        )

    def scale_in(self, instance_id: str) -> None:
        self.region.client("autoscaling").terminate_instance_in_auto_scaling_group(
            InstanceId=instance_id, ShouldDecrementDesiredCapacity=True
        )

    def states(self) -> dict[str, str | None]:
        """Lifecycle states by instance, of those that are there."""
        return {each: told.lifecycle_state for each, told in self.group.look().items() if told.lifecycle_state is not None}

    def targets(self) -> set[str]:
        """Instances that the load balancer sends requests to."""
        told = self.region.client("elbv2").describe_target_health(TargetGroupArn=self.target_group)["TargetHealthDescriptions"]
        return {each["Target"]["Id"] for each in told if each["TargetHealth"]["State"] != "draining"}

    def figures(self, namespace: str, metric: str) -> tuple[int, float]:
        """How many values of the group's metric CloudWatch has, and their sum. Lab time may be hours ahead."""
        now = datetime.now(UTC)
        told = self.region.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": "AutoScalingGroupName", "Value": self.name}],
            StartTime=now - timedelta(hours=12),
            EndTime=now + timedelta(hours=12),
            Period=86_400,
            Statistics=["SampleCount", "Sum"],
        )["Datapoints"]
        return int(sum(each["SampleCount"] for each in told)), sum(each["Sum"] for each in told)


@contextmanager
def stage_of(region: Region) -> Iterator[Stage]:
    stage = Stage(region)
    yield stage
    region.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=stage.name, ForceDelete=True)
