"""The settings of a stage, told from its synthesized templates: what will be deployed, whatever stages.toml says now.

What a template cannot tell (what the service itself is told, tuning that has no price) keeps the value of the stage that is
given beside the assembly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from infra.config import Stage
from infra.cost.cloud_assembly.reading import CloudAssembly, Resource
from infra.cost.cloud_assembly.scheduled import schedule_of
from infra.errors import InputError
from infra.overrides import as_text, override, value_of

Told = Iterator[tuple[str, object, Resource | None]]
"""A key of `crossover settings`, its value, and the resource that tells it (None: several, or that there is none of a kind)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """The stage that the assembly deploys. `drift` has a key, the value deployed, and what is said
    of it, where the stage given beside it differs."""

    stage: Stage
    told: dict[str, str]
    drift: tuple[tuple[str, str, str], ...]


def deployed_stage(assembly: CloudAssembly, beside: Stage) -> Deployed:
    """The stage of the templates, with `beside` for what they do not tell; `InputError` where they cannot be read."""
    values: dict[str, object] = {}
    drift = []
    for key, value, _ in _told(assembly):
        values[key] = value
    try:
        stage = override(values, beside)
    except InputError as error:
        raise InputError(f"{assembly.path}: {error}") from None
    for key, _, teller in _told(assembly):
        was, now = as_text(value_of(beside, key)), as_text(value_of(stage, key))
        if was != now:
            whence = f" ({teller.id})" if teller else ""
            drift.append((key, now, f"the templates deploy {now}{whence}, the settings say {was}; priced is {now}"))
    return Deployed(stage=stage, told={key: as_text(value_of(stage, key)) for key in values}, drift=tuple(drift))


def _told(assembly: CloudAssembly) -> Told:
    if assembly.stage is not None:
        yield "name", assembly.stage, None
    if assembly.region is not None:
        yield "region", assembly.region, None
    function, group = the_function(assembly), the_group(assembly)
    lanes = [name for name, found in (("lambda", function), ("container", group)) if found is not None]
    if not lanes:
        raise InputError(f"{assembly.path}: deploys neither lane: no AWS::Lambda::Function and no autoscaling group")
    yield "lanes", ",".join(lanes), None
    if function is not None:
        yield from _function(assembly, function)
    if group is not None:
        yield from _group(assembly, group)
    yield from _cache(assembly)
    yield from _network(assembly, group is not None)
    yield from _front(assembly)
    dashboards = assembly.of("AWS::CloudWatch::Dashboard")
    # Those on failed boots and of scaling stand in the container lane's stack whatever is watched.
    alarms = [each for each in assembly.of("AWS::CloudWatch::Alarm") if each.logical_id.startswith("Alarms")]
    yield "watch.dashboard", bool(dashboards), dashboards[0] if dashboards else None
    yield "watch.alarms", bool(alarms), alarms[0] if alarms else None


def the_function(assembly: CloudAssembly) -> Resource | None:
    """The function that serves searches: the one of the Lambda lane, by its tag."""
    return _of_lane(assembly.of("AWS::Lambda::Function"), "lambda")


def the_group(assembly: CloudAssembly) -> Resource | None:
    """The autoscaling group of the container lane, by its tag."""
    return _of_lane(assembly.of("AWS::AutoScaling::AutoScalingGroup"), "container")


def launch_template(assembly: CloudAssembly, group: Resource) -> Resource | None:
    """What the group launches."""
    mixed = group.table("MixedInstancesPolicy", "LaunchTemplate", "LaunchTemplateSpecification")
    named = (mixed or group.table("LaunchTemplate")).get("LaunchTemplateId")
    name = named.get("Ref") if isinstance(named, dict) else None
    found = [each for each in assembly.of("AWS::EC2::LaunchTemplate") if each.stack == group.stack and each.logical_id == name]
    return found[0] if found else None


def _of_lane(resources: list[Resource], lane: str) -> Resource | None:
    return next((each for each in resources if each.tags.get("crossover:lane") == lane), None)


