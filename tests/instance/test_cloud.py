"""Requests to AWS: signed with the role's credentials, shaped as moto's parsers and the API references want them."""

from __future__ import annotations

from typing import Any

import boto3
import botocore.session
import pytest
from botocore.endpoint_provider import EndpointProvider

from infra.lab.metadata_service import MetadataService
from instance.cloud import AUTO_SCALING, CLOUDFORMATION, CLOUDWATCH, LOAD_BALANCING, Cloud, Figure
from instance.errors import CloudError, NothingWaits
from tests.conftest import free_port
from tests.instance.doubles import GROUP, INSTANCE, KEYS, NO_ACTION, REGION, TARGET_GROUP, aws
from tests.secret_values.conftest import cloud as moto  # noqa: F401 (a fixture)
from tests.secret_values.doubles import Cloud as Moto
from tests.secret_values.doubles import Told, serving

FIGURES = [Figure("EventLoopBusy", "Percent", 41.25), Figure("SearchesInFlight", "Count", 7)]


def no_pause(_: float) -> None:
    pass


def test_each_request_names_its_service_action_and_parameters() -> None:
    with aws() as double:
        cloud = Cloud(REGION, double.environment())
        cloud.deregister(TARGET_GROUP, INSTANCE)
        cloud.complete("drain", group=GROUP, instance=INSTANCE, result="CONTINUE")
        cloud.signal(stack="s", resource="InstanceGroup", instance=INSTANCE, status="SUCCESS")
        cloud.publish(GROUP, FIGURES)
    assert [(call.service, call.action) for call in double.calls] == [
        ("elasticloadbalancing", "DeregisterTargets"),
        ("autoscaling", "CompleteLifecycleAction"),
        ("cloudformation", "SignalResource"),
        ("monitoring", "PutMetricData"),
    ]
    assert double.calls[1].parameters == {
        "Version": "2011-01-01",
        "LifecycleHookName": "drain",
        "AutoScalingGroupName": GROUP,
        "InstanceId": INSTANCE,
        "LifecycleActionResult": "CONTINUE",
    }
    assert double.calls[2].parameters == {
        "Version": "2010-05-15",
        "StackName": "s",
        "LogicalResourceId": "InstanceGroup",
        "UniqueId": INSTANCE,
        "Status": "SUCCESS",
    }


def test_the_instances_role_signs() -> None:
    with MetadataService(INSTANCE) as metadata, serving(lambda _: Told(200)) as server:
        environment = {"AWS_ENDPOINT_URL": server.url, "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url}
        Cloud(REGION, environment).deregister(TARGET_GROUP, INSTANCE)
    assert "Credential=ASIADOUBLE/" in server.asked[0].headers["authorization"]
    assert server.asked[0].headers["x-amz-security-token"] == "session-token-of-a-double"


def test_a_hook_that_does_not_wait_is_told_from_a_refusal() -> None:
    with aws() as double:
        cloud = Cloud(REGION, double.environment())
        double.refusals["CompleteLifecycleAction"] = NO_ACTION
        with pytest.raises(NothingWaits):
            cloud.complete("drain", group=GROUP, instance=INSTANCE, result="CONTINUE")
        double.refusals["CompleteLifecycleAction"] = ("AccessDenied", "not authorized\nto perform")
        with pytest.raises(CloudError) as refused:
            cloud.complete("drain", group=GROUP, instance=INSTANCE, result="CONTINUE")
    assert not isinstance(refused.value, NothingWaits)
    assert refused.value.code == "AccessDenied"
    assert str(refused.value) == "CompleteLifecycleAction: answered 400 AccessDenied not authorized to perform"


def test_throttling_and_failures_of_a_moment_are_tried_again() -> None:
    throttled = b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
    script = iter([Told(400, throttled), Told(503)])
    with serving(lambda _: next(script, Told(200))) as server:
        Cloud(REGION, {"AWS_ENDPOINT_URL": server.url, **KEYS}, pause=no_pause).publish(GROUP, FIGURES)
        assert len(server.asked) == 3


def test_an_api_out_of_reach_is_one_line() -> None:
    environment = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}", **KEYS}
    with pytest.raises(CloudError, match=r"^DeregisterTargets: the connection was refused$"):
        Cloud(REGION, environment, pause=no_pause).deregister(TARGET_GROUP, INSTANCE)


def client(moto: Moto, service: str) -> Any:  # noqa: F811
    return boto3.client(service, endpoint_url=moto.url, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")


@pytest.mark.slow
def test_moto_reads_the_figures_as_they_were_sent(moto: Moto) -> None:  # noqa: F811
    Cloud(REGION, {"AWS_ENDPOINT_URL": moto.url, **KEYS}).publish(GROUP, FIGURES)
    found = client(moto, "cloudwatch").list_metrics(Namespace="Crossover")["Metrics"]
    assert {metric["MetricName"] for metric in found} == {"EventLoopBusy", "SearchesInFlight"}
    assert [metric["Dimensions"] for metric in found] == [[{"Name": "AutoScalingGroupName", "Value": GROUP}]] * 2


@pytest.mark.slow
def test_moto_takes_the_instance_out_of_its_target_group(moto: Moto) -> None:  # noqa: F811
    ec2, elb = client(moto, "ec2"), client(moto, "elbv2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    image = ec2.describe_images()["Images"][0]["ImageId"]
    instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    group = elb.create_target_group(Name="g", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    Cloud(REGION, {"AWS_ENDPOINT_URL": moto.url, **KEYS}).deregister(group, instance)
    assert elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"] == []


@pytest.mark.parametrize(
    ("region", "environment", "domain"),
    [
        ("eu-west-1", {}, "amazonaws.com"),
        ("cn-north-1", {}, "amazonaws.com.cn"),
        ("eu-west-1", {"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "api.aws"),
        ("cn-north-1", {"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "api.amazonwebservices.com.cn"),
    ],
)
def test_without_an_endpoint_the_regions_own_is_asked(region: str, environment: dict[str, str], domain: str) -> None:
    """As AWS's own SDK for Python forms them."""
    names = {LOAD_BALANCING: "elbv2", AUTO_SCALING: "autoscaling", CLOUDFORMATION: "cloudformation", CLOUDWATCH: "cloudwatch"}
    for service, name in names.items():
        url = Cloud(region, environment)._url(service)
        assert url == f"https://{service.name}.{region}.{domain}/"
        loader = botocore.session.get_session().get_component("data_loader")
        rules = EndpointProvider(loader.load_service_model(name, "endpoint-rule-set-1"), loader.load_data("partitions"))
        theirs = rules.resolve_endpoint(Region=region, UseDualStack=bool(environment), UseFIPS=False).url
        assert url == f"{theirs}/"
