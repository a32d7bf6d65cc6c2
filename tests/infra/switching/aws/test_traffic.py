"""Weights are written into the parameter, then into the rule, and read back from both; moto takes what elbv2 would not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3
import pytest

from infra.errors import InputError, KitError
from infra.switching.aws.calls import Aws
from infra.switching.aws.traffic import AwsTraffic
from infra.switching.ports import Unreachable
from infra.switching.weights import PATTERN, Weights, all_on
from tests.infra.switching.aws.moto_stage import REGION, MotoStage, refusal


def test_both_places_are_read(stage: MotoStage) -> None:
    traffic = AwsTraffic(stage.aws, stage.resources)
    assert traffic.parameter() == traffic.rule() == all_on("lambda")


def test_both_places_are_written_and_the_rule_keeps_the_rest(stage: MotoStage) -> None:
    before = stage.rule()
    AwsTraffic(stage.aws, stage.resources).write(Weights(30, 70))
    assert stage.parameter() == "30:70"
    assert stage.weights_in_rule() == {"lambda": 30, "container": 70}
    after = stage.rule()
    assert {key: after[key] for key in ("Priority", "Conditions", "RuleArn")} == {
        key: before[key] for key in ("Priority", "Conditions", "RuleArn")
    }
    assert after["Actions"][0]["ForwardConfig"]["TargetGroupStickinessConfig"] == {"Enabled": False}


def test_the_parameter_still_lets_nothing_in_but_weights(stage: MotoStage) -> None:
    AwsTraffic(stage.aws, stage.resources).write(Weights(30, 70))
    filters = [{"Key": "Name", "Values": [stage.resources.parameter]}]
    (told,) = boto3.client("ssm", REGION).describe_parameters(ParameterFilters=filters)["Parameters"]
    assert told["AllowedPattern"] == PATTERN


def test_a_rule_that_a_deployment_has_replaced_is_said_to_be_gone(stage: MotoStage) -> None:
    before = f"{stage.resources.rule[:-4]}0000"
    traffic = AwsTraffic(stage.aws, replace(stage.resources, rule=before))
    for ask in (traffic.rule, lambda: traffic.write(Weights(30, 70))):
        with pytest.raises(KitError, match=r"is gone: where a deployment has put another in its place, the next command finds"):
            ask()


def test_an_action_before_the_split_stays(stage: MotoStage) -> None:
    login = {
        "Type": "authenticate-cognito",
        "Order": 1,
        "AuthenticateCognitoConfig": {"UserPoolArn": "arn:x", "UserPoolClientId": "c", "UserPoolDomain": "d"},
    }
    forward = {**stage.rule()["Actions"][0], "Order": 2}
    boto3.client("elbv2", REGION).modify_rule(RuleArn=stage.resources.rule, Actions=[login, forward])
    AwsTraffic(stage.aws, stage.resources).write(Weights(5, 95))
    assert [action["Type"] for action in stage.rule()["Actions"]] == ["authenticate-cognito", "forward"]
    assert stage.weights_in_rule() == {"lambda": 5, "container": 95}


@pytest.mark.parametrize("weights", [(1_000, 0), (-1, 5), (0, 0)])
def test_weights_that_moto_takes_and_elbv2_would_not_are_refused_before_and_unknown_after(
    stage: MotoStage, weights: tuple[int, int]
) -> None:
    with pytest.raises(InputError, match="each must be 0 to 999, and not both 0"):
        Weights(*weights)
    groups = [
        {"TargetGroupArn": stage.resources.target_groups[lane], "Weight": weight}
        for lane, weight in zip(("lambda", "container"), weights, strict=True)
    ]
    boto3.client("elbv2", REGION).modify_rule(
        RuleArn=stage.resources.rule, Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
    )
    boto3.client("ssm", REGION).put_parameter(Name=stage.resources.parameter, Value="1000:0", Type="String", Overwrite=True)
    traffic = AwsTraffic(stage.aws, stage.resources)
    assert traffic.rule() is None
    assert traffic.parameter() is None


def test_a_rule_that_leads_elsewhere_is_unknown_and_is_put_right_by_writing(stage: MotoStage) -> None:
    lost = [{"TargetGroupArn": stage.resources.target_groups["lambda"], "Weight": 1}]
    boto3.client("elbv2", REGION).modify_rule(
        RuleArn=stage.resources.rule, Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": lost}}]
    )
    traffic = AwsTraffic(stage.aws, stage.resources)
    assert traffic.rule() is None
    traffic.write(all_on("container"))
    assert traffic.rule() == all_on("container")


class Refusing:
    """elbv2 that is throttled when the rule is written."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def modify_rule(self, **_: Any) -> None:
        raise refusal("Throttling", message="Rate exceeded")


def test_a_throttled_write_is_unreachable_with_the_parameter_ahead_of_the_rule(stage: MotoStage) -> None:
    aws = Aws(REGION, {"elbv2": Refusing(boto3.client("elbv2", REGION))})
    traffic = AwsTraffic(aws, stage.resources)
    with pytest.raises(Unreachable, match="Rate exceeded"):
        traffic.write(Weights(50, 50))
    assert (traffic.parameter(), traffic.rule()) == (Weights(50, 50), all_on("lambda"))