def _function(assembly: CloudAssembly, function: Resource) -> Told:
    for key, path, default in (
        ("lambda_lane.memory_mb", ("MemorySize",), 128),
        ("lambda_lane.ephemeral_mb", ("EphemeralStorage", "Size"), 512),
        ("lambda_lane.timeout_s", ("Timeout",), 3),
        ("lambda_lane.reserved_concurrency", ("ReservedConcurrentExecutions",), None),
    ):
        yield key, function.whole(*path, default=default), function
    yield "architecture", _architecture(function), function
    runtime = function.text("Runtime")
    if runtime.startswith("python"):
        yield "python", runtime.removeprefix("python"), function
    variables = function.table("Environment", "Variables")
    yield "lambda_lane.runtime_client", "asyncio" if "AWS_LAMBDA_EXEC_WRAPPER" in variables else "aws", function
    yield "search.emf_s", variables.get("CROSSOVER_EMF_S", 0), function
    if isinstance(variables.get("CROSSOVER_SECRET", ""), str):
        yield "secret", variables.get("CROSSOVER_SECRET", "none"), function
    yield "lambda_lane.snap_start", function.literal("SnapStart", "ApplyOn") == "PublishedVersions", function
    at_once = (
        "CapacityProviderConfig",
        "LambdaManagedInstancesCapacityProviderConfig",
        "PerExecutionEnvironmentMaxConcurrency",
    )
    yield "lambda_lane.managed_concurrency", function.whole(*at_once), function
    for alias in _beside(assembly, function, "AWS::Lambda::Alias"):
        kept = alias.whole("ProvisionedConcurrencyConfig", "ProvisionedConcurrentExecutions")
        yield "lambda_lane.provisioned_concurrency", kept, alias
    for version in _beside(assembly, function, "AWS::Lambda::Version"):
        most = version.whole("FunctionScalingConfig", "MaxExecutionEnvironments")
        if most is not None:
            yield "lambda_lane.managed_max_environments", most, version
    for logs in _beside(assembly, function, "AWS::Logs::LogGroup")[:1]:
        days = logs.whole("RetentionInDays")
        if days is not None:
            yield "lambda_lane.log_retention_days", days, logs


def _architecture(function: Resource) -> str:
    named = function.literal("Architectures", default=["x86_64"])
    if not isinstance(named, list) or len(named) != 1 or not isinstance(named[0], str):
        raise function.wrong(("Architectures",), named, "a list of one name")
    return named[0]


def _beside(assembly: CloudAssembly, resource: Resource, kind: str) -> list[Resource]:
    return [each for each in assembly.of(kind) if each.stack == resource.stack]


def _group(assembly: CloudAssembly, group: Resource) -> Told:
    mixed = ("MixedInstancesPolicy", "LaunchTemplate", "Overrides")
    types = [each.text("InstanceType") for each in group.parts(*mixed) if "InstanceType" in each.properties]
    template = launch_template(assembly, group)
    if not types and template is not None:
        types = [template.text("LaunchTemplateData", "InstanceType")]
    yield "container_lane.instance_types", ",".join(types), group
    yield "container_lane.min_instances", group.whole("MinSize"), group
    yield "container_lane.max_instances", group.whole("MaxSize"), group
    distribution = ("MixedInstancesPolicy", "InstancesDistribution")
    yield "container_lane.on_demand_base", group.whole(*distribution, "OnDemandBaseCapacity", default=0), group
    share = group.whole(*distribution, "OnDemandPercentageAboveBaseCapacity", default=100)
    yield "container_lane.spot_percent", 100 - (share or 0), group
    for policy in _beside(assembly, group, "AWS::AutoScaling::ScalingPolicy"):
        tracking = "TargetTrackingConfiguration"
        if policy.literal(tracking, "PredefinedMetricSpecification", "PredefinedMetricType") == "ASGAverageCPUUtilization":
            yield "container_lane.target_utilization", _percent(policy, tracking, "TargetValue") / 100, policy
    actions = _beside(assembly, group, "AWS::AutoScaling::ScheduledAction")
    yield "container_lane.schedules", ",".join(map(schedule_of, actions)), actions[0] if actions else None
    if template is not None:
        yield from _launch(template)


def _percent(resource: Resource, *path: str) -> float:
    value = resource.literal(*path)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise resource.wrong(path, value, "a number") from None


def volumes(template: Resource) -> list[Resource]:
    """What a launch template says of each volume, below `Ebs`."""
    devices = template.parts("LaunchTemplateData", "BlockDeviceMappings")
    return [device for device in devices if device.table("Ebs")]


