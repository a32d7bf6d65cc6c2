"""Which lines of the bill stand for which resource, and which resource has no line.

A resource is one of three: free by its type (`free`, with the source of that), behind a line of the bill, or *not priced*, and
then it is listed with its type and logical id. A type that no table knows is not priced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from infra.config import LANES, Stage
from infra.cost.cloud_assembly.free import free_because, monitored
from infra.cost.cloud_assembly.reading import CloudAssembly, Resource
from infra.cost.cloud_assembly.settings import launch_template, the_function, the_group, volumes
from infra.cost.lane import LaneCost
from infra.cost.lines.ec2 import GP3_IOPS, GP3_THROUGHPUT
from infra.cost.lines.line import LineItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Lines whose names begin so stand for these resources, `most` of them (None: all).

    `lane` None: in both lanes; a bill of both lanes together has the lines of either. `note` is how the lines' note begins,
    where the name alone does not tell.
    """

    lines: tuple[str, ...]
    resources: tuple[Resource, ...]
    lane: str | None = None
    note: str | None = None
    most: int | None = None

    def covers(self, line: LineItem, lane: str) -> bool:
        of_lane = self.lane is None or lane == self.lane or lane not in LANES
        named = any(line.name.startswith(name) for name in self.lines)
        return of_lane and named and (self.note is None or line.note.startswith(self.note))


def rules(assembly: CloudAssembly, stage: Stage) -> tuple[Rule, ...]:
    """Every line of the model and the resources behind it."""
    return (*_lanes(assembly, stage), *_shared(assembly, stage), *_alarms(assembly))


def _lanes(assembly: CloudAssembly, stage: Stage) -> tuple[Rule, ...]:
    function, group = the_function(assembly), the_group(assembly)
    template = None if group is None else launch_template(assembly, group)
    of = _finder(assembly)
    run = (function,) if function else ()
    instances = tuple(each for each in (group, template) if each is not None)
    detailed = tuple(each for each in (template,) if each is not None and monitored(each))
    nat = "one NAT instance in each"
    lambda_stack = "" if function is None else function.stack
    return (
        Rule(lane="lambda", lines=("Lambda requests", "Lambda compute", "Lambda ephemeral", "Data transfer"), resources=run),
        Rule(
            lane="lambda", lines=("Lambda provisioned", "Lambda compute on"), resources=of("AWS::Lambda::Alias", lambda_stack)
        ),
        Rule(lane="lambda", lines=("Lambda SnapStart",), resources=of("AWS::Lambda::Version", lambda_stack)),
        Rule(
            lane="lambda",
            lines=("EC2 on demand", "Lambda management"),
            resources=(*of("AWS::Lambda::CapacityProvider"), *of("AWS::Lambda::Version", lambda_stack)),
        ),
        Rule(lane="lambda", lines=("CloudWatch Logs",), resources=of("AWS::Logs::LogGroup", lambda_stack), most=1),
        Rule(lane="lambda", lines=("CloudWatch metrics, embedded",), resources=run),
        Rule(
            lane="container", note=nat, lines=("EC2 on demand", "EBS"), resources=of("AWS::EC2::Instance"), most=_zones(stage)
        ),
        Rule(
            lane="container",
            lines=("EC2 on demand", "EC2 spot", "EBS", "CloudWatch metric", "CloudWatch agent"),
            resources=instances,
        ),
        Rule(lane="container", lines=("Public IPv4, instances", "Data transfer"), resources=instances[:1]),
        Rule(lane="container", lines=("EC2 detailed monitoring", "CloudWatch detailed monitoring"), resources=detailed),
    )


