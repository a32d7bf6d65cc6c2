"""What there is of a stage to read from, as the outputs of its stacks name it; with a load balancer or without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.aws_calls import AwsClients, asked, error_code
from infra.errors import KitError

STACKS = ("lambda", "container", "traffic")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStage:
    """Names as CloudWatch has them in its dimensions; None where the stage does not have it. `targets` by lane."""

    stage: str
    region: str
    balancer: str | None = None
    targets: Mapping[str, str] = field(default_factory=dict)
    function: str | None = None
    group: str | None = None


def find_stage(aws: AwsClients, stage: str) -> LiveStage:
    """Raises `KitError` for a stage of which no stack is there."""
    prefix = f"crossover-{stage.replace('_', '-')}"
    outputs = {end: _outputs(aws, f"{prefix}-{end}") for end in STACKS}
    if not any(outputs.values()):
        raise KitError(
            f"stage {stage!r} is not deployed in {aws.region}: none of the stacks {prefix}-lambda, {prefix}-container, "
            f"{prefix}-traffic has outputs; check --stage, the region and whose account the credentials are of"
        )
    rule = outputs["traffic"].get("SplitRule")
    return LiveStage(
        stage=stage,
        region=aws.region,
        # The rule's ARN has app/<name>/<id> of its load balancer before the listener's id and its own.
        balancer=None if rule is None else "/".join(rule.partition("listener-rule/")[2].split("/")[:3]),
        targets={
            lane: outputs[lane]["TargetGroup"].rpartition(":")[2]
            for lane in ("lambda", "container")
            if "TargetGroup" in outputs[lane]
        },
        function=outputs["lambda"].get("FunctionName"),
        group=outputs["container"].get("AutoScalingGroupName"),
    )


def instance_types(aws: AwsClients, group: str) -> tuple[str, ...]:
    """The types of the group's instances that run now; none where there is no instance."""
    with asked(f"the Auto Scaling group {group}"):
        answer = aws.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])
    groups = answer["AutoScalingGroups"]
    return tuple(sorted({each["InstanceType"] for each in groups[0]["Instances"]})) if groups else ()


def log_group(aws: AwsClients, function: str) -> tuple[str, bool]:
    """The function's log group, and whether its records are JSON lines rather than text."""
    with asked(f"the function {function}"):
        told: dict[str, Any] = aws.client("lambda").get_function_configuration(FunctionName=function).get("LoggingConfig", {})
    return str(told.get("LogGroup") or f"/aws/lambda/{function}"), told.get("LogFormat") == "JSON"


def _outputs(aws: AwsClients, name: str) -> dict[str, str]:
    from botocore.exceptions import ClientError

    with asked(f"stack {name} in {aws.region}"):
        try:
            (stack,) = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if error_code(error) == "ValidationError" and "does not exist" in str(error):
                return {}
            raise
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
