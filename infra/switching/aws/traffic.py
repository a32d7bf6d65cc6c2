"""The two places that hold the weights: the stage's parameter, and the load balancer's rule that splits by them."""

from __future__ import annotations

from typing import Any

from infra.errors import InputError, KitError
from infra.switching.aws.calls import Aws, asked, code
from infra.switching.aws.resources import Resources
from infra.switching.weights import LANES, PATTERN, Weights, parse_weights


class AwsTraffic:
    """None for weights that are not two numbers of 0 to 999, or a rule that does not split between the two lanes."""

    def __init__(self, aws: Aws, resources: Resources) -> None:
        self._aws, self._resources = aws, resources

    def parameter(self) -> Weights | None:
        try:
            return parse_weights(self.parameter_text() or "")
        except InputError:
            return None

    def parameter_text(self) -> str | None:
        """As it stands there, weights or not; None where there is no such parameter."""
        from botocore.exceptions import ClientError

        with asked(f"parameter {self._resources.parameter}"):
            try:
                answer = self._aws.client("ssm").get_parameter(Name=self._resources.parameter)
            except ClientError as error:
                if code(error) == "ParameterNotFound":
                    return None
                raise
        text: str = answer["Parameter"]["Value"]
        return text

    def rule(self) -> Weights | None:
        forward = _forward(self._actions())
        groups = {} if forward is None else forward.get("ForwardConfig", {}).get("TargetGroups", [])
        weights = {group["TargetGroupArn"]: group.get("Weight", 1) for group in groups}
        if set(weights) != set(self._resources.target_groups.values()):
            return None
        try:
            return Weights(*(weights[self._resources.target_groups[lane]] for lane in LANES))
        except InputError:
            return None

    def write(self, weights: Weights) -> None:
        """The parameter first: a deployment that runs meanwhile fills the rule from it."""
        with asked(f"parameter {self._resources.parameter}"):
            self._aws.client("ssm").put_parameter(
                Name=self._resources.parameter,
                Value=str(weights),
                Type="String",
                AllowedPattern=PATTERN,
                Overwrite=True,
            )
        actions = [_weighted(action, weights, self._resources) for action in self._actions()]
        with asked(f"rule {self._resources.rule}"):
            self._aws.client("elbv2").modify_rule(RuleArn=self._resources.rule, Actions=actions)

    def _actions(self) -> list[dict[str, Any]]:
        from botocore.exceptions import ClientError

        with asked(f"rule {self._resources.rule}"):
            try:
                rules = self._aws.client("elbv2").describe_rules(RuleArns=[self._resources.rule])["Rules"]
            except ClientError as error:
                if code(error) != "RuleNotFound":
                    raise
                rules = []
        if len(rules) != 1:
            raise KitError(
                f"rule {self._resources.rule} is gone: where a deployment has put another in its place, the next command finds "
                "that one; else deploy the traffic stack anew"
            )
        actions: list[dict[str, Any]] = rules[0]["Actions"]
        return actions


def _forward(actions: list[dict[str, Any]]) -> dict[str, Any] | None:
    return next((action for action in actions if action["Type"] == "forward"), None)


def _weighted(action: dict[str, Any], weights: Weights, resources: Resources) -> dict[str, Any]:
    """An action as it was but for the weights; one that does not forward, as it was. With two target groups an action must
    not name one beside them (ModifyRule, Elastic Load Balancing API reference)."""
    if action["Type"] != "forward":
        return action
    groups = [{"TargetGroupArn": resources.target_groups[lane], "Weight": weights.of(lane)} for lane in LANES]
    kept = {key: value for key, value in action.items() if key != "TargetGroupArn"}
    return {**kept, "ForwardConfig": {**action.get("ForwardConfig", {}), "TargetGroups": groups}}
