"""`crossover deploy`: how it ends after a deployment that failed, and what it says of what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.commands.deploy import _explain
from infra.config import Stage
from infra.deploying.stacks import Failure, StackState
from infra.errors import KitError

STAGE = Stage(name="prod")
RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"


@dataclass
class FakeAccount:
    states: list[StackState]

    def id(self) -> str:
        return "111122223333"

    def bootstrapped(self) -> bool:
        return True

    def stacks(self, stage: str, expected: Sequence[str] = ()) -> list[StackState]:
        return self.states


def ended(states: list[StackState]) -> KitError:
    with pytest.raises(KitError) as left:
        _explain(STAGE, FakeAccount(states), Path("no assembly"), "--stage prod -c region=eu-west-1", "-c stage=prod")
    return left.value


def test_what_was_taken_back_is_exit_3_with_the_way_on(capsys: pytest.CaptureFixture[str]) -> None:
    failure = Failure("Split", RULE, "Priority 100 is in use")
    left = ended([StackState("crossover-prod-lambda", "CREATE_COMPLETE"), StackState("t", "ROLLBACK_COMPLETE", failure)])
    assert left.exit_code == 3
    said = capsys.readouterr().err
    assert f"\n      Split ({RULE}): Priority 100 is in use\n" in said
    assert "then: crossover deploy --stage prod -c region=eu-west-1\n" in said
    assert "npx cdk destroy --all -c stage=prod\n" in said


def test_a_stack_that_waits_for_a_person_is_exit_4(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended([StackState("crossover-prod-lambda", "UPDATE_ROLLBACK_FAILED")]).exit_code == 4
    assert "First do what stands beside each stack that is not complete." in capsys.readouterr().err


def test_a_cli_that_failed_with_every_stack_complete_is_exit_1() -> None:
    left = ended([StackState("crossover-prod-lambda", "UPDATE_COMPLETE"), StackState("crossover-prod-traffic", None)])
    assert (left.exit_code, str(left)) == (
        1,
        "stage prod: failed with every stack that is there complete: the CDK CLI says why above",
    )


def test_a_stage_without_any_stack_says_that_nothing_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    left = ended([StackState("crossover-prod-lambda", None)])
    assert left.exit_code == 1
    assert str(left) == "stage prod was not deployed, and has no stack in us-east-1: the CDK CLI says why above"
    assert capsys.readouterr().err == ""
