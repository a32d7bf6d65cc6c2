"""Resources of the templates that cost the same whatever the traffic, and that no line of the model stands for: keys, secrets,
alarms, parameters, addresses, endpoints, schedules that a stage has beyond the kit's own."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from infra.cost.cloud_assembly.free import free_because
from infra.cost.cloud_assembly.reading import CloudAssembly, Resource
from infra.cost.exact import EXACT
from infra.cost.lines.line import LineItem, priced, quantity
from infra.cost.prices.book import PriceBook
from infra.errors import InputError

Amount = Callable[[Resource, Decimal], Decimal]
"""Units of one resource in a month of so many hours."""

SECONDS = {"minute": 60, "minutes": 60, "hour": 3600, "hours": 3600, "day": 86_400, "days": 86_400}
MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Standing:
    """What one type costs by itself."""

    name: str
    service: str
    dimension: str
    amount: Amount
    note: str


def _one(resource: Resource, hours: Decimal) -> Decimal:
    return Decimal(1)


def _hours(resource: Resource, hours: Decimal) -> Decimal:
    return hours


def _endpoint_hours(resource: Resource, hours: Decimal) -> Decimal:
    """An interface endpoint is billed in each of its zones."""
    zones = resource.literal("SubnetIds", default=[])
    if not isinstance(zones, list):
        raise resource.wrong(("SubnetIds",), zones, "a list of subnets")
    return hours * max(1, len(zones))


def _metrics(resource: Resource, hours: Decimal) -> Decimal:
    """Metrics that an alarm reads; an expression over others is none."""
    read = sum("MetricStat" in each.properties for each in resource.parts("Metrics"))
    return Decimal(max(1, read))


def _is_quick(resource: Resource) -> bool:
    period = resource.whole("Period", default=MINUTE_S)
    return period is not None and period < MINUTE_S


def runs(resource: Resource, hours: Decimal) -> Decimal:
    """How often a schedule fires in a month, at most; `InputError` for an expression that EventBridge would refuse."""
    if resource.literal("State", default="ENABLED") == "DISABLED":
        return Decimal(0)
    text = resource.text("ScheduleExpression")
    found = re.fullmatch(r"(rate|cron|at)\((.*)\)", text)
    if found is None:
        raise _not_a_schedule(resource, text)
    kind, inside = found[1], found[2].split()
    if kind == "at":
        return Decimal(1)
    try:
        if kind == "rate":
            return EXACT.divide(hours * 3600, Decimal(int(inside[0]) * SECONDS[inside[1]]))
        minute, hour, day, _, weekday, *_ = inside
        days = EXACT.divide(hours, Decimal(24))
        if day not in ("*", "?"):
            days = Decimal(_values(day, 31))
        elif weekday not in ("*", "?"):
            days = EXACT.divide(days * _values(weekday, 7), Decimal(7))
        return quantity(days * _values(minute, 60) * _values(hour, 24))
    except (ValueError, KeyError, IndexError, ZeroDivisionError):
        raise _not_a_schedule(resource, text) from None


def _values(field: str, most: int) -> int:
    """How many values a cron field has, at most; names of days count as their places."""
    count = 0
    for part in field.split(","):
        span, _, step = part.partition("/")
        ends = span.split("-")
        if span in ("*", "?"):
            width = most
        elif len(ends) == 2 and all(end.isdigit() for end in ends):
            width = int(ends[1]) - int(ends[0]) + 1
        elif len(ends) == 2 or step:
            width = most if step else 7 if most == 7 else 1
            width = min(width, WEEKDAYS.index(ends[1]) - WEEKDAYS.index(ends[0]) + 1) if set(ends) <= set(WEEKDAYS) else width
        else:
            width = 1
        count += math.ceil(width / int(step)) if step else width
    return min(most, count)


WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


def _not_a_schedule(resource: Resource, text: str) -> InputError:
    return InputError(
        f"{resource.file}: {resource.logical_id}.ScheduleExpression: {text!r} must be rate(N minutes), cron(…) or at(…)"
    )


MONTHLY = "by the month, whatever the traffic"
STANDING: dict[str, Standing] = {
    "AWS::CloudWatch::Alarm": Standing("CloudWatch alarms", "AmazonCloudWatch", "standard_alarm", _metrics, MONTHLY),
    "AWS::CloudWatch::CompositeAlarm": Standing(
        "CloudWatch composite alarms", "AmazonCloudWatch", "composite_alarm", _one, MONTHLY
    ),
    "AWS::CloudWatch::Dashboard": Standing("CloudWatch dashboards", "AmazonCloudWatch", "dashboard", _one, MONTHLY),
    "AWS::EC2::EIP": Standing("Public IPv4", "AmazonVPC", "public_ipv4", _hours, "all month, in use or not"),
    "AWS::EC2::VPCEndpoint": Standing("VPC endpoints", "AmazonVPC", "endpoint_hour", _endpoint_hours, "in each of its zones"),
    "AWS::KMS::Key": Standing("KMS keys", "awskms", "key", _one, MONTHLY),
    "AWS::Route53::HostedZone": Standing("Hosted zones", "AmazonRoute53", "hosted_zone", _one, MONTHLY),
    "AWS::SSM::Parameter": Standing("Advanced parameters", "AWSSystemsManager", "advanced_parameter", _one, MONTHLY),
    "AWS::Scheduler::Schedule": Standing(
        "Scheduler invocations", "AWSEvents", "scheduler_invocation", runs, "as often as its expression says, at most"
    ),
    "AWS::SecretsManager::Secret": Standing("Secrets", "AWSSecretsManager", "secret", _one, MONTHLY),
}
SWITCH_TABLE = Standing(
    "DynamoDB writes",
    "AmazonDynamoDB",
    "write_request",
    lambda resource, hours: quantity(hours / 24 * SWITCH_WRITES),
    "the switch's record: a switch a day of 100 writes of 4 KB, an upper bound",
)
SWITCH_WRITES = 400
QUICK_ALARM = Standing("CloudWatch alarms of high resolution", "AmazonCloudWatch", "high_resolution_alarm", _metrics, MONTHLY)


def _keeps_switches(resource: Resource) -> bool:
    """The table of the kit's own (infra/components/switch_state.py)."""
    return resource.type == "AWS::DynamoDB::Table" and resource.logical_id.startswith("SwitchTable")


def standing_lines(
    assembly: CloudAssembly, behind: Collection[str], book: PriceBook, hours: Decimal, *, without: Iterable[str] = ()
) -> tuple[LineItem, ...]:
    """A line for each kind of resource that no line is behind yet, free ones left out, and those of the stacks in `without`,
    which are the other lane's."""
    other, found = set(without), dict[Standing, list[Resource]]()
    for each in assembly.resources:
        kind = SWITCH_TABLE if _keeps_switches(each) else STANDING.get(each.type)
        if kind is None or each.id in behind or each.stack in other or free_because(each) is not None:
            continue
        if each.type == "AWS::CloudWatch::Alarm" and _is_quick(each):
            kind = QUICK_ALARM
        found.setdefault(kind, []).append(each)
    return tuple(line for kind, resources in found.items() for line in _lines(kind, resources, book, hours))


def _lines(kind: Standing, resources: list[Resource], book: PriceBook, hours: Decimal) -> list[LineItem]:
    amount = sum((kind.amount(each, hours) for each in resources), Decimal(0))
    note = f"{len(resources)} in the templates, {kind.note}"
    lines = priced(book.price(kind.service, kind.dimension), amount, name=f"{kind.name}, from templates", note=note)
    return [replace(line, resources=tuple(sorted(each.id for each in resources))) for line in lines]
