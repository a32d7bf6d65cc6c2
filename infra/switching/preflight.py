"""What must be so before traffic moves: facts go in, refusals come out, each with what was seen and what would be right.

Pure: whom to ask is `infra.switching.aws.control`'s. A check whose fact is not known refuses too, but for those that a
stage may do without: alarms, quotas.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from infra.switching.plan import Limits, Need
from infra.switching.record import Phase, Record, driven_by
from infra.switching.weights import UNITS, Weights, other, parse_weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoke:
    """Requests that named the rising lane: how many were answered with 200 of how many, and what was wrong with the last."""

    answered: int
    of: int
    wrong: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """vCPUs that the account may run on demand, or on spot, in the region; those of all that runs there, the group among it;
    and how many `more` the group would."""

    kind: str
    allowed: int
    used: int
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known before a switch to `rising`. `digests` are of each lane's bundle, `need` the reason where it is not known;
    `most` is how many units the rising lane may have; `quotas` are the account's, none where they are not known. `alarm` is
    None for a stage without, `UNKNOWN` where CloudWatch does not answer. `now` is AWS's time."""

    now: float
    rising: str
    parameter: Weights | None
    rule: Weights | None
    last: Record | None
    digests: dict[str, str | None]
    need: Need | str
    most: int
    alarm: str | None
    smoke: Smoke
    quotas: tuple[Quota, ...] = ()
    changing: tuple[str, ...] = ()
    loop_lag_told: bool = True
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Refusal:
    """`forcible` says whether `--force` goes over it."""

    check: str
    seen: str
    right: str
    forcible: bool = True

    def __str__(self) -> str:
        return f"{self.check}: {self.seen}; {self.right}{'' if self.forcible else ' (--force does not help)'}"


def refusals(facts: Facts, *, allow_version_skew: bool = False) -> list[Refusal]:
    """Every check that does not hold, in the order in which an operator would mend them."""
    return [
        *_switching(facts),
        *_weights(facts),
        *_deployments(facts),
        *([] if allow_version_skew else _versions(facts)),
        *_alarms(facts),
        *_smoke(facts),
        *over_capacity(facts.rising, facts.need, facts.most, facts.quotas),
        *_loop_lag(facts),
    ]


def left_at(record: Record) -> Weights:
    """The weights at which an ended switch left the stage."""
    if record.phase is Phase.ROLLED_BACK:
        return parse_weights(record.rollback_to)
    return parse_weights(record.plan.goal if record.phase is Phase.DONE else record.plan.start)


def _switching(facts: Facts) -> Iterator[Refusal]:
    if facts.last is not None and not facts.last.ended:
        right = "one switch a stage: `crossover status`, then `pause`, `abort` or `resume`"
        yield Refusal("switching", driven_by(facts.last, facts.now), right, forcible=False)


def _weights(facts: Facts) -> Iterator[Refusal]:
    if facts.parameter is None or facts.rule is None:
        holds = f"the parameter holds {facts.parameter or 'no weights'}, the rule {facts.rule or 'no weights of the two lanes'}"
        yield Refusal("weights", holds, "`crossover doctor` says how to mend it", forcible=facts.parameter != facts.rule)
    elif not facts.parameter.same_split(facts.rule):
        yield Refusal(
            "weights", f"the parameter holds {facts.parameter}, the rule {facts.rule}", "`crossover doctor` says how to mend it"
        )
    elif facts.last is not None and facts.last.ended and not left_at(facts.last).same_split(facts.rule):
        yield Refusal(
            "weights",
            f"{facts.rule} is in force and the last switch left {left_at(facts.last)}",
            "somebody changed them by hand: find out who, then --force",
        )


def _deployments(facts: Facts) -> Iterator[Refusal]:
    if facts.changing:
        yield Refusal("deployment", f"{', '.join(facts.changing)}", "wait until it has ended")


def _versions(facts: Facts) -> Iterator[Refusal]:
    ours, theirs = facts.digests.get(facts.rising), facts.digests.get(other(facts.rising))
    for lane, digest in ((facts.rising, ours), (other(facts.rising), theirs)):
        if digest is None:
            seen = f"which bundle the {lane} lane runs is not known"
            yield Refusal("versions", seen, "GET /version must say so, or say --allow-version-skew")
    if ours is not None and theirs is not None and ours != theirs:
        yield Refusal(
            "versions",
            f"the {facts.rising} lane runs bundle {ours[:12]}, the {other(facts.rising)} lane {theirs[:12]}",
            "deploy both lanes, or say --allow-version-skew",
        )


def _alarms(facts: Facts) -> Iterator[Refusal]:
    if facts.alarm == "ALARM":
        yield Refusal("alarms", f"the {facts.rising} lane's alarm fires", "see docs/runbooks/ for what it names")
    elif facts.alarm == "UNKNOWN":
        seen = f"whether the {facts.rising} lane's alarm fires is not known: CloudWatch does not answer"
        yield Refusal("alarms", seen, "wait until it does; docs/runbooks/drill-cloudwatch-away.md where you cannot")


def _smoke(facts: Facts) -> Iterator[Refusal]:
    smoke = facts.smoke
    if smoke.answered < smoke.of or not smoke.of:
        seen = f"{smoke.answered} of {smoke.of} requests to the {facts.rising} lane were answered: {smoke.wrong}"
        yield Refusal("smoke", seen, f"the {facts.rising} lane must answer before traffic moves there")


def over_capacity(lane: str, need: Need | str, most: int, quotas: tuple[Quota, ...]) -> Iterator[Refusal]:
    """What is in the way of so many units on the lane: for a switch, and for a prewarm by itself."""
    if isinstance(need, str):
        yield Refusal("capacity", need, "give --profile FILE (`crossover measure`), or --units N")
        return
    units = UNITS[lane]
    if need.units > most:
        seen = f"{need.units} {units} are needed ({need.why}), {most} are the most"
        key = "container_lane.max_instances" if lane == "container" else "lambda_lane.reserved_concurrency or its quota"
        yield Refusal("capacity", seen, f"raise {key}")
    for quota in quotas:
        left = max(0, quota.allowed - quota.used)
        if quota.more > left:
            seen = f"{need.units} {units} need {quota.more:,} more vCPUs {quota.kind}, the account has {left:,} left"
            right = "ask AWS for more (Service Quotas, Amazon EC2), or end what is not needed"
            yield Refusal("quotas", f"{seen} ({quota.used:,} of {quota.allowed:,} in use)", right)


def _loop_lag(facts: Facts) -> Iterator[Refusal]:
    if facts.rising == "container" and facts.limits.loop_lag_ms is not None and not facts.loop_lag_told:
        yield Refusal(
            "loop lag",
            "no instance has told its event-loop lag in the last hour, so no step would be promoted",
            "say --limit loop_lag_ms=none where the service does not tell it",
            forcible=False,
        )
