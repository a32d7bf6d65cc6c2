"""Examples that are quantities times prices, each through its tiers: one table of which input is which price of the book."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from infra.cost.lines.line import LineItem, priced
from infra.cost.prices.book import Price, PriceBook, Tier
from infra.cost.worked_examples.functions import NOTE, OWN
from infra.cost.worked_examples.inputs import Inputs
from infra.cost.worked_examples.machines import MONTH_HOURS


@dataclass(frozen=True, slots=True)
class Use:
    """An input (any of the names) is so many units of a price. `timed`: it is there for `hours`; `zones`: in each of `azs`."""

    names: tuple[str, ...]
    service: str
    dimension: str
    timed: bool = False
    zones: bool = False


def _all(service: str, *pairs: tuple[str, str]) -> tuple[Use, ...]:
    return tuple(Use(tuple(names.split("|")), service, dimension) for names, dimension in pairs)


USES: dict[str, tuple[Use, ...]] = {
    "apigw-http": _all("AmazonApiGateway", ("requests|calls|api_calls", "http_api")),
    "apigw-rest": _all("AmazonApiGateway", ("requests|calls|api_calls", "rest_api")),
    "cloudwatch": _all(
        "AmazonCloudWatch",
        ("ingest_gb|ingested_gb|data_ingested_gb|log_ingest_gb|logs_ingest_gb|logs_gb", "logs_ingest_standard"),
        ("store_gb|stored_gb|storage_gb|log_store_gb|log_storage_gb|logs_storage_gb", "logs_storage"),
        ("scan_gb|scanned_gb|data_scanned_gb|insights_scan_gb|insights_gb", "logs_insights_scan"),
        ("metrics|custom_metrics", "custom_metric"),
        ("alarms|standard_alarms|standard", "standard_alarm"),
        ("high_resolution_alarms|high_resolution|high_res|high_res_alarms", "high_resolution_alarm"),
        ("composite_alarms|composite", "composite_alarm"),
        ("dashboards", "dashboard"),
        ("api_requests|put_requests", "put_metric_data"),
    ),
    "dynamodb": (
        *_all(
            "AmazonDynamoDB",
            ("write_requests|wru|writes|write_request_units", "write_request"),
            ("read_requests|rru|reads|read_request_units", "read_request"),
            ("storage_gb", "storage"),
            ("pitr_gb|pitr_backup_storage_gb", "pitr_backup"),
            ("backup_gb|on_demand_backup_storage_gb", "backup"),
            ("restore_gb|data_restored_gb", "restore"),
            ("streams_reads|streams_read_request_units", "streams_read"),
        ),
        Use(("wcu",), "AmazonDynamoDB", "write_capacity", timed=True),
        Use(("rcu",), "AmazonDynamoDB", "read_capacity", timed=True),
    ),
    "elasticache-serverless": (
        Use(("gb", "storage_gb"), "AmazonElastiCache", "{engine}_serverless_storage", timed=True),
        Use(("million_ecpu", "million_ecpus"), "AmazonElastiCache", "{engine}_serverless_ecpu"),
    ),
    "elasticache": (Use(("nodes", "count"), "AmazonElastiCache", "node_{node_type}_{engine}", timed=True),),
    "eventbridge": _all("AWSEvents", ("events", "custom_event")),
    "kms": _all("awskms", ("keys", "key"), ("requests", "requests")),
    "lambda-microvm": _all(
        "AWSLambda",
        ("vcpu_seconds", "microvm_vcpu"),
        ("gb_seconds", "microvm_memory"),
        ("snapshot_written_gb", "microvm_snapshot_written"),
        ("snapshot_read_gb", "microvm_snapshot_read"),
        ("snapshot_gb_months", "microvm_snapshot_storage"),
    ),
    "nlb": (Use(("count",), "AWSELB", "nlb_hour", timed=True), Use(("lcu",), "AWSELB", "nlb_lcu", timed=True)),
    "route53": _all("AmazonRoute53", ("hosted_zones", "hosted_zone"), ("queries", "standard_queries")),
    "s3": _all(
        "AmazonS3",
        ("storage_gb|gb", "standard_storage"),
        ("put_requests|puts", "put_requests"),
        ("get_requests|gets", "get_requests"),
    ),
    "scheduler": _all("AWSEvents", ("invocations", "scheduler_invocation")),
    "secrets": _all("AWSSecretsManager", ("secrets", "secret"), ("requests|api_calls", "requests")),
    "sns": _all("AmazonSNS", ("requests", "requests")),
    "sqs": _all("AWSQueueService", ("requests|standard_requests", "standard_request"), ("fifo_requests", "fifo_request")),
    "ssm": _all(
        "AWSSystemsManager",
        ("parameters|advanced_parameters", "advanced_parameter"),
        ("requests|api_calls|api_interactions", "advanced_parameter_request"),
    ),
    "step-functions": _all(
        "AWSStepFunctions",
        ("transitions", "transition"),
        ("express_requests", "express_request"),
        ("express_gb_hours", "express_duration"),
    ),
    "vpc-endpoint": (
        Use(("endpoints",), "AmazonVPC", "endpoint_hour", timed=True, zones=True),
        Use(("gb", "processed_gb", "data_gb"), "AmazonVPC", "endpoint_data"),
    ),
    "waf": _all("AWSWAF", ("web_acls", "web_acl"), ("rules", "rule"), ("requests", "requests")),
}


def pricer(kind: str) -> Callable[[PriceBook, Inputs], list[LineItem]]:
    """How examples of a kind of the table are priced; `free_tier` takes off what the book has of free allowances."""

    def price(book: PriceBook, inputs: Inputs) -> list[LineItem]:
        free, lines = inputs.flag("free_tier"), []
        words = _words(kind, inputs)
        hours = inputs.seconds(month_hours=MONTH_HOURS) / 3600 if any(use.timed for use in USES[kind]) else Decimal(1)
        for use in USES[kind]:
            amount = inputs.number(*use.names, default=0)
            if not amount:
                continue
            dimension = use.dimension.format(**words)
            amount *= hours if use.timed else 1
            amount *= inputs.number("azs", "zones", default=1) if use.zones else 1
            allowance = book.free_tiers.get((use.service, dimension)) if free else None
            price = _own(book, use, dimension, inputs)
            lines += priced(price, amount, name=dimension, note=NOTE, free=allowance)
        if not lines:
            inputs.refuse_unasked()
            raise inputs.refuse(f"nothing is used; give one or more of {', '.join(use.names[0] for use in USES[kind])}")
        return lines

    return price


def _words(kind: str, inputs: Inputs) -> dict[str, str]:
    if not kind.startswith("elasticache"):
        return {}
    words = {"engine": inputs.text("engine", default="valkey").lower()}
    if kind == "elasticache":
        words["node_type"] = inputs.text("node_type", "type", "node")
    return words


def _own(book: PriceBook, use: Use, dimension: str, inputs: Inputs) -> Price:
    """The book's price; of a cache the publication's own `price` where it states one, of what is there by the hour."""
    if not (use.timed and use.service == "AmazonElastiCache" and inputs.has("price")):
        return book.price(use.service, dimension)
    like = book.prices.get((use.service, dimension), book.price(use.service, "valkey_serverless_storage"))
    return replace(like, dimension=dimension, tiers=(Tier(Decimal(0), None, inputs.number("price")),), source=OWN)
