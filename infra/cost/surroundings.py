"""What stands around a lane and is billed with it: access logs, WAF, secrets, the dashboard, alarms, metrics, the shared cache.

Each function gives lines and, beside them, what could not be priced. What a stage leaves out adds no line.
"""

from __future__ import annotations

from decimal import Decimal

from infra.config import Stage
from infra.cost.alarms import lane_alarm_lines, shared_alarm_lines
from infra.cost.exact import EXACT
from infra.cost.lane import DAYS_PER_MONTH_OF_LOGS, CostOptions, Month
from infra.cost.lines import cache, network, protection, storage, watching
from infra.cost.lines.line import LineItem, quantity
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.settings.watch import AGENT_METRICS, AGENT_METRICS_EVERY_S

Priced = tuple[list[LineItem], list[str]]

ACCESS_LOG_ENTRY_BYTES = 600
"""An entry of a search, before Elastic Load Balancing compresses the file (an assumption, shown in the report)."""
ACCESS_LOG_FILES_PER_HOUR = 12
"""Elastic Load Balancing writes a file every five minutes for each of its addresses."""
CLOUDWATCH_AGENT_METRICS = ("memory", "disk")
AGENT_NOTE = "memory and disk of the group, a request a minute from each instance (container_lane.cloudwatch_agent)"
"""What AWS's agent is told to send (instance/boot.py)."""
WAF_RULES = 3
"""The rate limit and two managed rule groups (infra/components/waf.py)."""
EMF_METRICS = 13
"""Metrics that the service's embedded metric lines carry, by lane (app/telemetry/emf.py)."""


def front_lines(month: Month, book: PriceBook, stage: Stage, options: CostOptions) -> Priced:
    """What the load balancer brings along: its access logs, WAF, the token that lets a request choose its lane."""
    lines: list[LineItem] = []
    not_priced = []
    days = stage.traffic.access_log_days
    if days is not None:
        zones = len(stage.network.availability_zones)
        gb = month.gigabytes(ACCESS_LOG_ENTRY_BYTES)
        lines += storage.storage(
            book,
            gb * days / DAYS_PER_MONTH_OF_LOGS,
            of="access logs",
            note=f"{ACCESS_LOG_ENTRY_BYTES} bytes a search, kept {days} days, uncompressed (upper bound)",
        )
        files = ACCESS_LOG_FILES_PER_HOUR * zones * options.month_hours
        lines += storage.put_requests(book, files, of="access logs", note=f"a file every five minutes in each of {zones} zones")
    if stage.traffic.waf:
        lines += protection.web_acl(book, WAF_RULES, month.searches, note="a limit by address and two of AWS's rule groups")
        if stage.traffic.waf_log_days is not None:
            not_priced.append("the log of what WAF blocked: how much it will block is not known")
    if stage.traffic.lane_header is not None and len(stage.lanes) > 1:
        lines += protection.secret(book, of="lane token", note="read when the load balancer's rules are deployed")
    return lines, not_priced


def shared_lines(month: Month, book: PriceBook, stage: Stage, options: CostOptions, *, balanced: bool = True) -> Priced:
    """What a stage has once, however many lanes share it: what the load balancer, if there is one, brings along, the
    dashboard, the load balancer's alarms, the stage's own secret."""
    lines, not_priced = front_lines(month, book, stage, options) if balanced else ([], [])
    if stage.watch.dashboard:
        lines += watching.dashboard(book, note="one a stage, with both lanes")
    lines += shared_alarm_lines(book, stage)
    if stage.secret is not None:
        lines += protection.secret(book, of="suppliers' keys", note="the secret that the stage names")
    return lines, not_priced


def watch_lines(book: PriceBook, stage: Stage, lane: str) -> Priced:
    """The lane's alarms, and the metrics that the service writes as log lines where the stage asks for them; CloudWatch takes
    them from the function's log alone (docs/observe.md)."""
    lines = lane_alarm_lines(book, stage, lane)
    not_priced = []
    if stage.search.emf_s > 0 and lane == "lambda":
        lines += watching.metrics(book, EMF_METRICS, of="embedded", note=f"a line every {stage.search.emf_s} s (search.emf_s)")
        not_priced.append(f"CloudWatch Logs of the {lane} lane's embedded metric lines: their size was not measured")
    return lines, not_priced


