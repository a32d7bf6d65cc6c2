"""What moto makes from a template and leaves when the stack is deleted: deleted here, through moto's own API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends


def _target_group(account: str, region: str, group: Any) -> None:
    elbv2_backends[account][region].delete_target_group(group.physical_resource_id)


def _vpc_endpoint(account: str, region: str, endpoint: Any) -> None:
    backend = ec2_backends[account][region]
    backend.delete_vpc_endpoints([endpoint.physical_resource_id])
    del backend.vpc_end_points[endpoint.physical_resource_id]  # moto would keep the VPC for one that is deleted


def _route_table(account: str, region: str, table: Any) -> None:
    table._associations.clear()  # deleted before it: moto has no deletion of theirs
    ec2_backends[account][region].delete_route_table(table.physical_resource_id)


def _gateway_attachment(account: str, region: str, attachment: Any) -> None:
    ec2_backends[account][region].detach_internet_gateway(attachment.gateway_id, attachment.vpc_id)


def _internet_gateway(account: str, region: str, gateway: Any) -> None:
    ec2_backends[account][region].delete_internet_gateway(gateway.physical_resource_id)


def _listener(account: str, region: str, listener: Any) -> None:
    elbv2_backends[account][region].delete_listener(listener.physical_resource_id)


def _listener_rule(account: str, region: str, rule: Any) -> None:
    elbv2_backends[account][region].delete_rule(rule.physical_resource_id)


DELETIONS: dict[str, Callable[[str, str, Any], None]] = {
    "AWS::EC2::InternetGateway": _internet_gateway,
    "AWS::EC2::RouteTable": _route_table,
    "AWS::EC2::VPCEndpoint": _vpc_endpoint,
    "AWS::EC2::VPCGatewayAttachment": _gateway_attachment,
    "AWS::ElasticLoadBalancingV2::Listener": _listener,
    "AWS::ElasticLoadBalancingV2::ListenerRule": _listener_rule,
    "AWS::ElasticLoadBalancingV2::TargetGroup": _target_group,
}
