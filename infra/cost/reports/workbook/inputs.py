"""The sheet *Inputs*: what was measured, what was chosen, and the constants of the model, each a named cell."""

from __future__ import annotations

from decimal import Decimal

from infra.cost import surroundings
from infra.cost.capacity import MANAGED_LEAST, OS_MEMORY_MIB
from infra.cost.compare import Comparison
from infra.cost.egress import NAT_VOLUME_GB
from infra.cost.lines import load_balancer
from infra.cost.lines.lambda_ import INCLUDED_MB
from infra.cost.minimums import is_scheduled
from infra.cost.profile import LaneProfile
from infra.cost.reports.workbook.sheet import FIXED, Book, Figure
from infra.settings.watch import AGENT_METRICS, AGENT_METRICS_EVERY_S
from infra.sizing import FULL_VCPU_MB

MEASURED = (
    ("cpu_ms_per_search", "cpu_ms", "CPU a search", "ms"),
    ("wait_ms", "wait_ms", "Waiting a search", "ms"),
    ("memory_mb", "used_mb", "Memory of a process at its peak", "MiB"),
    ("cold_start_ms", "cold_start_ms", "Cold start", "ms"),
    ("request_bytes", "request_bytes", "Request", "bytes"),
    ("response_bytes", "response_bytes", "Response", "bytes"),
    ("upstream_bytes_in", "upstream_in_bytes", "From suppliers a search", "bytes"),
    ("upstream_bytes_out", "upstream_out_bytes", "To suppliers a search", "bytes"),
)
DECIDES_LINES = "decides which lines the bill has"


def write_inputs(book: Book, comparison: Comparison) -> None:
    sheet = book.sheet("Inputs", (44, 20, 16, 64, 44, 28))
    book.put(sheet, 0, 0, "Inputs", "title")
    book.put(sheet, 1, 0, "Yellow cells may be changed: every total follows. Grey cells are fixed in this workbook.", "lead")
    book.head(sheet, 2, ("Input", "Value", "Unit", "Where it comes from", "In this workbook", "Name in formulas"))
    row = 3
    for title, figures in sections(comparison):
        for column in range(6):
            book.put(sheet, row, column, title if column == 0 else "", "section")
        row = book.figures(sheet, row + 1, figures)
    sheet.freeze_panes(3, 1)


def sections(comparison: Comparison) -> tuple[tuple[str, list[Figure]], ...]:
    profile = comparison.profile
    measured = f"measured on {profile.machine}" if profile.bundle else profile.machine
    return (
        ("Month and options", _options(comparison)),
        ("Measured on the Lambda lane", _measured(profile.lambda_lane, "lambda", measured)),
        ("Measured on the container lane", _measured(profile.container_lane, "container", measured)),
        ("Settings of the Lambda lane", _lambda(comparison)),
        ("Settings of the container lane", _container(comparison)),
        ("Settings of both", _both(comparison)),
        ("Choices that decide which lines there are", _choices(comparison)),
        ("Constants of the model", _constants()),
    )


def _options(comparison: Comparison) -> list[Figure]:
    options = comparison.options
    reserved = comparison.stage.lambda_lane.reserved_concurrency
    return [
        Figure(name="month_hours", label="Length of a month", value=options.month_hours, unit="hours", why="--month-hours"),
        Figure(
            name="traffic_scale",
            label="Traffic, times",
            value=1,
            why="multiplies every rate of the traffic; single rates stand on the sheets Steps and Traffic",
        ),
        Figure(name="cpu_scale", label="CPU time in AWS over CPU time measured", value=options.cpu_scale, why="--cpu-scale"),
        Figure(name="free_tier", label="Free tiers: 1 used, 0 not", value=int(options.free_tier), why="--free-tier"),
        Figure(
            name="concurrency_limit",
            label="Environments that Lambda allows",
            value=options.account_concurrency if reserved is None else reserved,
            why="the account's quota, or what the stage reserves",
        ),
        Figure(
            name="requests_per_connection",
            label="Searches on one connection",
            value=options.requests_per_connection,
            why="an assumption; decides the load balancer's LCUs",
        ),
        Figure(name="listener_rules", label="Rules that the load balancer evaluates", value=options.listener_rules),
        Figure(
            name="budget_usd",
            label="Budget of a month; 0 is none",
            value=budget(comparison),
            unit="USD",
            why="of the last bill (--actuals), else watch.monthly_budget_usd",
        ),
    ]


