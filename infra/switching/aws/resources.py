"""What a stage's stacks made, as their outputs name it. Asked anew by each command: nothing is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infra.errors import KitError
from infra.switching.aws.calls import Aws, asked, code, served_at

STACKS = ("foundation", "lambda", "container", "traffic")
ALIAS = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """A stage with both lanes. `target_groups` are ARNs by lane; `changing` are stacks that are not at rest, with their
    state; `served_at` is AWS's clock."""

    stage: str
    region: str
    url: str
    rule: str
    target_groups: dict[str, str]
    group: str
    function: str
    table: str
    parameter: str
    changing: tuple[str, ...] = ()
    served_at: float | None = None

    @property
    def account(self) -> str:
        """Whose it is, by an ARN: arn:aws:<service>:<region>:<account>:…"""
        return self.rule.split(":")[4]

    @property
    def load_balancer(self) -> str:
        """As CloudWatch names it, `app/<name>/<id>`: the rule's ARN has it before the listener's id and its own."""
        return "/".join(self.rule.partition("listener-rule/")[2].split("/")[:3])

    @property
    def listener(self) -> str:
        return self.rule.replace(":listener-rule/", ":listener/").rpartition("/")[0]

    def target_group(self, lane: str) -> str:
        """As CloudWatch names it, `targetgroup/<name>/<id>`."""
        return self.target_groups[lane].rpartition(":")[2]


def prefix_of(stage: str) -> str:
    """What the names of a stage's stacks begin with (`infra.config.Stage.resource_prefix`)."""
    return f"crossover-{stage.replace('_', '-')}"


def find(aws: Aws, stage: str) -> Resources:
    """Raises `KitError` for a stage that is not deployed there, or not with both lanes behind a load balancer."""
    stacks = {end: _stack(aws, f"{prefix_of(stage)}-{end}") for end in STACKS}
    missing = [end for end, stack in stacks.items() if stack is None]
    if len(missing) == len(STACKS):
        raise KitError(
            f"stage {stage!r} is not deployed in {aws.region}: no stack {prefix_of(stage)}-traffic; "
            "check --stage, --region and whose account the credentials are of"
        )
    if missing:
        raise KitError(
            f"stage {stage!r} has no stack {', '.join(f'{prefix_of(stage)}-{end}' for end in missing)} in {aws.region}: "
            "a switch needs both lanes behind the load balancer"
        )
    outputs = {end: _outputs(stack) for end, stack in stacks.items() if stack is not None}

    def output(end: str, key: str) -> str:
        if key not in outputs[end]:
            raise KitError(
                f"stack {prefix_of(stage)}-{end} has no output {key}: deploy the stage anew, as `npx cdk deploy --all`"
            )
        return outputs[end][key]

    return Resources(
        stage=stage,
        region=aws.region,
        url=output("traffic", "Url"),
        rule=output("traffic", "SplitRule"),
        target_groups={"lambda": output("lambda", "TargetGroup"), "container": output("container", "TargetGroup")},
        group=output("container", "AutoScalingGroupName"),
        function=output("lambda", "FunctionName"),
        table=output("foundation", "SwitchTableName"),
        parameter=f"/crossover/{stage}/traffic-weights",
        changing=tuple(
            f"{stack['StackName']} ({stack['StackStatus']})"
            for stack in stacks.values()
            if stack is not None and stack["StackStatus"].endswith("_IN_PROGRESS")
        ),
        served_at=next((stack["served_at"] for stack in stacks.values() if stack is not None), None),
    )


def outputs_of(aws: Aws, stack: str) -> dict[str, str] | None:
    """A stack's outputs by key; None where there is no such stack."""
    found = _stack(aws, stack)
    return None if found is None else _outputs(found)


def _stack(aws: Aws, name: str) -> dict[str, Any] | None:
    from botocore.exceptions import ClientError

    with asked(f"stack {name} in {aws.region}"):
        try:
            answer = aws.client("cloudformation").describe_stacks(StackName=name)
        except ClientError as error:
            if code(error) == "ValidationError" and "does not exist" in str(error):
                return None
            raise
        stack: dict[str, Any] = answer["Stacks"][0]
        return {**stack, "served_at": served_at(answer)}


def _outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
