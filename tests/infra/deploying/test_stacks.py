"""What CloudFormation says of a stage's stacks becomes one screen: the first thing that failed, and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from infra.deploying.stacks import STACK, Failure, StackState, first_failure, is_of_stage, screen, way_on

FUNCTION = "AWS::Lambda::Function"


def event(logical_id: str, kind: str, status: str, reason: str = "") -> dict[str, Any]:
    body = {"LogicalResourceId": logical_id, "ResourceType": kind, "ResourceStatus": status}
    return body | ({"ResourceStatusReason": reason} if reason else {})


def newest_first(*events: dict[str, Any]) -> list[dict[str, Any]]:
    return list(reversed(events))


def test_the_first_resource_that_failed_is_named_not_those_it_took_with_it() -> None:
    events = newest_first(
        event("crossover-prod-lambda", STACK, "CREATE_IN_PROGRESS", "User Initiated"),
        event("Role", "AWS::IAM::Role", "CREATE_COMPLETE"),
        event("Function", FUNCTION, "CREATE_FAILED", "The runtime python3.99\n is not supported"),
        event("Logs", "AWS::Logs::LogGroup", "CREATE_FAILED", "Resource creation cancelled"),
        event(
            "crossover-prod-lambda", STACK, "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Function]."
        ),
        event("crossover-prod-lambda", STACK, "ROLLBACK_COMPLETE"),
    )
    assert first_failure(events) == Failure("Function", FUNCTION, "The runtime python3.99 is not supported")


def test_a_failure_of_an_earlier_deployment_is_not_told_again() -> None:
    events = newest_first(
        event("crossover-prod-lambda", STACK, "UPDATE_IN_PROGRESS", "User Initiated"),
        event("Function", FUNCTION, "UPDATE_FAILED", "an old story"),
        event("crossover-prod-lambda", STACK, "UPDATE_ROLLBACK_COMPLETE"),
        event("crossover-prod-lambda", STACK, "UPDATE_IN_PROGRESS", "User Initiated"),
        event("crossover-prod-lambda", STACK, "UPDATE_COMPLETE"),
    )
    assert first_failure(events) is None


@pytest.mark.parametrize(
    ("status", "meaning", "blocked"),
    [
        (None, "not there", False),
        ("CREATE_COMPLETE", "complete", False),
        ("UPDATE_COMPLETE", "complete", False),
        ("ROLLBACK_COMPLETE", "taken back: nothing of it is left, and the next deployment makes it anew", False),
        ("UPDATE_ROLLBACK_COMPLETE", "as it was before this deployment", False),
        ("UPDATE_IN_PROGRESS", "being changed: wait until it is not", True),
        ("ROLLBACK_FAILED", "could not be taken back: delete it with `npx cdk destroy --exclusively s`", True),
        ("DELETE_FAILED", "could not be deleted: put right what is named, then `npx cdk destroy --exclusively s`", True),
        (
            "UPDATE_ROLLBACK_FAILED",
            "could not be brought back: `aws cloudformation continue-update-rollback --stack-name s`",
            True,
        ),
    ],
)
def test_each_status_says_what_it_means_and_whether_a_deployment_must_wait(
    status: str | None, meaning: str, blocked: bool
) -> None:
    state = StackState("s", status)
    assert (state.meaning, state.blocked) == (meaning, blocked)


def test_the_screen_has_the_reason_under_the_stack_that_failed() -> None:
    states = [
        StackState("crossover-prod-foundation", "UPDATE_COMPLETE"),
        StackState("crossover-prod-lambda", "UPDATE_ROLLBACK_COMPLETE", Failure("Function", FUNCTION, "no")),
    ]
    assert screen(states) == [
        "  crossover-prod-foundation  UPDATE_COMPLETE           complete",
        "  crossover-prod-lambda      UPDATE_ROLLBACK_COMPLETE  as it was before this deployment",
        f"      Function ({FUNCTION}): no",
    ]


def test_the_way_on_asks_for_a_person_only_where_a_stack_waits_for_one() -> None:
    taken_back = way_on([StackState("a", "ROLLBACK_COMPLETE")], "again", "give up")
    assert len(taken_back) == 2
    assert "again" in taken_back[0]
    stuck = way_on([StackState("a", "CREATE_COMPLETE"), StackState("b", "UPDATE_ROLLBACK_FAILED")], "again", "give up")
    assert "First do what stands beside" in stuck[1]


def test_stages_whose_names_begin_alike_are_kept_apart() -> None:
    assert is_of_stage("Crossover prod: load balancer", "prod")
    assert not is_of_stage("Crossover prod_eu: load balancer", "prod")