def _launch(template: Resource) -> Told:
    sizes = [size for each in volumes(template) if (size := each.whole("Ebs", "VolumeSize")) is not None]
    if sizes:
        yield "container_lane.volume_gb", sum(sizes), template
    agent = re.search(r"cloudwatch_agent\W+(true|false)", str(template.properties), re.IGNORECASE)
    if agent:
        yield "container_lane.cloudwatch_agent", agent[1].lower() == "true", template
    workers = re.search(r"workers_per_vcpu\W+(\d+)", str(template.properties), re.IGNORECASE)
    if workers:
        yield "container_lane.workers_per_vcpu", int(workers[1]), template


def _network(assembly: CloudAssembly, with_instances: bool) -> Told:
    subnets = assembly.of("AWS::EC2::Subnet")
    zones = sorted({each.text("AvailabilityZone")[-1:] for each in subnets} - {""})
    if zones:
        yield "network.availability_zones", ",".join(zones), subnets[0]
    if not with_instances:
        return
    for egress, kind in (
        ("nat_gateway", "AWS::EC2::NatGateway"),
        ("nat_instance", "AWS::EC2::Instance"),
        ("ipv6", "AWS::EC2::EgressOnlyInternetGateway"),
    ):
        found = assembly.of(kind)
        if found:
            yield "network.egress", egress, found[0]
            if egress == "nat_instance":
                yield from _nat_type(assembly, found[0])
            return
    yield "network.egress", "public", None


def _nat_type(assembly: CloudAssembly, instance: Resource) -> Told:
    for source in (instance, *_beside(assembly, instance, "AWS::EC2::LaunchTemplate")):
        path = ("InstanceType",) if source is instance else ("LaunchTemplateData", "InstanceType")
        kind = source.text(*path)
        if kind:
            yield "network.nat_instance_type", kind, source
            return


def _front(assembly: CloudAssembly) -> Told:
    urls, apis = assembly.of("AWS::Lambda::Url"), assembly.of("AWS::ApiGatewayV2::Api")
    front = "function_url" if urls else "http_api" if apis else "load_balancer"
    yield "lambda_lane.front", front, next(iter(urls or apis), None)
    for balancer in assembly.of("AWS::ElasticLoadBalancingV2::LoadBalancer")[:1]:
        attributes = {each.text("Key"): each.properties.get("Value") for each in balancer.parts("LoadBalancerAttributes")}
        yield "traffic.idle_timeout_s", attributes.get("idle_timeout.timeout_seconds", "60"), balancer
        logged = attributes.get("access_logs.s3.enabled") == "true"
        yield "traffic.access_log_days", _log_days(assembly) if logged else "none", balancer
    firewalls = assembly.of("AWS::WAFv2::WebACL")
    yield "traffic.waf", bool(firewalls), next(iter(firewalls), None)
    waf_logs = [each for each in assembly.of("AWS::Logs::LogGroup") if "aws-waf-logs" in str(each.properties)]
    yield "traffic.waf_log_days", waf_logs[0].whole("RetentionInDays") if waf_logs else "none", next(iter(waf_logs), None)
    headers = [
        condition.text("HttpHeaderConfig", "HttpHeaderName")
        for rule in assembly.of("AWS::ElasticLoadBalancingV2::ListenerRule")
        for condition in rule.parts("Conditions")
        if "HttpHeaderConfig" in condition.properties
    ]
    yield "traffic.lane_header", next((name for name in headers if not name.endswith("-token")), "none"), None


def _log_days(assembly: CloudAssembly) -> object:
    for bucket in assembly.of("AWS::S3::Bucket"):
        for rule in bucket.parts("LifecycleConfiguration", "Rules"):
            if "ExpirationInDays" in rule.properties:
                return rule.whole("ExpirationInDays")
    raise InputError(f"{assembly.path}: the load balancer writes access logs to a bucket that keeps them for ever: no price")


def _cache(assembly: CloudAssembly) -> Told:
    for nodes in assembly.of("AWS::ElastiCache::ReplicationGroup")[:1]:
        yield "cache.kind", "nodes", nodes
        yield "cache.node_type", nodes.text("CacheNodeType"), nodes
        yield "cache.replicas", (nodes.whole("NumCacheClusters", default=1) or 1) - 1, nodes
        return
    for serverless in assembly.of("AWS::ElastiCache::ServerlessCache")[:1]:
        yield "cache.kind", "serverless", serverless
        yield "cache.max_gb", serverless.whole("CacheUsageLimits", "DataStorage", "Maximum", default=5_000), serverless
        return
    yield "cache.kind", "none", None
