"""Which product of the AWS Price List each price of the book is: compute and network here, managed services beside it.

Each wish says where its filter was read (`known_from`). "infracost X" is github.com/infracost/infracost, file
internal/resources/aws/X.go, whose filters Infracost runs against the list.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from infra.cost.prices.offers import Product
from infra.cost.prices.wish import HOURS_A_MONTH, Wish
from infra.cost.prices.wishes_managed import MANAGED

A_SECOND = Fraction(1, 3600)
FARGATE_SPOT = "not in the Price List, which has no spot prices"
BILLED = "usage type of AWS's bills and of aws/lambda/pricing's list rows (SKUs in ocelhq/ocel, HJC96/malssum-haru)"
EDGE = "row of the list, offer AWSLambda, group AWS-Lambda-Edge-Duration; CloudFront developer guide, usage reports"
MICROVMS = "rows of GetProducts recorded on 2026-08-07 (theagenticguy/microvms-agentd, tests of its pricing module)"
GROUPS = "groups by which public scripts ask GetProducts for them (2026); usage types unknown"


def _lambda(dimension: str, usagetype: str, unit: str = "GB-s", known_from: str = BILLED) -> Wish:
    return Wish(
        service="AWSLambda", dimension=dimension, unit=unit, offer="AWSLambda", usagetypes=(usagetype,), known_from=known_from
    )  # fmt: skip


def _microvm(dimension: str, unit: str, usagetype: str, factor: Fraction = Fraction(1)) -> Wish:
    wish = _lambda(f"microvm_{dimension}", f"Lambda-MicroVM-{usagetype}", unit, MICROVMS)
    return replace(wish, factor=factor)


def _of_group(dimension: str, unit: str, group: str) -> Wish:
    return replace(_lambda(dimension, "", unit, GROUPS), usagetypes=(), attributes={"group": f"AWS-Lambda-{group}"})


def _ec2(service: str, dimension: str, unit: str, usagetype: str, known_from: str, factor: Fraction = Fraction(1)) -> Wish:
    return Wish(
        service=service, dimension=dimension, unit=unit, offer="AmazonEC2", usagetypes=(usagetype,), factor=factor,
        known_from=known_from,
    )  # fmt: skip


def _volume(dimension: str, unit: str, usagetype: str, factor: Fraction = Fraction(1)) -> Wish:
    return _ec2("AmazonEBS", dimension, unit, f"EBS:{usagetype}", "infracost ebs_volume, ebs_snapshot", factor)


def _fargate(dimension: str, unit: str, usagetype: str) -> Wish:
    return Wish(
        service="AmazonECS", dimension=dimension, unit=unit, offer="AmazonECS", usagetypes=(usagetype,), factor=A_SECOND,
        known_from="infracost ecs_service; aws pricing get-products examples of Fargate-EphemeralStorage-GB-Hours",
    )  # fmt: skip


def _balancer(dimension: str, unit: str, usagetype: str, family: str) -> Wish:
    return Wish(
        service="AWSELB", dimension=dimension, unit=unit, offer="AWSELB", usagetypes=(usagetype,),
        family=f"Load Balancer-{family}", known_from="infracost lb",
    )  # fmt: skip


def _network(dimension: str, unit: str, usagetype: str, known_from: str, family: str | None = None) -> Wish:
    return Wish(
        service="AmazonVPC", dimension=dimension, unit=unit, offer="AmazonVPC", usagetypes=(usagetype,), family=family,
        known_from=known_from,
    )  # fmt: skip


def _transfer(dimension: str, usagetype: str, kind: str, to: str | None = None) -> Wish:
    return Wish(
        service="AWSDataTransfer", dimension=dimension, unit="GB", offer="AWSDataTransfer", usagetypes=(usagetype,),
        attributes={"transferType": kind}, to=to, known_from="infracost data_transfer",
    )  # fmt: skip


COMPUTE: tuple[Wish, ...] = (
    _lambda("requests", "Request", "request"),
    _lambda("duration_x86_64", "Lambda-GB-Second"),
    _lambda("duration_arm64", "Lambda-GB-Second-ARM"),
    _lambda("provisioned_concurrency_x86_64", "Lambda-Provisioned-Concurrency"),
    _lambda("provisioned_concurrency_arm64", "Lambda-Provisioned-Concurrency-ARM"),
    _lambda("provisioned_duration_x86_64", "Lambda-Provisioned-GB-Second"),
    _lambda("provisioned_duration_arm64", "Lambda-Provisioned-GB-Second-ARM"),
    _lambda("ephemeral_storage_over_512_mb", "Lambda-Storage-GB-Second"),
    _lambda("snapstart_cache", "Lambda-SnapStart-Cached-GB-S"),
    _lambda("snapstart_restore", "Lambda-SnapStart-Restored-GB", "GB"),
    _lambda("response_streaming", "Lambda-Streaming-Response-Processed-Bytes", "GB"),
    _lambda("edge_request", "Lambda-Edge-Request", "request", EDGE),
    _lambda("edge_duration", "Lambda-Edge-GB-Second", "GB-s", EDGE),
    _microvm("vcpu", "vCPU-s", "vCPU-Second-ARM"),
    _microvm("memory", "GB-s", "Memory-GB-Second-ARM"),
    _microvm("snapshot_read", "GB", "Snapshot-Read-GB"),
    _microvm("snapshot_written", "GB", "Snapshot-Write-GB"),
    _microvm("snapshot_storage", "GB-month", "Snapshot-Storage-GB-Hour", Fraction(HOURS_A_MONTH)),
    _of_group("durable_operation", "operation", "Durable-Execution-Operations"),
    _of_group("durable_written", "GB", "Durable-Execution-Written-Bytes"),
    _of_group("durable_retained", "GB-month", "Durable-Execution-TimedStorage-ByteHrs"),
    _of_group("event_poller_kafka", "unit-hour", "Event-Poller-Unit-Duration"),
    _of_group("event_poller_sqs", "unit-hour", "SQS-Event-Poller-Unit-Duration"),
    _of_group("tenant_isolation", "GB", "Tenant-Isolated-Environment-Memory-GB"),
    _fargate("fargate_vcpu_x86_64", "vCPU-s", "Fargate-vCPU-Hours:perCPU"),
    _fargate("fargate_vcpu_arm64", "vCPU-s", "Fargate-ARM-vCPU-Hours:perCPU"),
    _fargate("fargate_memory_x86_64", "GB-s", "Fargate-GB-Hours"),
    _fargate("fargate_memory_arm64", "GB-s", "Fargate-ARM-GB-Hours"),
    _fargate("fargate_ephemeral_over_20_gb", "GB-s", "Fargate-EphemeralStorage-GB-Hours"),
    _volume("gp3_storage", "GB-month", "VolumeUsage.gp3"),
    _volume("gp3_iops_over_3000", "IOPS-month", "VolumeP-IOPS.gp3"),
    _volume("gp3_throughput_over_125", "MB/s-month", "VolumeP-Throughput.gp3", Fraction(1, 1024)),
    _volume("gp2_storage", "GB-month", "VolumeUsage.gp2"),
    _volume("io1_storage", "GB-month", "VolumeUsage.piops"),
    _volume("io1_iops", "IOPS-month", "VolumeP-IOPS.piops"),
    _volume("st1_storage", "GB-month", "VolumeUsage.st1"),
    _volume("sc1_storage", "GB-month", "VolumeUsage.sc1"),
    _volume("snapshot", "GB-month", "SnapshotUsage"),
    Wish(
        service="AmazonEC2", dimension="t3_unlimited_credit", unit="vCPU-hour", offer="AmazonEC2", family="CPU Credits",
        usagetypes=("CPUCredits:t3",), attributes={"operatingSystem": "Linux"}, known_from="infracost instance",
    ),
)  # fmt: skip
NETWORK: tuple[Wish, ...] = (
    _balancer("alb_hour", "hour", "LoadBalancerUsage", "Application"),
    _balancer("alb_lcu", "LCU-hour", "LCUUsage", "Application"),
    _balancer("nlb_hour", "hour", "LoadBalancerUsage", "Network"),
    _balancer("nlb_lcu", "NLCU-hour", "LCUUsage", "Network"),
    _ec2("AmazonVPC", "nat_gateway_hour", "hour", "NatGateway-Hours", "infracost nat_gateway"),
    _ec2("AmazonVPC", "nat_gateway_data", "GB", "NatGateway-Bytes", "infracost nat_gateway"),
    _network("public_ipv4", "hour", "PublicIPv4:InUseAddress", "usage type of AWS's bills (AWS blog, 2023-07-28)"),
    _network("endpoint_hour", "hour", "VpcEndpoint-Hours", "infracost vpc_endpoint", "VpcEndpoint"),
    _network("endpoint_data", "GB", "VpcEndpoint-Bytes", "infracost vpc_endpoint", "VpcEndpoint"),
    _transfer("out_internet", "DataTransfer-Out-Bytes", "AWS Outbound"),
    _transfer("in_internet", "DataTransfer-In-Bytes", "AWS Inbound"),
    _transfer("inter_az", "DataTransfer-Regional-Bytes", "IntraRegion"),
    _transfer("out_us_east", "AWS-Out-Bytes", "InterRegion Outbound", "us-east"),
    _transfer("out_other_region", "AWS-Out-Bytes", "InterRegion Outbound", "other"),
)
WISHES = COMPUTE + NETWORK + MANAGED

FEE = ("AWSLambda", "managed_instances_fee")
"""Is made of several products (`price_fees`)."""
FEE_USAGE = "Lambda-Managed-Instances-"

NOT_ASKED_FOR: dict[tuple[str, str], str] = {
    **{
        ("AmazonECS", f"fargate_spot_{what}_{architecture}"): FARGATE_SPOT
        for what in ("vcpu", "memory")
        for architecture in ("x86_64", "arm64")
    },
    FEE: "no instance type of the book has both a fee and a price in the Price List",
}  # fmt: skip
"""Prices of the book that are no product of the list by themselves, and why there may be none."""

INSTANCE_USAGE = "BoxUsage:"
INSTANCE_ATTRIBUTES = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "operation": "RunInstances",
}
"""Of the hundreds of prices an instance type has, the one of plain Linux on shared hardware."""
ALSO = {"AmazonEC2": (INSTANCE_USAGE,), "AWSLambda": (FEE_USAGE,)}
"""What is read of an offer beside the wishes: the beginnings of usage types that name instance types."""
OFFERS = tuple(sorted({wish.offer for wish in WISHES}))
ESSENTIAL = frozenset({"AWSDataTransfer", "AWSELB", "AWSLambda", "AmazonEC2", "AmazonVPC"})
"""Offers without which neither lane has a price; a region need not have the others."""


def is_plain_instance(product: Product) -> bool:
    """Whether this is an instance type's price of plain Linux on shared hardware."""
    wanted = all(product.attributes.get(key) == value for key, value in INSTANCE_ATTRIBUTES.items())
    return wanted and product.usagetype.startswith(INSTANCE_USAGE)
