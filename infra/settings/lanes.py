"""What runs: the service's own settings, the Lambda lane, the container lane."""

from __future__ import annotations

import re
from dataclasses import dataclass

from infra.settings.cron import is_cron
from infra.settings.setting import Checks, one_of, setting

LAMBDA_MEMORY_MB = (128, 10_240)
LAMBDA_DISK_MB = (512, 10_240)
FRONTS = ("load_balancer", "function_url", "http_api")
URL_AUTHS = ("iam", "none")
API_TIMEOUT_S = 30  # the longest that an HTTP API waits for an integration (API Gateway quotas)
RUNTIME_CLIENTS = ("aws", "asyncio")
MANAGED_MB_PER_VCPU = 2_048  # the least memory that Lambda Managed Instances give a vCPU: searching takes CPU, not memory
# What CloudWatch Logs accepts as a retention (PutRetentionPolicy, Amazon CloudWatch Logs API reference).
# fmt: off
LOG_RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)
# fmt: on
# Used when a deployment asks for an architecture and names no types; all have 2 vCPUs.
INSTANCE_TYPES: dict[str, tuple[str, ...]] = {
    "arm64": ("c7g.large", "c6g.large", "m7g.large", "m6g.large", "c8g.large", "r7g.large"),
    "x86_64": ("c7i.large", "c6i.large", "m7i.large", "m6i.large", "c6a.large", "m6a.large"),
}
SCHEDULE = r"min=\d{1,4}@.+"


