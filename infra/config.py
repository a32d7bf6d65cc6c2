"""Per-stage deployment values, typed and validated in one place.

The stacks deploy these values and the cost model prices the same ones: a report is about what will really be deployed.
Imports no `aws_cdk`: the cost tools start without Node.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from infra.errors import InputError

ARCHITECTURES = ("arm64", "x86_64")
PYTHONS = ("3.11", "3.12", "3.13")  # packaged by Amazon Linux 2023 and managed by AWS Lambda
LAMBDA_MEMORY_MB = (128, 10_240)
# The service's own (app/serving/worker.py): a connection must end at the load balancer first, or a request meets a closed one.
KEEP_ALIVE_S = 75
# What CloudWatch Logs accepts as a retention (PutRetentionPolicy, Amazon CloudWatch Logs API reference).
# fmt: off
LOG_RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)
# fmt: on
# A secret's name, or its ARN, which Secrets Manager ends with six characters of its own (CreateSecret, API reference).
SECRET_FORMS = (
    r"[A-Za-z0-9/_+=.@-]{1,512}",
    r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]{1,512}-[A-Za-z0-9]{6}",
)
# Used when a deployment asks for an architecture and names no types; all have 2 vCPUs.
INSTANCE_TYPES: dict[str, tuple[str, ...]] = {
    "arm64": ("c7g.large", "c6g.large", "m7g.large", "m6g.large", "c8g.large", "r7g.large"),
    "x86_64": ("c7i.large", "c6i.large", "m7i.large", "m6i.large", "c6a.large", "m6a.large"),
}

Checks = tuple[tuple[bool, str], ...]


def instance_architecture(instance_type: str) -> str:
    """`arm64` for AWS Graviton families (a1, or a g after the generation: c7g, m6gd, x2gd), else `x86_64`."""
    return "arm64" if re.match(r"a1\.|[a-z]+\d+g", instance_type) else "x86_64"


def _one_of(values: tuple[object, ...]) -> str:
    return ", ".join(str(value) for value in values[:-1]) + f" or {values[-1]}"


def _is_network(cidr: str) -> bool:
    try:
        return 16 <= ipaddress.IPv4Network(cidr).prefixlen <= 22
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaLane:
    """The Lambda lane. Memory sets CPU: 1,769 MB is one vCPU (AWS Lambda documentation)."""

    memory_mb: int = 1_769
    timeout_s: int = 10
    reserved_concurrency: int | None = None
    log_retention_days: int = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerLane:
    """The container lane: one autoscaling group of mixed on-demand and spot instances.

    `on_demand_base` instances are always on demand; above it `spot_percent` of the capacity is spot.
    `target_utilization` is the share of an instance's CPU the scaling target leaves in use.
    The instance types must share one size, so that an instance is one unit of capacity.
    `health_check_grace_s` covers booting; `deregistration_delay_s` is how long the load balancer lets a leaving
    instance finish what it has.
    """

    instance_types: tuple[str, ...] = INSTANCE_TYPES["arm64"]
    min_instances: int = 2
    max_instances: int = 100
    on_demand_base: int = 2
    spot_percent: int = 80
    target_utilization: float = 0.6
    workers_per_vcpu: int = 1
    volume_gb: int = 8
    port: int = 8000
    health_check_grace_s: int = 180
    deregistration_delay_s: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Public subnets with public IPv4 addresses: no NAT gateway, whose data charge on the suppliers' answers
    would cost as much as the whole fleet."""

    availability_zones: tuple[str, ...] = ("a", "b")
    cidr: str = "10.40.0.0/16"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The load balancer and how it splits requests at first deployment; weights are 0 to 999 each, not both 0.

    A request that carries `lane_header: lambda` or `lane_header: container` goes to that lane whatever the weights say
    (for smoke tests); None leaves this out.
    """

    lambda_weight: int = 0
    container_weight: int = 100
    idle_timeout_s: int = 60
    certificate_arn: str | None = None
    lane_header: str | None = "x-crossover-lane"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that differs between two deployments of the kit. `service` is the folder of a service of the user's own;
    `secret` names a secret of AWS Secrets Manager (its name, or its whole ARN) that both lanes read at start."""

    name: str = "dev"
    region: str = "us-east-1"
    architecture: str = "arm64"
    python: str = "3.13"
    suppliers_url: str = "https://suppliers.example.com"
    service: str | None = None
    secret: str | None = None
    lambda_lane: LambdaLane = field(default_factory=LambdaLane)
    container_lane: ContainerLane = field(default_factory=ContainerLane)
    network: Network = field(default_factory=Network)
    traffic: Traffic = field(default_factory=Traffic)

    def __post_init__(self) -> None:
        for right, reason in (*self._own_checks(), *self._lane_checks(), *self._edge_checks()):
            if not right:
                raise InputError(f"stage {self.name!r}: {reason}")

    @property
    def resource_prefix(self) -> str:
        """What the names of this stage's stacks begin with."""
        return f"crossover-{self.name.replace('_', '-')}"

    def _own_checks(self) -> Checks:
        return (
            (
                re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,31}", self.name) is not None,
                f"name: {self.name!r} must be 1 to 32 letters, digits and underscores, a letter first",
            ),
            (
                re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", self.region) is not None,
                f"region: {self.region!r} must be a region's code, as us-east-1",
            ),
            (
                self.architecture in ARCHITECTURES,
                f"architecture: {self.architecture!r}, must be {_one_of(ARCHITECTURES)}",
            ),
            (self.python in PYTHONS, f"python: {self.python!r}, must be {_one_of(PYTHONS)}"),
            (
                re.fullmatch(r"https?://[^/\s]+\S*", self.suppliers_url) is not None,
                f"suppliers_url: {self.suppliers_url!r} must be an http:// or https:// URL",
            ),
            (
                self.secret is None or any(re.fullmatch(form, self.secret) for form in SECRET_FORMS),
                f"secret: {self.secret!r} must be a secret's name, or its whole ARN with the six characters at its end",
            ),
        )

    def _lane_checks(self) -> Checks:
        low, high = LAMBDA_MEMORY_MB
        function, container = self.lambda_lane, self.container_lane
        types = container.instance_types
        reserved = function.reserved_concurrency
        return (
            (low <= function.memory_mb <= high, f"lambda_lane.memory_mb: must be {low} to {high}"),
            (1 <= function.timeout_s <= 900, "lambda_lane.timeout_s: must be 1 to 900"),
            (reserved is None or reserved >= 0, "lambda_lane.reserved_concurrency: must be 0 or more, or none"),
            (
                function.log_retention_days in LOG_RETENTION_DAYS,
                f"lambda_lane.log_retention_days: must be {_one_of(LOG_RETENTION_DAYS)}",
            ),
            (bool(types), "container_lane.instance_types: name at least one type"),
            (
                all(instance_architecture(name) == self.architecture for name in types),
                f"container_lane.instance_types: {', '.join(types)} are not all {self.architecture}",
            ),
            (
                len({name.partition(".")[2] for name in types}) == 1,
                f"container_lane.instance_types: {', '.join(types)} must share one size",
            ),
            (
                0 < container.min_instances <= container.max_instances,
                "container_lane.min_instances: must be 1 to max_instances",
            ),
            (
                0 <= container.on_demand_base <= container.max_instances,
                "container_lane.on_demand_base: must be 0 to max_instances",
            ),
            (0 <= container.spot_percent <= 100, "container_lane.spot_percent: must be 0 to 100"),
            (0 < container.target_utilization < 1, "container_lane.target_utilization: must be between 0 and 1"),
            (container.workers_per_vcpu >= 1, "container_lane.workers_per_vcpu: must be 1 or more"),
            (1024 <= container.port <= 65_535, "container_lane.port: must be 1024 to 65535"),
            (container.volume_gb >= 8, "container_lane.volume_gb: must be 8 or more, the size of the machine image"),
            (0 <= container.deregistration_delay_s <= 3600, "container_lane.deregistration_delay_s: must be 0 to 3600"),
            (container.health_check_grace_s >= 0, "container_lane.health_check_grace_s: must be 0 or more"),
        )

    def _edge_checks(self) -> Checks:
        zones, traffic = self.network.availability_zones, self.traffic
        return (
            (
                len(set(zones)) == len(zones) >= 2 and all(re.fullmatch("[a-z]", zone) for zone in zones),
                f"network.availability_zones: {','.join(zones)!r} must be two or more letters, as a,b",
            ),
            (
                _is_network(self.network.cidr),
                f"network.cidr: {self.network.cidr!r} must be an IPv4 network of /16 to /22",
            ),
            (
                all(0 <= w <= 999 for w in (traffic.lambda_weight, traffic.container_weight))
                and traffic.lambda_weight + traffic.container_weight > 0,
                "traffic weights: each must be 0 to 999 and not both 0",
            ),
            (
                1 <= traffic.idle_timeout_s < KEEP_ALIVE_S,
                f"traffic.idle_timeout_s: must be 1 to {KEEP_ALIVE_S - 1}, less than the service's keep-alive",
            ),
            (
                traffic.certificate_arn is None or traffic.certificate_arn.startswith("arn:"),
                f"traffic.certificate_arn: {traffic.certificate_arn!r} must be the ARN of an ACM certificate",
            ),
            (
                traffic.lane_header is None or re.fullmatch(r"[A-Za-z0-9-]{1,40}", traffic.lane_header) is not None,
                f"traffic.lane_header: {traffic.lane_header!r} must be a header's name of letters, digits and hyphens",
            ),
        )


DEFAULT_STAGE = Stage()
