"""Which product of the AWS Price List each price of the book is: the offer, the usage type, and how its unit becomes ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

HOUR = Decimal(1) / Decimal(3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One price of the book. `usagetype` is without the region's prefix; `attributes` must be equal; the offer's price times
    `factor` is the book's, and where it is by the hour (`per_second`) a 3,600th of it."""

    service: str
    dimension: str
    unit: str
    offer: str
    usagetype: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    family: str | None = None
    factor: Decimal = Decimal(1)
    per_second: bool = False


def _lambda(dimension: str, usagetype: str, unit: str = "GB-s") -> Wish:
    return Wish(service="AWSLambda", dimension=dimension, unit=unit, offer="AWSLambda", usagetype=usagetype)


def _cloudwatch(dimension: str, unit: str, usagetype: str, **attributes: str) -> Wish:
    return Wish(
        service="AmazonCloudWatch", dimension=dimension, unit=unit, offer="AmazonCloudWatch", usagetype=usagetype,
        attributes=attributes,
    )  # fmt: skip


def _ec2(service: str, dimension: str, unit: str, usagetype: str, factor: Decimal = Decimal(1)) -> Wish:
    return Wish(service=service, dimension=dimension, unit=unit, offer="AmazonEC2", usagetype=usagetype, factor=factor)


def _fargate(dimension: str, unit: str, usagetype: str) -> Wish:
    return Wish(service="AmazonECS", dimension=dimension, unit=unit, offer="AmazonECS", usagetype=usagetype, per_second=True)


WISHES: tuple[Wish, ...] = (
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
    Wish(
        service="AWSELB", dimension="alb_hour", unit="hour", offer="AWSELB", usagetype="LoadBalancerUsage",
        family="Load Balancer-Application",
    ),
    Wish(
        service="AWSELB", dimension="alb_lcu", unit="LCU-hour", offer="AWSELB", usagetype="LCUUsage",
        family="Load Balancer-Application",
    ),
    _ec2("AmazonVPC", "nat_gateway_hour", "hour", "NatGateway-Hours"),
    _ec2("AmazonVPC", "nat_gateway_data", "GB", "NatGateway-Bytes"),
    Wish(
        service="AmazonVPC", dimension="public_ipv4", unit="hour", offer="AmazonVPC", usagetype="PublicIPv4:InUseAddress"
    ),
    _ec2("AmazonEBS", "gp3_storage", "GB-month", "EBS:VolumeUsage.gp3"),
    _ec2("AmazonEBS", "gp3_iops_over_3000", "IOPS-month", "EBS:VolumeP-IOPS.gp3"),
    _ec2("AmazonEBS", "gp3_throughput_over_125", "MB/s-month", "EBS:VolumeP-Throughput.gp3", factor=Decimal(1) / 1024),
    Wish(
        service="AWSDataTransfer", dimension="out_internet", unit="GB", offer="AWSDataTransfer",
        usagetype="DataTransfer-Out-Bytes", attributes={"transferType": "AWS Outbound"},
    ),
    Wish(
        service="AWSDataTransfer", dimension="in_internet", unit="GB", offer="AWSDataTransfer",
        usagetype="DataTransfer-In-Bytes", attributes={"transferType": "AWS Inbound"},
    ),
    Wish(
        service="AWSDataTransfer", dimension="inter_az", unit="GB", offer="AWSDataTransfer",
        usagetype="DataTransfer-Regional-Bytes", attributes={"transferType": "IntraRegion"},
    ),
    _cloudwatch("logs_ingest_standard", "GB", "DataProcessing-Bytes"),
    _cloudwatch("logs_storage", "GB-month", "TimedStorage-ByteHrs"),
    _cloudwatch("logs_insights_scan", "GB", "DataScanned-Bytes"),
    _cloudwatch("custom_metric", "metric-month", "CW:MetricMonitorUsage"),
    _cloudwatch("standard_alarm", "alarm-month", "CW:AlarmMonitorUsage"),
    _cloudwatch("composite_alarm", "alarm-month", "CW:CompositeAlarmMonitorUsage"),
    _fargate("fargate_vcpu_x86_64", "vCPU-s", "Fargate-vCPU-Hours:perCPU"),
    _fargate("fargate_vcpu_arm64", "vCPU-s", "Fargate-ARM-vCPU-Hours:perCPU"),
    _fargate("fargate_memory_x86_64", "GB-s", "Fargate-GB-Hours"),
    _fargate("fargate_memory_arm64", "GB-s", "Fargate-ARM-GB-Hours"),
    _fargate("fargate_ephemeral_over_20_gb", "GB-s", "Fargate-EphemeralStorage-GB-Hours"),
    Wish(
        service="AmazonApiGateway", dimension="http_api", unit="request", offer="AmazonApiGateway",
        usagetype="ApiGatewayHttpRequest",
    ),
    Wish(
        service="AmazonApiGateway", dimension="rest_api", unit="request", offer="AmazonApiGateway",
        usagetype="ApiGatewayRequest",
    ),
)  # fmt: skip
"""Dimensions of the book that are not here (ElastiCache's of Valkey) are not refreshed and keep their own date."""

INSTANCE_USAGE = "BoxUsage:"
INSTANCE_ATTRIBUTES = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "operation": "RunInstances",
}
"""Of the hundreds of prices an instance type has, the one of plain Linux on shared hardware."""
OFFERS = tuple(sorted({wish.offer for wish in WISHES}))
