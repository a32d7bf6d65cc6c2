"""A stage's stacks as CloudFormation has them, and what a person does about each: pure, from what the API answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STACK = "AWS::CloudFormation::Stack"
# What CloudFormation says of resources that it stopped because another one had failed.
CANCELLED = ("Resource creation cancelled", "Resource update cancelled", "Resource deletion cancelled")
COMPLETE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
MEANINGS = {
    "ROLLBACK_COMPLETE": "taken back: nothing of it is left, and the next deployment makes it anew",
    "UPDATE_ROLLBACK_COMPLETE": "as it was before this deployment",
    "CREATE_FAILED": "stopped where it failed; the next deployment goes on from there",
    "UPDATE_FAILED": "stopped where it failed; the next deployment goes on from there",
    "ROLLBACK_FAILED": "could not be taken back: delete it with `npx cdk destroy --exclusively {name}`",
    "DELETE_FAILED": "could not be deleted: put right what is named, then `npx cdk destroy --exclusively {name}`",
    "UPDATE_ROLLBACK_FAILED": "could not be brought back: `aws cloudformation continue-update-rollback --stack-name {name}`",
}
BLOCKED = ("ROLLBACK_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED")


@dataclass(frozen=True, slots=True)
class Failure:
    """The first resource that failed, and what its service said."""

    logical_id: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class StackState:
    """One stack. `status` is CloudFormation's, `None` for a stack that is not there."""

    name: str
    status: str | None
    failure: Failure | None = None

    @property
    def complete(self) -> bool:
        return self.status in COMPLETE

    @property
    def busy(self) -> bool:
        return self.status is not None and self.status.endswith("_IN_PROGRESS")

    @property
    def blocked(self) -> bool:
        """Whether a deployment would be refused until a person has done something."""
        return self.busy or self.status in BLOCKED

    @property
    def meaning(self) -> str:
        if self.status is None:
            return "not there"
        if self.busy:
            return "being changed: wait until it is not"
        return MEANINGS.get(self.status, "complete" if self.complete else "").format(name=self.name)


def is_of_stage(description: str, stage: str) -> bool:
    """Whether a stack with this description is one of the stage's (infra/stacks/stage_stack.py writes it): names would
    not do, for those of stage `prod_eu` begin as those of `prod` do."""
    return description.startswith(f"Crossover {stage}: ")


def first_failure(events: Iterable[Mapping[str, Any]]) -> Failure | None:
    """Of the last operation. `events` are DescribeStackEvents', newest first."""
    found = None
    for event in events:
        status, own = event["ResourceStatus"], event["ResourceType"] == STACK
        reason = event.get("ResourceStatusReason", "")
        if own and status.endswith("_IN_PROGRESS") and reason == "User Initiated":
            break
        if not own and status.endswith("_FAILED") and not reason.startswith(CANCELLED):
            found = Failure(event["LogicalResourceId"], event["ResourceType"], " ".join(reason.split()))
    return found


def screen(states: Sequence[StackState]) -> list[str]:
    """One line a stack, and under one that failed the resource and the reason."""
    width = max((len(state.name) for state in states), default=0)
    lines = []
    for state in states:
        lines.append(f"  {state.name:{width}}  {state.status or '-':24}  {state.meaning}")
        if state.failure is not None and not state.complete:
            lines.append(f"      {state.failure.logical_id} ({state.failure.kind}): {state.failure.reason}")
    return lines


def way_on(states: Sequence[StackState], again: str, give_up: str) -> list[str]:
    """What is left and how to go on, for a deployment that failed."""
    lines = []
    if any(state.complete for state in states):
        lines.append(
            "  What is complete stays, is billed, and is left alone by the next deployment where nothing changed in it."
        )
    if any(state.blocked for state in states):
        lines.append("  First do what stands beside each stack that is not complete.")
    lines += [
        f"  To go on, put right what is named above, then: {again}",
        f"  To give up:                                    {give_up}",
    ]
    return lines