def budget(comparison: Comparison) -> Decimal:
    """Dollars a month that the report knows of as the budget; 0 where there is none."""
    billed = (comparison.billed or {}).get("budget")
    return Decimal(billed["usd"]) if billed else Decimal(comparison.stage.watch.monthly_budget_usd or 0)


def _measured(lane: LaneProfile, prefix: str, source: str) -> list[Figure]:
    found = [
        Figure(
            name=f"{prefix}_{name}",
            label=label,
            value="unknown" if getattr(lane, field) is None else getattr(lane, field),
            unit=unit,
            why="was not measured; counts as nothing and is listed as not priced" if getattr(lane, field) is None else source,
        )
        for field, name, label, unit in MEASURED
    ]
    if prefix == "lambda" and lane.log_bytes_per_search is not None:
        found.append(
            Figure(name=f"{prefix}_log_bytes", label="Log a search", value=lane.log_bytes_per_search, unit="bytes", why=source)
        )
    return found


def _lambda(comparison: Comparison) -> list[Figure]:
    settings = comparison.stage.lambda_lane
    found = [_set("lambda_memory_mb", "Memory of the function", settings.memory_mb, "MB", "lambda_lane.memory_mb")]
    if settings.ephemeral_mb > INCLUDED_MB:
        key = "lambda_lane.ephemeral_mb"
        found.append(_set("lambda_ephemeral_mb", "Disk of the function", settings.ephemeral_mb, "MB", key))
    if settings.provisioned_concurrency:
        key = "lambda_lane.provisioned_concurrency"
        found.append(_set("provisioned", "Provisioned concurrency", settings.provisioned_concurrency, "environments", key))
    else:
        found.append(_fixed("provisioned", "Provisioned concurrency", 0, DECIDES_LINES))
    found.append(_fixed("snap_start", "SnapStart: 1 used, 0 not", int(settings.snap_start), DECIDES_LINES))
    if settings.managed_concurrency is not None:
        key = "lambda_lane.managed_concurrency"
        found.append(_set("managed_concurrency", "Searches at once an environment", settings.managed_concurrency, "", key))
        found.append(
            _set("managed_least", "Instances at least", MANAGED_LEAST, "", "one in each of three zones, kept by Lambda")
        )
    return found


def _container(comparison: Comparison) -> list[Figure]:
    fleet = comparison.stage.container_lane
    first = comparison.prices.instance(fleet.instance_types[0])
    scheduled = is_scheduled(fleet, comparison.traffic)
    return [
        _set("instance_vcpu", f"vCPU of an instance ({first.name})", first.vcpu, "", "shape of the instance type"),
        _set("instance_memory_gib", f"Memory of an instance ({first.name})", float(first.memory_gib), "GiB", "shape"),
        _fixed("min_instances", "Instances at least", fleet.min_instances, "container_lane.schedules set them: on Steps")
        if scheduled
        else _set("min_instances", "Instances at least", fleet.min_instances, "", "container_lane.min_instances"),
        _set("max_instances", "Instances at most", fleet.max_instances, "", "container_lane.max_instances"),
        _set("on_demand_base", "Of these on demand, always", fleet.on_demand_base, "", "container_lane.on_demand_base"),
        _set("spot_percent", "Spot above the base", fleet.spot_percent, "%", "container_lane.spot_percent"),
        _set("target_utilization", "CPU that the fleet aims at", fleet.target_utilization, "share", "target_utilization"),
        _set("workers_per_vcpu", "Workers a vCPU", fleet.workers_per_vcpu, "", "container_lane.workers_per_vcpu"),
        _set("volume_gb", "Volume of an instance", fleet.volume_gb, "GB", "container_lane.volume_gb"),
    ]