def agent_lines(book: PriceBook, stage: Stage, instance_hours: Decimal, month_hours: Decimal) -> list[LineItem]:
    """The container lane's metrics, which it is scaled by: its own, which one request an instance every minute carries, and
    EC2's each minute; memory and disk, which AWS's agent sends as often, where the stage has it."""
    requests = instance_hours * 3600 / AGENT_METRICS_EVERY_S
    agent = stage.container_lane.cloudwatch_agent
    return [
        *watching.metrics(book, len(AGENT_METRICS), of="container lane", note=", ".join(AGENT_METRICS)),
        *watching.put_metric_data(
            book, requests, note=f"one every {AGENT_METRICS_EVERY_S} s for each of {instance_hours:,.0f} instance-hours"
        ),
        *(watching.metrics(book, len(CLOUDWATCH_AGENT_METRICS), of="CloudWatch agent", note=AGENT_NOTE) if agent else ()),
        *(watching.agent_requests(book, requests, note=AGENT_NOTE) if agent else ()),
        *watching.detailed_monitoring(
            book,
            EXACT.divide(instance_hours, month_hours),
            note=f"{watching.DETAILED_METRICS} metrics for each of {instance_hours:,.0f} instance-hours",
        ),
    ]


def secret_reads(book: PriceBook, stage: Stage, starts: Decimal | None) -> Priced:
    """Reads of the stage's own secret, once by whatever starts; None where the number of starts is not known."""
    if stage.secret is None:
        return [], []
    if starts is None:
        return [], ["reads of the stage's secret when instances start: their number is not simulated"]
    return protection.secret_reads(book, starts, of="suppliers' keys", note=f"one for each of {starts:,.0f} cold starts"), []


def cache_lines(profile: WorkloadProfile, month: Month, book: PriceBook, stage: Stage, options: CostOptions) -> Priced:
    """The container lane's shared cache, at most: all that it may hold, and every answer of a supplier passing through."""
    settings = stage.cache
    if settings.kind == "none":
        return [], []
    received = profile.container_lane.upstream_bytes_in
    between, not_priced = _between_zones(received, month, book, len(stage.network.availability_zones))
    if settings.kind == "nodes":
        count = 1 + settings.replicas
        if not cache.has_node(book, settings.node_type):
            missing = f"{count} cache nodes of type {settings.node_type}: the price book of {book.region} has no price of it"
            return between, [missing, *not_priced]
        note = f"a primary and {settings.replicas} replicas"
        return [*cache.nodes(book, settings.node_type, count * options.month_hours, note=note), *between], not_priced
    suppliers = None if profile.conditions is None else profile.conditions.suppliers
    if received is None or suppliers is None:
        return between, ["the shared cache: what a search keeps in it was not measured", *not_priced]
    each = quantity(received / 1024 + suppliers)
    lines = cache.serverless(
        book,
        settings.max_gb * options.month_hours,
        EXACT.divide(month.searches * each, Decimal(1_000_000)),
        held=f"the {settings.max_gb} GB that it may hold at most (upper bound)",
        passed=f"{each:,.0f} ECPU a search: {suppliers} answers asked for and passed on once, 1 ECPU a KiB (upper bound)",
    )
    return [*lines, *between], not_priced


def _between_zones(received: float | None, month: Month, book: PriceBook, zones: int) -> Priced:
    """Every answer of a supplier on its way to the cache or from it: of instances in so many zones all but one in `zones` are
    in another than the cache's. ElastiCache's side is not charged (aws.amazon.com/elasticache/pricing)."""
    if received is None:
        return [], ["data between availability zones on the way to the shared cache"]
    gb = EXACT.divide(month.gigabytes(received) * (zones - 1), Decimal(zones))
    note = f"{received:,.0f} bytes a search to or from the shared cache, {zones - 1} of {zones} in another zone (upper bound)"
    return network.inter_zone(book, gb, note=note, sides=1), []
