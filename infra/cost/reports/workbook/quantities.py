"""The quantity of each line of the bill as a formula over inputs and workings, by the line's name.

A name that is not here has no formula, and its quantity is written as a fixed value. `{lane}` is `lambda` or `container`.
"""

from __future__ import annotations

from infra.cost.compare import Comparison
from infra.cost.lines.line import LineItem, base_name

EITHER = {
    "Load balancer hours": "month_hours",
    "Load balancer LCUs": "{lane}_lcu_hours",
    "Public IPv4, load balancer": "zones*month_hours",
    "HTTP API requests": "searches",
    "Data transfer out": "MAX(0,{lane}_out_gb-IF(free_tier=1,free_transfer_gb,0))",
    "Data transfer in": "{lane}_in_gb",
    "CloudWatch dashboard": "1",
    "S3 storage, access logs": "searches*access_log_bytes/1E9*access_log_days/30",
    "S3 requests, access logs": "access_log_files*zones*month_hours",
    "WAF web ACL": "1",
    "WAF rules": "waf_rules",
    "WAF requests": "searches",
    "Secret, lane token": "1",
    "Secret, suppliers' keys": "1",
    "Secret reads, suppliers' keys": "cold_starts",
}
LAMBDA = {
    "Lambda requests": "MAX(0,searches-IF(AND(free_tier=1,provisioned=0),free_requests,0))",
    "Lambda compute": (
        "MAX(0,lambda_running_gb_s-lambda_used_gb_s+lambda_init_gb_s-IF(AND(free_tier=1,provisioned=0),free_gb_s,0))"
    ),
    "CloudWatch Logs ingestion": "searches*lambda_log_bytes/1E9",
    "CloudWatch Logs storage": "searches*lambda_log_bytes/1E9*log_retention_days/30",
    "CloudWatch metrics, embedded": "embedded_metrics",
    "Lambda ephemeral storage": "searches*ROUND(lambda_seconds,6)*MAX(0,lambda_ephemeral_mb-512)/1024",
    "Lambda provisioned concurrency": "provisioned*month_hours*3600*lambda_memory_mb/1024",
    "Lambda compute on provisioned concurrency": "lambda_used_gb_s",
    "Lambda SnapStart cache": "month_hours*3600*lambda_memory_mb/1024",
    "Lambda SnapStart restores": "cold_starts*lambda_memory_mb/1024",
}
CONTAINER = {
    "EBS gp3 volumes": "volume_gb*instance_hours/month_hours",
    "Public IPv4, instances": "instance_hours",
    "NAT gateway hours": "zones*month_hours",
    "NAT gateway data": "container_supplier_gb",
    "Public IPv4, NAT gateways": "zones*month_hours",
    "Public IPv4, NAT instances": "zones*month_hours",
    "CloudWatch metrics, container lane": "agent_metrics",
    "CloudWatch detailed monitoring": "7*instance_hours/month_hours",  # seven metrics an instance, each for a month
    "CloudWatch metrics, CloudWatch agent": "2",
    "CloudWatch agent requests": "instance_hours*3600/agent_every_s",
    "CloudWatch metric requests": "instance_hours*3600/agent_every_s",
    "Data transfer between zones": "ROUND(searches*N(container_upstream_in_bytes)/1E9,6)*(zones-1)/zones",
    "Cache storage": "cache_max_gb*month_hours",
    "Cache requests": "searches*ROUND(container_upstream_in_bytes/1024+suppliers,6)/1E6",
}
COUNTED = ("CloudWatch alarms, ", "CloudWatch composite alarm, ")
"""Counts that the stage's settings decide and no input changes."""
BESIDE = ", from templates"
"""How lines end that templates decide (`cloud_assembly.standing`)."""


def quantity_formula(line: LineItem, lane: str, comparison: Comparison, amounts: dict[str, str]) -> str | None:
    """The formula of a price's whole quantity, all tiers together, with what is free of it but for Lambda's and transfer out's
    own allowances; None where there is none. `amounts` says where the
    amounts of the lane's lines so far stand."""
    name = base_name(line)
    if name.startswith(COUNTED):
        return f"{line.used.normalize():f}"
    if name.endswith(BESIDE):
        each_hour = line.used / comparison.options.month_hours
        return f"{each_hour.normalize():f}*month_hours" if line.unit == "hour" else f"{line.used.normalize():f}"
    if lane == "lambda":
        found = EITHER.get(name) or LAMBDA.get(name) or _managed(name, comparison, amounts)
    else:
        found = EITHER.get(name) or _container(name, line, comparison)
    return None if found is None else found.format(lane=lane)


def _managed(name: str, comparison: Comparison, amounts: dict[str, str]) -> str | None:
    if comparison.stage.lambda_lane.managed_concurrency is None:
        return None
    fleet = f"EC2 on demand, {comparison.stage.container_lane.instance_types[0]}"
    if name == fleet:
        return "managed_hours"
    return amounts.get(fleet) if name == "Lambda management of instances" else None


def _container(name: str, line: LineItem, comparison: Comparison) -> str | None:
    stage = comparison.stage
    if "one NAT instance in each of" in line.note:
        if name == "EBS gp3 volumes":
            return "nat_volume_gb*zones"
        return "zones*month_hours"
    if name == f"EC2 on demand, {stage.container_lane.instance_types[0]}":
        return "on_demand_hours"
    if name.startswith("EC2 spot, "):
        return "spot_hours"
    if name.startswith("Cache nodes, "):
        return "(1+cache_replicas)*month_hours"
    return CONTAINER.get(name)
