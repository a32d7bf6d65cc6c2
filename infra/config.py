"""Per-stage deployment values, typed and validated in one place.

The stacks deploy these values and the cost model prices the same ones, so a report is about what will really be deployed.
Imports no `aws_cdk`: the cost tools start without Node.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from infra.errors import InputError

ARCHITECTURES = ("arm64", "x86_64")
LAMBDA_MEMORY_MB = (128, 10_240)


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
    """

    instance_types: tuple[str, ...] = ("c7g.large", "c6g.large", "m7g.large", "m6g.large", "c6gn.large", "r6g.large")
    min_instances: int = 2
    max_instances: int = 60
    on_demand_base: int = 2
    spot_percent: int = 80
    target_utilization: float = 0.6
    workers_per_vcpu: int = 1
    volume_gb: int = 8
    port: int = 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Public subnets with public IPv4 addresses: no NAT gateway, whose data charge on the suppliers' answers
    would cost as much as the whole fleet."""

    availability_zones: tuple[str, ...] = ("a", "b")
    cidr: str = "10.40.0.0/16"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The load balancer and how it splits requests at first deployment; weights are 0 to 999 each, not both 0."""

    lambda_weight: int = 0
    container_weight: int = 100
    idle_timeout_s: int = 60
    certificate_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that differs between two deployments of the kit."""

    name: str = "dev"
    region: str = "us-east-1"
    architecture: str = "arm64"
    python: str = "3.13"
    suppliers_url: str = "https://suppliers.example.com"
    lambda_lane: LambdaLane = field(default_factory=LambdaLane)
    container_lane: ContainerLane = field(default_factory=ContainerLane)
    network: Network = field(default_factory=Network)
    traffic: Traffic = field(default_factory=Traffic)

    def __post_init__(self) -> None:
        low, high = LAMBDA_MEMORY_MB
        container, traffic = self.container_lane, self.traffic
        checks: tuple[tuple[bool, str], ...] = (
            (self.name.isidentifier(), f"name: {self.name!r} must be letters, digits and underscores"),
            (self.architecture in ARCHITECTURES, f"architecture: {self.architecture!r}, must be arm64 or x86_64"),
            (low <= self.lambda_lane.memory_mb <= high, f"lambda_lane.memory_mb: must be {low} to {high}"),
            (1 <= self.lambda_lane.timeout_s <= 900, "lambda_lane.timeout_s: must be 1 to 900"),
            (bool(container.instance_types), "container_lane.instance_types: name at least one type"),
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
            (
                all(0 <= w <= 999 for w in (traffic.lambda_weight, traffic.container_weight))
                and traffic.lambda_weight + traffic.container_weight > 0,
                "traffic weights: each must be 0 to 999 and not both 0",
            ),
        )
        for right, reason in checks:
            if not right:
                raise InputError(f"stage {self.name!r}: {reason}")


DEFAULT_STAGE = Stage()
