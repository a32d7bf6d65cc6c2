"""What of a stage a policy names: ARNs by the stage's naming, and the tag on what AWS names itself."""

from __future__ import annotations

from infra.config import Stage


def account_of(stage: Stage) -> str:
    """Any, where the stage is bound to none."""
    return stage.account or "*"


def arn(stage: Stage, service: str, resource: str) -> str:
    return f"arn:aws:{service}:{stage.region}:{account_of(stage)}:{resource}"


def log_groups(stage: Stage) -> list[str]:
    return [arn(stage, "logs", f"log-group:{name}*") for name in (stage.resource_prefix, f"/crossover/{stage.name}")]


def group_arn(stage: Stage) -> str:
    return arn(stage, "autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{stage.resource_prefix}-container-*")


def function_arn(stage: Stage) -> str:
    return arn(stage, "lambda", f"function:{stage.resource_prefix}-lambda-*")


def stack_arns(stage: Stage) -> str:
    """Of all of the stage's stacks."""
    return arn(stage, "cloudformation", f"stack/{stage.resource_prefix}-*/*")


def tagged(stage: Stage, key: str = "aws:ResourceTag") -> dict[str, dict[str, str]]:
    """A condition: what is acted on has the stage's tag."""
    return {"StringEquals": {f"{key}/crossover:stage": stage.name}}
