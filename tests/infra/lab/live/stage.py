"""A container lane in moto, made over boto3 as the stacks would make it, with the real bundle in its bucket; and a double of
the states that moto's groups do not have: instances wait for CompleteLifecycleAction, which moto lacks."""

from __future__ import annotations

import base64
import functools
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto.autoscaling.responses import AutoScalingResponse
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import EmptyResult
from moto.server import ThreadedMotoServer

from infra.bundle import Bundle
from infra.components.boot.render import Boot, render_user_data
from infra.lab.live.group import AwsGroup, Launched
from tests.conftest import free_port

REGION, GROUP, BUCKET = "us-east-1", "prod-group", "assets"


class StatesDouble(AwsGroup):
    """The group as moto has it, with lifecycle states of its own: `Pending:Wait` until the hook `boot` is completed, then
    `InService`; after `scale_in` `Terminating:Wait` until the hook `drain` is. `completed` keeps every completion."""

    def __init__(self, name: str, client: Any, url: str) -> None:
        super().__init__(name, client, url)
        self.states: dict[str, str] = {}
        self.completed: list[tuple[str, str, str]] = []
        self.running: list[str] = []

    def look(self) -> Mapping[str, Launched]:
        return {
            each: replace(told, lifecycle_state=told.lifecycle_state and self.states.setdefault(each, "Pending:Wait"))
            for each, told in super().look().items()
        }

    def tell_running(self, instance_id: str) -> None:
        self.running.append(instance_id)

    def scale_in(self, instance_id: str) -> None:
        self.states[instance_id] = "Terminating:Wait"

    def complete(self, hook: str, instance_id: str, result: str) -> None:
        self.completed.append((hook, instance_id, result))
        if hook == "boot" and result == "CONTINUE":
            self.states[instance_id] = "InService"
        else:
            self._client("autoscaling").terminate_instance_in_auto_scaling_group(
                InstanceId=instance_id, ShouldDecrementDesiredCapacity=True
            )


class Stage:
    def __init__(self, url: str, bundle: Bundle) -> None:
        self.url = url
        self.bundle = bundle
        self.port = free_port()
        self.group = StatesDouble(GROUP, self.client, url)
        self.target_group = ""
        self.signals: list[str] = []
        self.client("s3").create_bucket(Bucket=BUCKET)
        self.client("s3").upload_file(str(bundle.zip), BUCKET, "key.zip")

    @functools.cache  # noqa: B019 (a stage lives as long as its test)
    def client(self, service: str) -> Any:
        return boto3.Session("test", "test", region_name=REGION).client(service, endpoint_url=self.url)

    def user_data(self, **changes: Any) -> str:
        boot = Boot(
            bundle_uri=f"s3://{BUCKET}/key.zip",
            sha256=self.bundle.sha256,
            python=self.bundle.target.python,
            region=REGION,
            stack="crossover-prod-container",
            group="InstanceGroup",
            target_group=self.target_group,
            port=self.port,
            workers_per_vcpu=1,
            environment={
                "CROSSOVER_LANE": "container",
                "CROSSOVER_BUNDLE_SHA256": self.bundle.sha256,
                "CROSSOVER_SUPPLIERS_URL": "https://suppliers.example.com",
                "FORWARDED_ALLOW_IPS": "10.40.0.0/16",
            },
        )
        return render_user_data(replace(boot, **changes))

    def deploy(self, instances: int, **changes: Any) -> None:
        """The group with so many instances; `changes` are of what they are told at boot."""
        ec2, balancing = self.client("ec2"), self.client("elbv2")
        vpc = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.40.1.0/24", AvailabilityZone=f"{REGION}a")["Subnet"]["SubnetId"]
        made = balancing.create_target_group(Name="c", Protocol="HTTP", Port=self.port, VpcId=vpc, TargetType="instance")
        self.target_group = made["TargetGroups"][0]["TargetGroupArn"]
        user_data = base64.b64encode(self.user_data(**changes).encode()).decode()
        image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        ec2.create_launch_template(
            LaunchTemplateName="prod", LaunchTemplateData={"ImageId": image, "InstanceType": "c7g.large", "UserData": user_data}
        )
        self.client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName=GROUP,
            MinSize=0,
            MaxSize=10,
            DesiredCapacity=instances,
            VPCZoneIdentifier=subnet,
            TargetGroupARNs=[self.target_group],
            LaunchTemplate={"LaunchTemplateName": "prod", "Version": "$Latest"},
        )

    def scale_to(self, instances: int) -> None:
        self.client("autoscaling").set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=instances)

    def targets(self) -> set[str]:
        """Instances that are registered in the target group."""
        told = self.client("elbv2").describe_target_health(TargetGroupArn=self.target_group)["TargetHealthDescriptions"]
        return {each["Target"]["Id"] for each in told if each["TargetHealth"]["State"] != "draining"}

    def samples(self, namespace: str, metric: str) -> list[float]:
        """Values of the group's metric in CloudWatch, as moto keeps them."""
        from moto.cloudwatch.models import cloudwatch_backends

        kept = cloudwatch_backends["123456789012"][REGION].metric_data
        wanted = [("AutoScalingGroupName", GROUP)]
        return [
            each.value
            for each in kept
            if (each.namespace, each.name) == (namespace, metric) and [(d.name, d.value) for d in each.dimensions] == wanted
        ]


@contextmanager
def stage_in_moto(bundle: Bundle) -> Iterator[Stage]:
    from moto.moto_api._internal.models import moto_api_backend

    moto_api_backend.reset()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    with pytest.MonkeyPatch.context() as patch:
        server.start()
        try:
            stage = Stage(f"http://localhost:{server.get_host_and_port()[1]}", bundle)

            def complete_lifecycle_action(response: Any) -> EmptyResult:
                asked = ("LifecycleHookName", "InstanceId", "LifecycleActionResult")
                stage.group.complete(*(response._get_param(name) for name in asked))
                return EmptyResult()

            def signal_resource(response: Any) -> EmptyResult:
                stage.signals.append(response._get_param("Status"))
                return EmptyResult()

            patch.setattr(CloudFormationResponse, "signal_resource", signal_resource, raising=False)
            patch.setattr(AutoScalingResponse, "complete_lifecycle_action", complete_lifecycle_action, raising=False)
            yield stage
        finally:
            server.stop()
            moto_api_backend.reset()