def _both(comparison: Comparison) -> list[Figure]:
    stage, conditions = comparison.stage, comparison.profile.conditions
    found = [
        _set("zones", "Availability zones", len(stage.network.availability_zones), "", "network.availability_zones"),
        _set("idle_timeout_s", "Idle timeout of connections", stage.traffic.idle_timeout_s, "s", "traffic.idle_timeout_s"),
        _set("log_retention_days", "Logs are kept", stage.lambda_lane.log_retention_days, "days", "log_retention_days"),
    ]
    if stage.traffic.access_log_days is not None:
        found.append(
            _set("access_log_days", "Access logs are kept", stage.traffic.access_log_days, "days", "traffic.access_log_days")
        )
    if stage.cache.kind == "serverless" and conditions is not None and conditions.suppliers is not None:
        found.append(_set("cache_max_gb", "The shared cache holds at most", stage.cache.max_gb, "GB", "cache.max_gb"))
        found.append(_set("suppliers", "Suppliers asked a search", conditions.suppliers, "", "conditions of the measurement"))
    if stage.cache.kind == "nodes":
        found.append(_set("cache_replicas", "Replicas of the shared cache", stage.cache.replicas, "", "cache.replicas"))
    return found


def _choices(comparison: Comparison) -> list[Figure]:
    stage = comparison.stage
    return [
        _fixed("region", "Region", stage.region, "decides the price book"),
        _fixed("architecture", "Architecture", stage.architecture, "decides prices of Lambda and the instance types"),
        _fixed("front", "Before the Lambda lane", stage.lambda_lane.front, DECIDES_LINES),
        _fixed("instance_types", "Instance types", ", ".join(stage.container_lane.instance_types), "decide prices"),
        _fixed("egress", "The way out of the instances", stage.network.egress, DECIDES_LINES),
        _fixed("waf", "AWS WAF", "yes" if stage.traffic.waf else "no", DECIDES_LINES),
        _fixed("cache_kind", "Shared cache", stage.cache.kind, DECIDES_LINES),
        _fixed("emf", "Embedded metrics", "yes" if stage.search.emf_s > 0 else "no", DECIDES_LINES),
    ]


def _constants() -> list[Figure]:
    gb = load_balancer.GB_PER_HOUR
    elb, lam = "AWS Elastic Load Balancing pricing page", "AWS Lambda documentation"
    return [
        _set("full_vcpu_mb", "Memory at which a function has one vCPU", FULL_VCPU_MB, "MB", lam),
        _set("rounding_ms", "Mean of rounding a duration up", 0.5, "ms", "Lambda bills whole milliseconds"),
        _set("lcu_new_connections", "New connections of an LCU", load_balancer.NEW_CONNECTIONS_PER_S, "a second", elb),
        _set("lcu_active_connections", "Active connections of an LCU", load_balancer.ACTIVE_CONNECTIONS, "a minute", elb),
        _set("lcu_gb_lambda", "Bytes of an LCU, Lambda targets", float(gb["lambda"]), "GB an hour", elb),
        _set("lcu_gb_container", "Bytes of an LCU, instances", float(gb["instance"]), "GB an hour", elb),
        _set("lcu_rules", "Rule evaluations of an LCU", load_balancer.RULE_EVALUATIONS_PER_S, "a second", elb),
        _set("free_rules", "Rules that are free", load_balancer.FREE_RULES, "", elb),
        _set("os_memory_mib", "Memory left to the system", OS_MEMORY_MIB, "MiB", "an assumption"),
        _set(
            "access_log_bytes", "Access log a search", surroundings.ACCESS_LOG_ENTRY_BYTES, "bytes", "uncompressed: upper bound"
        ),
        _set("access_log_files", "Access log files a zone", surroundings.ACCESS_LOG_FILES_PER_HOUR, "an hour", elb),
        _set("agent_metrics", "Metrics of the container lane", len(AGENT_METRICS), "", "what it is scaled by"),
        _set("agent_every_s", "Seconds between an instance's metrics", AGENT_METRICS_EVERY_S, "s", ""),
        _set("embedded_metrics", "Embedded metrics", surroundings.EMF_METRICS, "", "app/telemetry/emf.py"),
        _set("waf_rules", "Rules of the web ACL", surroundings.WAF_RULES, "", "a limit by address and two managed groups"),
        _set("nat_volume_gb", "Volume of a NAT instance", NAT_VOLUME_GB, "GB", "infra/cost/egress.py"),
    ]


def _set(name: str, label: str, value: float, unit: str, why: str) -> Figure:
    return Figure(name=name, label=label, value=value, unit=unit, why=why)


def _fixed(name: str, label: str, value: float | str, why: str) -> Figure:
    return Figure(name=name, label=label, value=value, why=why, kind=FIXED)
