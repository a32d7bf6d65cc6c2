"""Which line of the estimate a usage type of the bill belongs to. What maps to nothing stays unexplained, and is shown.

Most usage types are those by which `infra.cost.prices.wishes` finds prices in the AWS Price List; what the list is not asked
for stands here, by the names that AWS's bills use.
"""

from __future__ import annotations

import re

from infra.cost.prices.wish import Wish
from infra.cost.prices.wishes import INSTANCE_USAGE, WISHES

Key = tuple[str, str]
"""Service and dimension, as lines of the estimate have them; instances are one dimension for each way of buying."""

ON_DEMAND: Key = ("AmazonEC2", "on demand")
SPOT: Key = ("AmazonEC2", "spot")
SPOT_USAGE = "SpotUsage:"
REGION = re.compile(r"^(?:[A-Z]{2,4}\d|EU|[a-z]{2}-[a-z]+-\d)-")
"""What usage types begin with, as `USW2-` or `EUC1-`, in KMS `eu-west-1-`; in us-east-1 many begin with nothing."""

_WISHED: dict[str, list[Wish]] = {}
for _wish in WISHES:
    for _usagetype in _wish.usagetypes:
        _WISHED.setdefault(_usagetype, []).append(_wish)
_NAMES = {
    "AWSQueueService": "Simple Queue",
    "AmazonS3": "Simple Storage",
    "AmazonSNS": "Simple Notification",
    "AmazonStates": "Step Functions",
    "awskms": "Key Management",
}
"""What Cost Explorer calls offers whose codes do not say it."""
_PATTERNS: tuple[tuple[str, str, Key], ...] = (
    # service (as a code or as Cost Explorer's name), usage type, key
    (r"AmazonS3|Simple Storage", r"TimedStorage-ByteHrs", ("AmazonS3", "standard_storage")),
    (r"AmazonS3|Simple Storage", r"Requests-Tier1", ("AmazonS3", "put_requests")),
    (r"Secrets ?Manager", r"AWSSecretsManager-Secrets?", ("AWSSecretsManager", "secret")),
    (r"Secrets ?Manager", r"AWSSecretsManagerAPIRequests?", ("AWSSecretsManager", "requests")),
    (r"waf", r"WebACLV2", ("AWSWAF", "web_acl")),
    (r"waf", r"RuleV2", ("AWSWAF", "rule")),
    (r"waf", r"RequestV2.*", ("AWSWAF", "requests")),
    (r"CloudWatch", r"DashboardsUsageHour.*", ("AmazonCloudWatch", "dashboard")),
    (r"CloudWatch", r"CW:Requests", ("AmazonCloudWatch", "put_metric_data")),
    (r"CloudWatch", r"AlarmMonitorUsage", ("AmazonCloudWatch", "standard_alarm")),
    (r"CloudWatch", r"MetricMonitorUsage", ("AmazonCloudWatch", "custom_metric")),
    (r"CloudWatch", r"VendedLog-Bytes", ("AmazonCloudWatch", "logs_ingest_standard")),  # Lambda's logs, since May 2025
    (r"CloudWatch", r"(CW:)?HighResAlarmMonitorUsage", ("AmazonCloudWatch", "high_resolution_alarm")),
    (r"DynamoDB", r"WriteRequestUnits", ("AmazonDynamoDB", "write_request")),
    (r"Route ?53", r"HostedZone", ("AmazonRoute53", "hosted_zone")),
    (r"VPC|Virtual Private", r"VpcEndpoint-Hours", ("AmazonVPC", "endpoint_hour")),
    (r"Key ?Management|kms", r"KMS-Keys", ("awskms", "key")),
)


def key_of(service: str, usage_type: str) -> tuple[Key, str | None] | None:
    """The estimate's key of a usage type, and the instance type in it; None where no line of an estimate can stand for it."""
    plain = REGION.sub("", usage_type)
    if plain.startswith(INSTANCE_USAGE) or plain == INSTANCE_USAGE.rstrip(":"):
        return ON_DEMAND, plain.partition(":")[2] or "m1.small"
    if plain.startswith(SPOT_USAGE):
        return SPOT, plain.partition(":")[2]
    for of, pattern, key in _PATTERNS:
        if re.search(of, service, re.IGNORECASE) and re.fullmatch(pattern, plain):
            return key, None
    wishes = _WISHED.get(plain, [])
    if len({wish.offer for wish in wishes}) > 1:  # `Requests-Tier1` is of S3, SQS and SNS
        wishes = [wish for wish in wishes if _is_of(service, wish.offer)]
    if wishes:
        return (wishes[0].service, wishes[0].dimension), None
    if plain.startswith("NodeUsage:"):
        return ("AmazonElastiCache", f"node_{plain.partition(':')[2]}_valkey"), None
    return None


def _is_of(service: str, offer: str) -> bool:
    plain = offer.removeprefix("Amazon").removeprefix("AWS")
    return any(name.lower() in service.lower() for name in (offer, plain, _NAMES.get(offer, offer)))


def key_of_line(service: str, dimension: str) -> Key:
    """The key of an estimate's line."""
    if service == "AmazonEC2":
        return SPOT if "spot" in dimension else ON_DEMAND
    return service, dimension
