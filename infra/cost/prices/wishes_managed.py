"""Which product of the AWS Price List each price of a managed service is. `known_from` as in `wishes`."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from infra.cost.prices.wish import GLOBAL, HOURS_A_MONTH, Wish

MILLION = Fraction(1_000_000)
OFFERS = {"AWSStepFunctions": "AmazonStates", "AWSWAF": "awswaf", "AmazonAppRunner": "AWSAppRunner"}
"""Where an offer has another name than the book's service."""
PLACES = {"AmazonRoute53": GLOBAL}
"""Offers that stand in another file than the region's: what has no region is in `aws-other`, as public price checks read it."""

BULK = "offer rows that public scripts read from the list (region files, 2026-09)"
METRICS = "CloudWatch user guide, usage types in billing; infracost cloudwatch_*"


def _of(
    service: str, dimension: str, unit: str, *usagetypes: str, known_from: str, family: str | None = None,
    factor: Fraction = Fraction(1), **attributes: str,
) -> Wish:  # fmt: skip
    return Wish(
        service=service, dimension=dimension, unit=unit, offer=OFFERS.get(service, service), usagetypes=usagetypes,
        family=family, factor=factor, attributes=attributes, known_from=known_from,
    )  # fmt: skip


def _watch(dimension: str, unit: str, usagetype: str, **attributes: str) -> Wish:
    wish = _of("AmazonCloudWatch", dimension, unit, usagetype, known_from=METRICS)
    return replace(wish, attributes=attributes)


def _table(dimension: str, unit: str, usagetype: str, family: str, **attributes: str) -> Wish:
    wish = _of("AmazonDynamoDB", dimension, unit, usagetype, family=family, known_from="infracost dynamodb_table")
    return replace(wish, attributes=attributes)


def _cache(engine: str, dimension: str, unit: str, usagetype: str, factor: Fraction = Fraction(1)) -> Wish:
    return _of(
        "AmazonElastiCache", f"{engine.lower()}_{dimension}", unit, f"{usagetype}:{engine}", family="ElastiCache Serverless",
        factor=factor, known_from="rows of family ElastiCache Serverless that pricing tools list", cacheEngine=engine,
    )  # fmt: skip


def _node(name: str, engine: str) -> Wish:
    return _of(
        "AmazonElastiCache", f"node_{name}_{engine.lower()}", "node-hour", f"NodeUsage:{name}", family="Cache Instance",
        known_from="infracost elasticache_cluster", cacheEngine=engine,
    )  # fmt: skip


def _waf(dimension: str, unit: str, usagetype: str) -> Wish:
    family = "Web Application Firewall"
    return _of("AWSWAF", dimension, unit, usagetype, family=family, known_from="infracost wafv2_web_acl")


VALKEY_NODES = (
    "cache.m6g.large", "cache.m7g.large", "cache.m7g.xlarge", "cache.r6g.large", "cache.r7g.large", "cache.r7g.xlarge",
    "cache.t3.micro", "cache.t3.small", "cache.t3.medium", "cache.t4g.micro", "cache.t4g.small", "cache.t4g.medium",
)  # fmt: skip
REDIS_NODES = ("cache.m4.large", "cache.m6g.12xlarge", "cache.r5.4xlarge", "cache.t3.micro")
ON_DEMAND = "Amazon DynamoDB PayPerRequest Throughput"
WORKFLOWS = "infracost sfn_state_machine"
FIFO = "FIFO (first-in, first-out)"

