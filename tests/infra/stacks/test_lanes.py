"""What each lane's template promises: the bundle run as measured, least privilege, safe replacement."""

from __future__ import annotations

from typing import Any

import pytest

from infra.components.boot.render import USER_DATA_LIMIT_BYTES
from tests.infra.stacks.conftest import Assembly, Synthesize
from tests.infra.stacks.test_assembly import every_string

pytestmark = pytest.mark.slow  # starts Node


def statements(assembly: Assembly, stack: str) -> list[dict[str, Any]]:
    resources = assembly.template(stack)["Resources"].values()
    documents = [
        policy["PolicyDocument"]
        for body in resources
        if body["Type"] == "AWS::IAM::Role"
        for policy in body["Properties"].get("Policies", [])
    ]
    documents += [body["Properties"]["PolicyDocument"] for body in resources if body["Type"] == "AWS::IAM::Policy"]
    return [statement for document in documents for statement in document["Statement"]]


def template_data(assembly: Assembly) -> dict[str, Any]:
    data: dict[str, Any] = assembly.one("container", "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    return data


@pytest.mark.parametrize("stack", ["lambda", "container"])
def test_roles_name_their_actions_and_resources(default: Assembly, stack: str) -> None:
    found = statements(default, stack)
    assert found
    for statement in found:
        assert statement["Effect"] == "Allow"
        assert not [text for text in every_string([statement["Action"], statement["Resource"]]) if "*" in text]


def test_function_may_only_write_its_own_logs(default: Assembly) -> None:
    (statement,) = statements(default, "lambda")
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    (log_group,) = default.all("lambda", "AWS::Logs::LogGroup")
    assert statement["Resource"] == {"Fn::GetAtt": [log_group, "Arn"]}
    assert "ManagedPolicyArns" not in default.one("lambda", "AWS::IAM::Role")


def test_instances_may_read_the_bundle_and_signal_and_nothing_else(default: Assembly) -> None:
    assert sorted(statement["Action"] for statement in statements(default, "container")) == [
        "cloudformation:SignalResource",
        "s3:GetObject",
    ]
    (reads,) = [found for found in statements(default, "container") if found["Action"] == "s3:GetObject"]
    key = default.one("lambda", "AWS::Lambda::Function")["Code"]["S3Key"]
    assert every_string(reads["Resource"])[-1] == f"/{key}"
    (managed,) = default.one("container", "AWS::IAM::Role")["ManagedPolicyArns"]
    assert every_string(managed)[-1] == ":iam::aws:policy/AmazonSSMManagedInstanceCore"


@pytest.mark.parametrize("stack", ["lambda", "container"])
def test_a_named_secret_may_be_read_by_both_roles_and_no_other_one(secured: Assembly, stack: str) -> None:
    (reads,) = [found for found in statements(secured, stack) if "secretsmanager" in str(found["Action"])]
    assert (reads["Effect"], reads["Action"]) == ("Allow", "secretsmanager:GetSecretValue")
    parts = ["arn:aws:secretsmanager:eu-west-1:", {"Ref": "AWS::AccountId"}, ":secret:prod/suppliers-??????"]
    assert reads["Resource"] == {"Fn::Join": ["", parts]}


@pytest.mark.parametrize("stack", ["lambda", "container"])
def test_a_secrets_arn_is_granted_as_given(synthesize: Synthesize, stack: str) -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/suppliers-AbCdEf"
    (reads,) = [found for found in statements(synthesize(secret=arn), stack) if "secretsmanager" in str(found["Action"])]
    assert reads["Resource"] == arn


def test_the_secrets_name_reaches_both_lanes(secured: Assembly, default: Assembly) -> None:
    variables = secured.one("lambda", "AWS::Lambda::Function")["Environment"]["Variables"]
    assert variables["CROSSOVER_SECRET"] == "prod/suppliers"
    assert "CROSSOVER_SECRET=prod/suppliers" in "".join(every_string(template_data(secured)["UserData"]))
    assert "secret" not in "".join(every_string(template_data(default)["UserData"])).lower()
    assert "CROSSOVER_SECRET" not in default.one("lambda", "AWS::Lambda::Function")["Environment"]["Variables"]


def test_function_runs_the_bundle_as_the_stage_says(default: Assembly) -> None:
    function = default.one("lambda", "AWS::Lambda::Function")
    assert function["Handler"] == "lambda_handler.handler.handler"
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
    assert (function["MemorySize"], function["Timeout"]) == (1769, 10)
    assert "ReservedConcurrentExecutions" not in function
    assert default.one("lambda", "AWS::Logs::LogGroup")["RetentionInDays"] == 14


def test_settings_reach_the_function(secured: Assembly) -> None:
    function = secured.one("lambda", "AWS::Lambda::Function")
    assert (function["Runtime"], function["Architectures"]) == ("python3.12", ["x86_64"])
    assert function["ReservedConcurrentExecutions"] == 40


def test_load_balancer_invokes_the_live_alias_of_a_published_version(default: Assembly) -> None:
    ((alias_name, alias),) = default.all("lambda", "AWS::Lambda::Alias").items()
    ((version_name, version),) = default.all("lambda", "AWS::Lambda::Version").items()
    assert alias["Properties"]["Name"] == "live"
    assert alias["Properties"]["FunctionVersion"] == {"Fn::GetAtt": [version_name, "Version"]}
    assert version["DeletionPolicy"] == "Retain"
    group = default.one("lambda", "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert (group["TargetType"], group["Targets"]) == ("lambda", [{"Id": {"Ref": alias_name}}])
    assert {"Key": "lambda.multi_value_headers.enabled", "Value": "true"} in group["TargetGroupAttributes"]
    assert not group.get("HealthCheckEnabled")


def test_only_this_accounts_target_groups_may_invoke(default: Assembly) -> None:
    permission = default.one("lambda", "AWS::Lambda::Permission")
    assert permission["Principal"] == "elasticloadbalancing.amazonaws.com"
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert ":targetgroup/*" in every_string(permission["SourceArn"])
    (group,) = default.all("lambda", "AWS::ElasticLoadBalancingV2::TargetGroup").values()
    assert group["DependsOn"] == list(default.all("lambda", "AWS::Lambda::Permission"))


def test_a_new_bundle_publishes_a_new_version(default: Assembly, secured: Assembly) -> None:
    assert set(default.all("lambda", "AWS::Lambda::Version")).isdisjoint(secured.all("lambda", "AWS::Lambda::Version"))


def test_instances_require_imdsv2_and_encrypt_their_volume(default: Assembly) -> None:
    data = template_data(default)
    assert data["MetadataOptions"] == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
    (volume,) = data["BlockDeviceMappings"]
    assert volume["Ebs"] == {"Encrypted": True, "VolumeSize": 8, "VolumeType": "gp3"}
    assert "KeyName" not in data


@pytest.mark.parametrize(("stage", "architecture"), [("default", "arm64"), ("secured", "x86_64")])
def test_image_is_the_newest_for_the_architecture_at_launch(
    stage: str, architecture: str, request: pytest.FixtureRequest
) -> None:
    image = template_data(request.getfixturevalue(stage))["ImageId"]
    assert image == f"resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{architecture}"


def test_user_data_fits_with_its_names_resolved(secured: Assembly) -> None:
    assert sum(len(text) + 64 for text in every_string(template_data(secured)["UserData"])) < USER_DATA_LIMIT_BYTES


def test_group_mixes_on_demand_and_spot_as_the_stage_says(default: Assembly) -> None:
    group = default.one("container", "AWS::AutoScaling::AutoScalingGroup")
    policy = group["MixedInstancesPolicy"]
    assert policy["InstancesDistribution"] == {
        "OnDemandAllocationStrategy": "prioritized",
        "OnDemandBaseCapacity": 2,
        "OnDemandPercentageAboveBaseCapacity": 20,
        "SpotAllocationStrategy": "price-capacity-optimized",
    }
    types = [override["InstanceType"] for override in policy["LaunchTemplate"]["Overrides"]]
    assert tuple(types) == default.stage.container_lane.instance_types
    assert (group["MinSize"], group["MaxSize"]) == ("2", "100")
    assert "DesiredCapacity" not in group  # a deployment must not undo what scaling decided
    assert group["CapacityRebalance"] is True


def test_group_replaces_instances_that_the_load_balancer_finds_unhealthy(default: Assembly) -> None:
    group = default.one("container", "AWS::AutoScaling::AutoScalingGroup")
    assert (group["HealthCheckType"], group["HealthCheckGracePeriod"]) == ("ELB", 180)
    (target_group,) = default.all("container", "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert group["TargetGroupARNs"] == [{"Ref": target_group}]


def test_group_scales_to_the_stages_cpu(default: Assembly) -> None:
    policy = default.one("container", "AWS::AutoScaling::ScalingPolicy")
    tracking = policy["TargetTrackingConfiguration"]
    assert tracking["PredefinedMetricSpecification"]["PredefinedMetricType"] == "ASGAverageCPUUtilization"
    assert tracking["TargetValue"] == 60


def test_group_of_a_fixed_size_has_no_scaling(secured: Assembly) -> None:
    kinds = {body["Type"] for body in secured.template("container")["Resources"].values()}
    assert "AWS::AutoScaling::ScalingPolicy" not in kinds


def test_deployment_waits_until_each_new_instance_says_that_it_is_ready(default: Assembly) -> None:
    ((name, group),) = default.all("container", "AWS::AutoScaling::AutoScalingGroup").items()
    rolling = group["UpdatePolicy"]["AutoScalingRollingUpdate"]
    assert rolling["WaitOnResourceSignals"] is True
    assert (rolling["MaxBatchSize"], rolling["MinInstancesInService"]) == (1, 2)
    assert group["CreationPolicy"]["ResourceSignal"]["Count"] == 2
    assert f"\nGROUP={name}\n" in "".join(every_string(template_data(default)["UserData"]))


def test_group_of_one_instance_can_still_be_replaced(secured: Assembly) -> None:
    (group,) = secured.all("container", "AWS::AutoScaling::AutoScalingGroup").values()
    assert group["UpdatePolicy"]["AutoScalingRollingUpdate"]["MinInstancesInService"] == 0  # must be below MaxSize


def test_container_target_group_asks_readiness_and_drains(secured: Assembly) -> None:
    group = secured.one("container", "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert (group["TargetType"], group["Protocol"], group["Port"]) == ("instance", "HTTP", 9000)
    assert group["HealthCheckPath"] == "/readyz"
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "30"} in group["TargetGroupAttributes"]