def instance_architecture(instance_type: str) -> str:
    """`arm64` for AWS Graviton families (a1, or a g after the generation: c7g, m6gd, x2gd), else `x86_64`."""
    return "arm64" if re.match(r"a1\.|[a-z]+\d+g", instance_type) else "x86_64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What the search service is told on both lanes; `None` leaves the service its own default (docs/architecture.md)."""

    deadline_ms: int | None = setting(None, "deadline of one search; the service's own is 1,500")
    fresh_s: float | None = setting(None, "seconds that a supplier's answer may be used again; the service's own is 0")
    ops: bool = setting(False, "serve `/ops`, the page of the last minutes, to anyone who reaches the service")
    emf_s: int = setting(0, "seconds between lines of embedded metrics on standard output; 0 is never")
    otlp_endpoint: str | None = setting(
        None, "base URL of an OpenTelemetry collector that takes OTLP as JSON; traces are sent there"
    )
    traces_ratio: float = setting(0.1, "share of searches that are traced, where a collector is named")

    def checks(self) -> Checks:
        return (
            (self.deadline_ms is None or 50 <= self.deadline_ms <= 60_000, "search.deadline_ms: must be 50 to 60000, or none"),
            (self.fresh_s is None or 0 <= self.fresh_s <= 86_400, "search.fresh_s: must be 0 to 86400, or none"),
            (0 <= self.emf_s <= 3600, "search.emf_s: must be 0 to 3600"),
            (
                self.otlp_endpoint is None or re.fullmatch(r"https?://[^/\s]+\S*", self.otlp_endpoint) is not None,
                f"search.otlp_endpoint: {self.otlp_endpoint!r} must be an http:// or https:// URL",
            ),
            (0 <= self.traces_ratio <= 1, "search.traces_ratio: must be 0 to 1"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaLane:
    """The Lambda lane. Memory sets CPU: 1,769 MB is one vCPU (AWS Lambda documentation)."""

    memory_mb: int = setting(
        512, "memory, and with it CPU: 1,769 MB is one vCPU; 512 measured cheapest that starts within a second"
    )
    ephemeral_mb: int = setting(512, "the function's own disk, `/tmp`; beyond 512 MB it is billed")
    timeout_s: int = setting(10, "when an invocation is killed")
    reserved_concurrency: int | None = setting(
        None, "most environments at once, kept back from the account's pool: a guard of spend and suppliers"
    )
    provisioned_concurrency: int | None = setting(None, "environments kept started, billed by the hour")
    snap_start: bool = setting(False, "start environments from a snapshot of INIT (published versions; Python 3.12 or newer)")
    front: str = setting(
        "load_balancer",
        "`load_balancer`, or for a deployment of this lane alone `function_url` or `http_api`",
    )
    function_url_auth: str = setting(
        "iam", "who may call the function URL: `iam`, signed requests of principals that may invoke it; `none`, anyone"
    )
    api_requests_per_s: int = setting(500, "requests/s after which the HTTP API refuses with 429; as many at once")
    runtime_client: str = setting("aws", "`aws`: AWS's client; `asyncio`: the bundle's own, on one event loop")
    managed_concurrency: int | None = setting(
        None, "searches at once in one environment on Lambda Managed Instances; `none`: ordinary Lambda"
    )
    managed_max_environments: int = setting(30, "most environments on Lambda Managed Instances")
    log_retention_days: int = setting(14, "how long logs stay")

    def checks(self, python: str) -> Checks:
        low, high = LAMBDA_MEMORY_MB
        reserved, provisioned, managed = self.reserved_concurrency, self.provisioned_concurrency, self.managed_concurrency
        return (
            (low <= self.memory_mb <= high, f"lambda_lane.memory_mb: must be {low} to {high}"),
            (
                LAMBDA_DISK_MB[0] <= self.ephemeral_mb <= LAMBDA_DISK_MB[1],
                f"lambda_lane.ephemeral_mb: must be {LAMBDA_DISK_MB[0]} to {LAMBDA_DISK_MB[1]}",
            ),
            (1 <= self.timeout_s <= 900, "lambda_lane.timeout_s: must be 1 to 900"),
            (reserved is None or reserved >= 0, "lambda_lane.reserved_concurrency: must be 0 or more, or none"),
            (provisioned is None or provisioned >= 1, "lambda_lane.provisioned_concurrency: must be 1 or more, or none"),
            (
                provisioned is None or reserved is None or provisioned <= reserved,
                "lambda_lane.provisioned_concurrency: must be at most reserved_concurrency",
            ),
            (
                not self.snap_start or provisioned is None,
                "lambda_lane.snap_start: not together with provisioned_concurrency",
            ),
            (
                not self.snap_start or python != "3.11",
                "lambda_lane.snap_start: needs python 3.12 or newer",
            ),
            (
                self.function_url_auth in URL_AUTHS,
                f"lambda_lane.function_url_auth: {self.function_url_auth!r}, must be {one_of(URL_AUTHS)}",
            ),
            (1 <= self.api_requests_per_s <= 10_000, "lambda_lane.api_requests_per_s: must be 1 to 10000"),
            (
                self.front != "http_api" or self.timeout_s <= API_TIMEOUT_S,
                f"lambda_lane.timeout_s: must be at most {API_TIMEOUT_S} behind an HTTP API, which waits no longer",
            ),
            (self.front in FRONTS, f"lambda_lane.front: {self.front!r}, must be {one_of(FRONTS)}"),
            (
                self.runtime_client in RUNTIME_CLIENTS,
                f"lambda_lane.runtime_client: {self.runtime_client!r}, must be {one_of(RUNTIME_CLIENTS)}",
            ),
            (
                managed is None or 1 <= managed <= 1_600,
                "lambda_lane.managed_concurrency: must be 1 to 1600, or none",
            ),
            (
                managed is None or (reserved is None and provisioned is None and not self.snap_start),
                "lambda_lane.managed_concurrency: not together with reserved or provisioned concurrency or snap_start",
            ),
            (managed is None or python == "3.13", "lambda_lane.managed_concurrency: needs python 3.13 or newer"),
            (
                managed is None or self.memory_mb % MANAGED_MB_PER_VCPU == 0,
                f"lambda_lane.memory_mb: must be a multiple of {MANAGED_MB_PER_VCPU} with managed_concurrency, one vCPU each",
            ),
            (
                self.managed_max_environments >= 3,
                "lambda_lane.managed_max_environments: must be 3 or more, one a zone",
            ),
            (
                self.log_retention_days in LOG_RETENTION_DAYS,
                f"lambda_lane.log_retention_days: must be {one_of(LOG_RETENTION_DAYS)}",
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerLane:
    """The container lane: one autoscaling group of mixed on-demand and spot instances.

    `on_demand_base` instances are always on demand; above it `spot_percent` of the capacity is spot.
    `target_utilization` is the share of an instance's CPU the scaling target leaves in use.
    The instance types must share one size, so that an instance is one unit of capacity.
    Booting comes before `health_check_grace_s` and has its own limit; `deregistration_delay_s` is how long the load balancer
    lets a leaving instance finish what it has.
    """

    instance_types: tuple[str, ...] = setting(
        INSTANCE_TYPES["arm64"], "comma-separated, one architecture and one size; more types, fewer interruptions"
    )
    min_instances: int = setting(2, "fewest instances")
    max_instances: int = setting(100, "most instances")
    on_demand_base: int = setting(2, "that many are always on demand")
    spot_percent: int = setting(80, "share of spot above the base")
    target_utilization: float = setting(0.6, "mean CPU that scaling keeps, 0 to 1")
    target_loop_busy: float = setting(0.6, "mean share of the time in which event loops are busy that scaling keeps, 0 to 1")
    target_requests_per_s: float | None = setting(
        None, "requests/s an instance that scaling keeps besides; measure it first (`crossover measure`)"
    )
    schedules: tuple[str, ...] = setting(
        (), "comma-separated `min=N@CRON`, UTC: the fewest instances from then on, as `min=6@0 7 * * 1-5`"
    )
    workers_per_vcpu: int = setting(1, "uvicorn workers for each vCPU")
    volume_gb: int = setting(8, "root volume")
    port: int = setting(8000, "port of the service")
    health_check_grace_s: int = setting(
        60, "time after which a failed health check counts, from when a booted instance enters service"
    )
    warmup_s: int = setting(60, "time after which a new instance counts in the group's metrics")
    deregistration_delay_s: int = setting(30, "time a leaving instance has for what it is serving")
    cloudwatch_agent: bool = setting(
        False, "install AWS's agent after the service has started, for memory and disk metrics of the group"
    )

    def checks(self, architecture: str) -> Checks:
        types = self.instance_types
        return (
            (bool(types), "container_lane.instance_types: name at least one type"),
            (
                all(instance_architecture(name) == architecture for name in types),
                f"container_lane.instance_types: {', '.join(types)} are not all {architecture}",
            ),
            (
                len({name.partition(".")[2] for name in types}) == 1,
                f"container_lane.instance_types: {', '.join(types)} must share one size",
            ),
            (
                0 < self.min_instances <= self.max_instances,
                "container_lane.min_instances: must be 1 to max_instances",
            ),
            (
                0 <= self.on_demand_base <= self.max_instances,
                "container_lane.on_demand_base: must be 0 to max_instances",
            ),
            (0 <= self.spot_percent <= 100, "container_lane.spot_percent: must be 0 to 100"),
            (0 < self.target_utilization < 1, "container_lane.target_utilization: must be between 0 and 1"),
            (0 < self.target_loop_busy < 1, "container_lane.target_loop_busy: must be between 0 and 1"),
            (
                self.target_requests_per_s is None or self.target_requests_per_s > 0,
                "container_lane.target_requests_per_s: must be more than 0, or none",
            ),
            *(
                (
                    re.fullmatch(SCHEDULE, text) is not None
                    and is_cron(self.scheduled_cron(text))
                    and 1 <= self.scheduled_minimum(text) <= self.max_instances,
                    f"container_lane.schedules: {text!r} must be min=N@ and five cron fields, N at least 1 and at most "
                    "max_instances, as min=6@0 7 * * 1-5",
                )
                for text in self.schedules
            ),
            (self.workers_per_vcpu >= 1, "container_lane.workers_per_vcpu: must be 1 or more"),
            (1024 <= self.port <= 65_535, "container_lane.port: must be 1024 to 65535"),
            (self.volume_gb >= 8, "container_lane.volume_gb: must be 8 or more, the size of the machine image"),
            (0 <= self.deregistration_delay_s <= 3600, "container_lane.deregistration_delay_s: must be 0 to 3600"),
            (self.health_check_grace_s >= 0, "container_lane.health_check_grace_s: must be 0 or more"),
            (0 <= self.warmup_s <= 3600, "container_lane.warmup_s: must be 0 to 3600"),
        )

    @staticmethod
    def scheduled_minimum(schedule: str) -> int:
        """The N of `min=N@CRON`."""
        return int(schedule.partition("=")[2].partition("@")[0])

    @staticmethod
    def scheduled_cron(schedule: str) -> str:
        """The CRON of `min=N@CRON`."""
        return schedule.partition("@")[2]
