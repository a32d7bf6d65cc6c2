"""What is not as the last switch left it: what each place holds goes in, findings with their cure come out. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from infra.switching.preflight import left_at
from infra.switching.record import Record
from infra.switching.weights import PATTERN, Weights, all_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What holds the weights: the parameter (as text and as weights), the rule, the record. `rule_arn` and `target_groups`
    (ARNs by lane) are what the rule is written with. `floor` is the group's minimum size, `template_floor` the deployed
    template's. `template_weights` are what the deployed template started the parameter with, `asked_weights` what the
    stage's settings ask for now. None is not known."""

    stage: str
    parameter: str | None
    parameter_weights: Weights | None
    rule: Weights | None
    record: Record | None
    now: float
    floor: int | None
    template_floor: int | None
    rule_arn: str = "ARN"
    target_groups: dict[str, str] = field(default_factory=dict)
    template_weights: str | None = None
    asked_weights: str | None = None
    changing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    mend: str


def diagnose(places: Places) -> list[Finding]:
    """Nothing found is a stage whose next deployment changes no traffic."""
    return [*_unfinished(places), *_weights(places), *_settings(places), *_floor(places), *_changing(places)]


def _unfinished(places: Places) -> Iterator[Finding]:
    record = places.record
    if record is not None and not record.ended and record.lease_until <= places.now:
        yield Finding(
            f"{record.owner}'s switch to {record.plan.goal} stands at {record.where} and nobody drives it",
            f"`crossover resume --stage {places.stage}` goes on, `crossover abort --stage {places.stage}` goes back",
        )


def _weights(places: Places) -> Iterator[Finding]:
    record, rule, parameter = places.record, places.rule, places.parameter_weights
    if record is not None and not record.ended:
        return  # both places are on their way, and the driver puts right what it finds
    wanted = left_at(record) if record is not None else rule
    how = f"--overwrite --type String --allowed-pattern '{PATTERN}'"  # it has to be made where it is gone, and keep its pattern
    write = f"aws ssm put-parameter {how} --name /crossover/{places.stage}/traffic-weights --value"
    if parameter is None:
        holds = "is not there" if places.parameter is None else f"holds {places.parameter!r}, which is no weights"
        yield Finding(
            f"the parameter {holds}: the next deployment of the traffic stack fails", f"{write} {wanted or all_on('container')}"
        )
    if rule is None:
        # A deployment would not: CloudFormation leaves a rule alone whose template has not changed.
        yield Finding(
            "the rule does not split between the two lanes", f"write it: {_rule_command(places, parameter or wanted)}"
        )
    if parameter is not None and rule is not None and not parameter.same_split(rule):
        mend = f"keep the rule's: {write} {rule}; or `crossover switch` with --force to what is right"
        yield Finding(
            f"the rule holds {rule} and the parameter {parameter}, which the next deployment writes into the rule", mend
        )
    if record is not None and rule is not None and wanted is not None and not wanted.same_split(rule):
        yield Finding(
            f"the rule holds {rule}, the last switch ({record.owner}) left {wanted}",
            "find out who changed it; `crossover switch` with --force goes on from what is in force",
        )


def _settings(places: Places) -> Iterator[Finding]:
    """CloudFormation writes a parameter whose value in the template has changed, whatever stands in it."""
    asked, deployed = places.asked_weights, places.template_weights
    if asked is not None and deployed is not None and asked != deployed and asked != places.parameter:
        on_lambda, _, on_container = deployed.partition(":")
        yield Finding(
            f"stages.toml asks for {asked} and was deployed with {deployed}: the next deployment writes {asked} into the "
            "parameter, and moves traffic at once",
            f"set traffic.lambda_weight = {on_lambda} and traffic.container_weight = {on_container} there, and move traffic "
            "with `crossover switch`",
        )


def _rule_command(places: Places, weights: Weights | None) -> str:
    groups = [
        {"TargetGroupArn": arn, "Weight": (weights or all_on("container")).of(lane)}
        for lane, arn in places.target_groups.items()
    ]
    forward = {"TargetGroups": groups, "TargetGroupStickinessConfig": {"Enabled": False}}
    actions = json.dumps([{"Type": "forward", "ForwardConfig": forward}], separators=(",", ":"))
    return f"aws elbv2 modify-rule --rule-arn {places.rule_arn} --actions '{actions}'"


def _floor(places: Places) -> Iterator[Finding]:
    busy = places.record is not None and not places.record.ended
    if not busy and places.floor is not None and places.template_floor is not None and places.floor != places.template_floor:
        how = "--release" if places.floor > places.template_floor else f"--units {places.template_floor}"
        yield Finding(
            f"the group keeps {places.floor} instances at least, its template says {places.template_floor}",
            f"`crossover prewarm container {how} --stage {places.stage}` sets it to the template's",
        )


def _changing(places: Places) -> Iterator[Finding]:
    if places.changing:
        yield Finding(f"being deployed: {', '.join(places.changing)}", "wait, and look again")