def _shared(assembly: CloudAssembly, stage: Stage) -> tuple[Rule, ...]:
    of, zones = _finder(assembly), _zones(stage)
    secrets = of("AWS::SecretsManager::Secret")
    tokens = tuple(each for each in secrets if "token" in each.logical_id.lower())
    passwords = tuple(each for each in secrets if each.logical_id.startswith("CachePassword"))
    logged = "aws-waf-logs"
    return (
        Rule(
            lines=("Load balancer", "Public IPv4, load balancer", "Data transfer out", "Data transfer in"),
            resources=of("AWS::ElasticLoadBalancingV2::LoadBalancer"),
            most=1,
        ),
        Rule(lines=("HTTP API",), resources=of("AWS::ApiGatewayV2::Api"), most=1),
        Rule(lines=("NAT gateway",), resources=of("AWS::EC2::NatGateway"), most=zones),
        Rule(lines=("Public IPv4, NAT gateways",), resources=of("AWS::EC2::EIP"), most=zones),
        Rule(lines=("Public IPv4, NAT instances",), resources=of("AWS::EC2::Instance"), most=zones),
        Rule(lines=("S3 ", "Access logs"), resources=of("AWS::S3::Bucket"), most=1),
        Rule(lines=("WAF web", "WAF rules", "WAF requests"), resources=of("AWS::WAFv2::WebACL"), most=1),
        Rule(lines=("WAF log",), resources=tuple(r for r in of("AWS::Logs::LogGroup") if logged in str(r.properties))),
        Rule(lines=("Secret, lane token",), resources=tokens, most=1),
        Rule(lines=("Secret, cache",), resources=passwords, most=1),
        Rule(lines=("Cache",), resources=of("AWS::ElastiCache::ReplicationGroup"), most=1),
        Rule(lines=("Cache",), resources=of("AWS::ElastiCache::ServerlessCache"), most=1),
        Rule(lines=("CloudWatch dashboard",), resources=of("AWS::CloudWatch::Dashboard"), most=1),
        Rule(lines=("KMS",), resources=of("AWS::KMS::Key"), most=1),
    )


def _alarms(assembly: CloudAssembly) -> tuple[Rule, ...]:
    """Alarms by what they watch, which their logical ids begin with; the container lane has those of its scaling too."""
    of, group = _finder(assembly), the_group(assembly)
    watched = {
        "lambda lane": "Alarmslambda",
        "container lane": "Alarmscontainer",
        "load balancer": "Alarmselb",
        "scheduled switches": "Alarmsswitch",
    }
    own: dict[str, tuple[Resource, ...]] = {}
    for name, prefix in watched.items():
        own[name] = tuple(each for each in of("AWS::CloudWatch::Alarm") if each.logical_id.startswith(prefix))
    if group is not None:
        boot = tuple(each for each in of("AWS::CloudWatch::Alarm", group.stack) if "BootFailures" in each.logical_id)
        own["container lane"] += (*boot, *of("AWS::AutoScaling::ScalingPolicy", group.stack))
    lanes = {"lambda lane": "AlarmsLanelambda", "container lane": "AlarmsLanecontainer"}
    composite = of("AWS::CloudWatch::CompositeAlarm")
    return (
        *(Rule(lines=(f"CloudWatch alarms, {name}",), resources=found) for name, found in own.items()),
        *(
            Rule(
                lines=(f"CloudWatch composite alarm, {name}",),
                resources=tuple(each for each in composite if each.logical_id.startswith(prefix)),
            )
            for name, prefix in lanes.items()
        ),
    )


def _finder(assembly: CloudAssembly) -> Callable[..., tuple[Resource, ...]]:
    def of(kind: str, stack: str | None = None) -> tuple[Resource, ...]:
        return tuple(each for each in assembly.of(kind) if stack is None or each.stack == stack)

    return of


def _zones(stage: Stage) -> int:
    return len(stage.network.availability_zones)


def trace(lane: LaneCost, known: Iterable[Rule]) -> LaneCost:
    """The lane with each line's logical ids; nothing else changes."""
    table = tuple(known)
    return replace(lane, lines=tuple(replace(line, resources=_behind(line, lane.lane, table)) for line in lane.lines))