MANAGED: tuple[Wish, ...] = (
    _watch("logs_ingest_standard", "GB", "DataProcessing-Bytes", operation="PutLogEvents"),
    _watch("logs_storage", "GB-month", "TimedStorage-ByteHrs"),
    _watch("logs_insights_scan", "GB", "DataScanned-Bytes"),
    _watch("custom_metric", "metric-month", "CW:MetricMonitorUsage"),
    _watch("standard_alarm", "alarm-month", "CW:AlarmMonitorUsage"),
    _watch("composite_alarm", "alarm-month", "CW:CompositeAlarmMonitorUsage"),
    _watch("high_resolution_alarm", "alarm-month", "CW:HighResAlarmMonitorUsage"),
    _watch("dashboard", "dashboard-month", "DashboardsUsageHour"),
    _watch("put_metric_data", "request", "CW:Requests"),
    _table("storage", "GB-month", "TimedStorage-ByteHrs", "Database Storage"),
    _table("pitr_backup", "GB-month", "TimedPITRStorage-ByteHrs", "Database Storage"),
    _table("backup", "GB-month", "TimedBackupStorage-ByteHrs", "Amazon DynamoDB On-Demand Backup Storage"),
    _table("restore", "GB", "RestoreDataSize-Bytes", "Amazon DynamoDB Restore Data Size"),
    _table("write_request", "request unit", "WriteRequestUnits", ON_DEMAND, group="DDB-WriteUnits"),
    _table("read_request", "request unit", "ReadRequestUnits", ON_DEMAND, group="DDB-ReadUnits"),
    _table("write_capacity", "unit-hour", "WriteCapacityUnit-Hrs", "Provisioned IOPS", group="DDB-WriteUnits"),
    _table("read_capacity", "unit-hour", "ReadCapacityUnit-Hrs", "Provisioned IOPS", group="DDB-ReadUnits"),
    _table("streams_read", "request unit", "Streams-Requests", "API Request", group="DDB-StreamsReadRequests"),
    _cache("Valkey", "serverless_ecpu", "million ECPU", "ElastiCacheProcessingUnits", MILLION),
    _cache("Valkey", "serverless_storage", "GB-hour", "CachedData"),
    _cache("Redis", "serverless_ecpu", "million ECPU", "ElastiCacheProcessingUnits", MILLION),
    _cache("Redis", "serverless_storage", "GB-hour", "CachedData"),
    *(_node(name, "Valkey") for name in VALKEY_NODES),
    *(_node(name, "Redis") for name in REDIS_NODES),
    _of("AmazonApiGateway", "http_api", "request", "ApiGatewayHttpRequest", known_from="infracost apigatewayv2_api"),
    _of("AmazonApiGateway", "rest_api", "request", "ApiGatewayRequest", known_from="infracost api_gateway_rest_api"),
    _of("AmazonAppRunner", "vcpu", "vCPU-hour", "AppRunner-vCPU-hours", known_from=BULK),
    _of("AmazonAppRunner", "memory", "GB-hour", "AppRunner-Provisioned-GB-hours", known_from=BULK),
    _of("AWSEvents", "custom_event", "event", "Event-64K-Chunks", family="EventBridge",
        known_from="infracost cloudwatch_event_bus", eventType="Custom Event"),
    _of("AWSEvents", "scheduler_invocation", "invocation", "ScheduledInvocation",
        known_from="usage type of bills and list rows that public price checks quote (SKU XAWTXSQRCY6JTPGR of us-west-1)"),
    _of("AWSQueueService", "standard_request", "request", "Requests-RBP", "Requests-Tier1", family="API Request",
        known_from="infracost sqs_queue; usage types " + BULK, queueType="Standard"),
    _of("AWSQueueService", "fifo_request", "request", "Requests-FIFO-RBP", "Requests-FIFO-Tier1", family="API Request",
        known_from="infracost sqs_queue; usage types " + BULK, queueType=FIFO),
    _of("AmazonSNS", "requests", "request", "Requests-Tier1", family="API Request", known_from="infracost sns_topic"),
    _of("AWSStepFunctions", "transition", "transition", "StateTransition", known_from=WORKFLOWS),
    _of("AWSStepFunctions", "express_request", "request", "StepFunctions-Request", known_from=WORKFLOWS),
    _of("AWSStepFunctions", "express_duration", "GB-hour", "StepFunctions-GB-Second", factor=Fraction(3600),
        known_from=WORKFLOWS),
    _of("AWSSecretsManager", "secret", "secret-month", "AWSSecretsManager-Secrets", "AWSSecretsManager-Secret",
        family="Secret", known_from="infracost secretsmanager_secret; usage types " + BULK),
    _of("AWSSecretsManager", "requests", "request", "AWSSecretsManagerAPIRequest", "AWSSecretsManager-APIRequests",
        family="API Request", known_from="infracost secretsmanager_secret; usage types " + BULK),
    _of("AWSSystemsManager", "advanced_parameter", "parameter-month", "PS-Advanced-Param-Tier1", family="AWS Systems Manager",
        factor=Fraction(HOURS_A_MONTH), known_from="infracost ssm_parameter, by the hour"),
    _of("AWSSystemsManager", "advanced_parameter_request", "request", "PS-Param-Processed-Tier2", family="API Request",
        known_from="infracost ssm_parameter"),
    _waf("web_acl", "web ACL-month", "WebACLV2"),
    _waf("rule", "rule-month", "RuleV2"),
    _waf("requests", "request", "RequestV2-Tier1"),
    _of("AmazonRoute53", "hosted_zone", "zone-month", "HostedZone", family="DNS Zone", known_from="infracost route53_zone"),
    _of("AmazonRoute53", "standard_queries", "query", "DNS-Queries", family="DNS Query", known_from="infracost route53_record"),
    _of("AmazonS3", "standard_storage", "GB-month", "TimedStorage-ByteHrs",
        known_from="infracost s3_standard_storage_class, s3_storage_class_helpers", volumeType="Standard", operation=""),
    _of("AmazonS3", "put_requests", "request", "Requests-Tier1", known_from="infracost s3_standard_storage_class"),
    _of("AmazonS3", "get_requests", "request", "Requests-Tier2", known_from="infracost s3_standard_storage_class"),
    _of("awskms", "key", "key-month", "KMS-Keys", family="Encryption Key", known_from="infracost kms_key"),
    _of("awskms", "requests", "request", "KMS-Requests", known_from="infracost kms_key"),
)  # fmt: skip
