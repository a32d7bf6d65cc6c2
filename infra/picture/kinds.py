"""Which resource types the picture shows: the ones that a person would draw. All others are looked through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Properties = Mapping[str, Any]


def _nothing(_: Properties) -> str:
    return ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _rule(rule: Properties) -> str:
    (condition, *_) = rule["Conditions"]
    if "HttpHeaderConfig" in condition:
        header = condition["HttpHeaderConfig"]
        return f"{header['HttpHeaderName']}: {', '.join(map(_text, header['Values']))}"
    return "splits by weight"


def _function(function: Properties) -> str:
    return f"{function['MemorySize']} MB {function.get('Architectures', ['x86_64'])[0]}" if "MemorySize" in function else ""


def _targets(group: Properties) -> str:
    return {"lambda": "invokes the function", "instance": "instances"}.get(group.get("TargetType", ""), "")


KINDS: dict[str, tuple[str, Callable[[Properties], str]]] = {
    "AWS::ApiGatewayV2::Api": ("HTTP API", _nothing),
    "AWS::AutoScaling::AutoScalingGroup": ("Autoscaling group", lambda p: f"{p['MinSize']} to {p['MaxSize']} instances"),
    "AWS::AutoScaling::LifecycleHook": ("Lifecycle hook", lambda p: _text(p["LifecycleTransition"]).rpartition(":")[2]),
    "AWS::AutoScaling::ScalingPolicy": ("Scaling policy", _nothing),
    "AWS::AutoScaling::ScheduledAction": ("Scheduled action", lambda p: _text(p.get("Recurrence"))),
    "AWS::Budgets::Budget": ("Budget", _nothing),
    "AWS::CloudWatch::Alarm": ("Alarm", _nothing),
    "AWS::CloudWatch::Dashboard": ("Dashboard", _nothing),
    "AWS::EC2::LaunchTemplate": ("Launch template", _nothing),
    "AWS::EC2::NatGateway": ("NAT gateway", _nothing),
    "AWS::EC2::VPC": ("VPC", lambda p: _text(p["CidrBlock"])),
    "AWS::EC2::VPCEndpoint": ("VPC endpoint", lambda p: _text(p.get("VpcEndpointType")).lower()),
    "AWS::ElastiCache::ReplicationGroup": ("Valkey cache", lambda p: _text(p.get("CacheNodeType"))),
    "AWS::ElastiCache::ServerlessCache": ("Valkey cache", lambda _: "serverless"),
    "AWS::ElasticLoadBalancingV2::Listener": ("Listener", lambda p: f"{p['Protocol']} {p['Port']}"),
    "AWS::ElasticLoadBalancingV2::ListenerRule": ("Listener rule", _rule),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("Load balancer", lambda p: _text(p.get("Scheme"))),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("Target group", _targets),
    "AWS::Lambda::Alias": ("Alias", lambda p: _text(p["Name"])),
    "AWS::Lambda::CapacityProvider": ("Capacity provider", _nothing),
    "AWS::Lambda::Function": ("Lambda function", _function),
    "AWS::Lambda::Url": ("Function URL", _nothing),
    "AWS::Logs::LogGroup": ("Log group", lambda p: f"kept {p['RetentionInDays']} days" if "RetentionInDays" in p else ""),
    "AWS::Route53::RecordSet": ("DNS record", lambda p: _text(p["Name"])),
    "AWS::S3::Bucket": ("Bucket", _nothing),
    "AWS::SNS::Topic": ("SNS topic", _nothing),
    "AWS::SQS::Queue": ("SQS queue", _nothing),
    "AWS::Scheduler::Schedule": ("Schedule", lambda p: _text(p.get("ScheduleExpression"))),
    "AWS::Scheduler::ScheduleGroup": ("Schedule group", lambda p: _text(p.get("Name"))),
    "AWS::SSM::Parameter": ("Parameter", lambda p: _text(p.get("Name"))),
    "AWS::SecretsManager::Secret": ("Secret", lambda p: _text(p.get("Name"))),
    "AWS::WAFv2::WebACL": ("Web ACL", _nothing),
}