def _behind(line: LineItem, lane: str, table: tuple[Rule, ...]) -> tuple[str, ...]:
    if line.resources:  # named as it was priced (`standing`)
        return line.resources
    nat = line.note.startswith("one NAT instance in each")
    covering = [rule for rule in table if rule.covers(line, lane) and (not nat or rule.note or "NAT" in rule.lines[0])]
    found = (each.id for rule in covering for each in rule.resources[: rule.most])
    return tuple(sorted(dict.fromkeys(found)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpriced:
    """Resources of one type that cost something, or may, and have no line."""

    type: str
    ids: tuple[str, ...]
    why: str

    def __str__(self) -> str:
        count = f"{len(self.ids)} × " if len(self.ids) > 1 else ""
        return f"{count}{self.type}: {self.why} ({', '.join(self.ids)})"


NO_LINE = "no line of this estimate stands for it"
WHY: Mapping[str, str] = {
    "AWS::AutoScaling::ScalingPolicy": "the alarms that target tracking makes for itself are billed as alarms",
    "AWS::CloudWatch::Alarm": "an alarm is billed by the month",
    "AWS::CloudWatch::CompositeAlarm": "an alarm is billed by the month",
    "AWS::DynamoDB::Table": "requests and storage, of which the templates tell nothing",
    "AWS::KMS::Key": "a key is billed by the month, and by requests",
    "AWS::Lambda::Function": "a function beside the lane: its requests and their duration are not known",
    "AWS::Logs::LogGroup": "what is written to it is not known",
    "AWS::SQS::Queue": "billed by the request, whose number is not known",
    "AWS::SecretsManager::Secret": "a secret is billed by the month",
    "AWS::StepFunctions::StateMachine": "billed by the transition, whose number is not known",
    **dict.fromkeys(
        (
            "AWS::ApiGatewayV2::Api",
            "AWS::AutoScaling::AutoScalingGroup",
            "AWS::CloudWatch::Dashboard",
            "AWS::EC2::EIP",
            "AWS::EC2::Instance",
            "AWS::EC2::LaunchTemplate",
            "AWS::EC2::NatGateway",
            "AWS::EC2::VPCEndpoint",
            "AWS::ElastiCache::ReplicationGroup",
            "AWS::ElastiCache::ServerlessCache",
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "AWS::Lambda::Alias",
            "AWS::Lambda::CapacityProvider",
            "AWS::Lambda::Version",
            "AWS::Route53::RecordSet",
            "AWS::S3::Bucket",
            "AWS::SSM::Parameter",
            "AWS::WAFv2::WebACL",
        ),
        NO_LINE,
    ),
}
UNKNOWN = "a type that this estimate does not know"


def unpriced(assembly: CloudAssembly, lanes: Iterable[LaneCost]) -> tuple[Unpriced, ...]:
    """What is neither free by its type nor behind a line, in the order of the templates; lanes as `trace` gave them."""
    lines = [line for lane in lanes for line in lane.lines]
    behind = {each for line in lines for each in line.resources}
    found: dict[tuple[str, str], list[str]] = {}
    for each in assembly.resources:
        if each.id not in behind and free_because(each) is None:
            found.setdefault((each.type, WHY.get(each.type, UNKNOWN)), []).append(each.id)
        for why, name in _besides(each):
            if each.id in behind and not any(name in line.name for line in lines):
                found.setdefault((each.type, why), []).append(each.id)
    return tuple(Unpriced(type=kind, why=why, ids=tuple(ids)) for (kind, why), ids in found.items())


def _besides(resource: Resource) -> Iterator[tuple[str, str]]:
    """What a resource costs beside its own lines: why, and the beginning of the line that would stand for it."""
    if monitored(resource):
        yield "its instances have detailed monitoring, which is billed as seven metrics each", "detailed monitoring"
    if resource.type == "AWS::Lambda::Function" and (resource.whole("EphemeralStorage", "Size", default=512) or 0) > 512:
        yield "its disk beyond 512 MB", "Lambda ephemeral storage"
    if resource.type == "AWS::EC2::LaunchTemplate" and any(map(_is_special, volumes(resource))):
        yield "volumes of another kind than gp3, or with more than its 3,000 operations and 125 MB a second", "EBS performance"
    if resource.type == "AWS::EC2::VPCEndpoint":
        yield "the GB that pass it", "VPC endpoint data"
    if resource.type == "AWS::KMS::Key":
        yield "requests to it", "KMS requests"
    if resource.type == "AWS::DynamoDB::Table":
        yield "its reads, storage and backup, of a few megabytes", "DynamoDB storage"


def _is_special(volume: Resource) -> bool:
    faster = (volume.whole("Ebs", "Iops", default=0) or 0) > GP3_IOPS
    return volume.text("Ebs", "VolumeType", default="gp2") != "gp3" or faster or _moves_more(volume)


def _moves_more(volume: Resource) -> bool:
    return (volume.whole("Ebs", "Throughput", default=0) or 0) > GP3_THROUGHPUT
