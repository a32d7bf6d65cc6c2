"""Resource types, and properties of resources, that cost nothing by themselves, each with the source of that claim."""

from __future__ import annotations

from collections.abc import Callable

from infra.cost.cloud_assembly.reading import Resource

_VPC = "no charge for the VPC itself, its subnets, routes, gateways and groups (aws.amazon.com/vpc/pricing)"
_IAM = "IAM is free (aws.amazon.com/iam)"
_ELB = "billed with the load balancer's hours and LCUs (aws.amazon.com/elasticloadbalancing/pricing)"
_LAMBDA = "billed by the function's requests and duration (aws.amazon.com/lambda/pricing)"
_CACHE = "billed with the cache (aws.amazon.com/elasticache/pricing)"
_WAF = "billed with the web ACL (aws.amazon.com/waf/pricing)"

FREE: dict[str, str] = {
    **dict.fromkeys(
        (
            "AWS::EC2::VPC",
            "AWS::EC2::VPCCidrBlock",
            "AWS::EC2::Subnet",
            "AWS::EC2::SubnetCidrBlock",
            "AWS::EC2::SubnetRouteTableAssociation",
            "AWS::EC2::Route",
            "AWS::EC2::RouteTable",
            "AWS::EC2::InternetGateway",
            "AWS::EC2::EgressOnlyInternetGateway",
            "AWS::EC2::VPCGatewayAttachment",
            "AWS::EC2::SecurityGroup",
            "AWS::EC2::SecurityGroupIngress",
            "AWS::EC2::SecurityGroupEgress",
            "AWS::EC2::NetworkAcl",
            "AWS::EC2::NetworkAclEntry",
            "AWS::EC2::SubnetNetworkAclAssociation",
        ),
        _VPC,
    ),
    **dict.fromkeys(
        ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::InstanceProfile", "AWS::IAM::User"), _IAM
    ),
    **dict.fromkeys(
        (
            "AWS::ElasticLoadBalancingV2::Listener",
            "AWS::ElasticLoadBalancingV2::ListenerRule",
            "AWS::ElasticLoadBalancingV2::TargetGroup",
        ),
        _ELB,
    ),
    **dict.fromkeys(("AWS::Lambda::Permission", "AWS::Lambda::Url", "AWS::Lambda::EventInvokeConfig"), _LAMBDA),
    **dict.fromkeys(("AWS::ElastiCache::User", "AWS::ElastiCache::UserGroup", "AWS::ElastiCache::SubnetGroup"), _CACHE),
    **dict.fromkeys(("AWS::WAFv2::WebACLAssociation", "AWS::WAFv2::LoggingConfiguration", "AWS::WAFv2::IPSet"), _WAF),
    **dict.fromkeys(
        ("AWS::ApiGatewayV2::Stage", "AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Integration"),
        "billed by the API's requests (aws.amazon.com/api-gateway/pricing)",
    ),
    **dict.fromkeys(
        ("AWS::AutoScaling::LifecycleHook", "AWS::AutoScaling::ScheduledAction"),
        "EC2 Auto Scaling has no charge of its own (aws.amazon.com/ec2/autoscaling/pricing)",
    ),
    "AWS::S3::BucketPolicy": "billed by what the bucket holds and is asked (aws.amazon.com/s3/pricing)",
    "AWS::SNS::TopicPolicy": "billed by requests and deliveries (aws.amazon.com/sns/pricing)",
    "AWS::SNS::Topic": "a topic has no charge; the first million requests and 1,000 e-mails a month are free "
    "(aws.amazon.com/sns/pricing)",
    "AWS::SNS::Subscription": "a subscription has no charge (aws.amazon.com/sns/pricing)",
    "AWS::Budgets::Budget": "budgets without actions are free (aws.amazon.com/aws-cost-management/aws-budgets/pricing)",
    "AWS::Scheduler::ScheduleGroup": "billed by the schedules' invocations (aws.amazon.com/eventbridge/pricing)",
    "AWS::SQS::QueuePolicy": "billed by requests (aws.amazon.com/sqs/pricing)",
    "AWS::CDK::Metadata": "is not deployed as a resource that is billed",
}

Told = Callable[[Resource], bool]


# Free by their properties: what makes them so, and its source.
FREE_WHEN: dict[str, tuple[Told, str]] = {
    "AWS::SSM::Parameter": (
        lambda r: r.properties.get("Tier", "Standard") == "Standard",
        "standard parameters are free (aws.amazon.com/systems-manager/pricing)",
    ),
    "AWS::EC2::VPCEndpoint": (
        lambda r: r.properties.get("VpcEndpointType", "Gateway") == "Gateway",
        "gateway endpoints are free (docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html)",
    ),
    "AWS::Route53::RecordSet": (
        lambda r: "AliasTarget" in r.properties,
        "queries of an alias to a load balancer are free (aws.amazon.com/route53/pricing)",
    ),
    "AWS::EC2::LaunchTemplate": (
        lambda r: not monitored(r),
        "a template has no charge (docs.aws.amazon.com/autoscaling/ec2/userguide/launch-templates.html)",
    ),
    "AWS::Lambda::Version": (
        lambda r: not {"FunctionScalingConfig", "ProvisionedConcurrencyConfig"} & r.properties.keys(),
        "versions are billed when they run, or with SnapStart (aws.amazon.com/lambda/pricing)",
    ),
    "AWS::Events::Rule": (
        lambda r: "EventBusName" not in r.properties,
        "schedules and events of AWS's services on the default bus are free (aws.amazon.com/eventbridge/pricing)",
    ),
    "AWS::Lambda::Alias": (lambda r: "ProvisionedConcurrencyConfig" not in r.properties, _LAMBDA),
}


def monitored(template: Resource) -> bool:
    return template.literal("LaunchTemplateData", "Monitoring", "Enabled") in (True, "true")


def free_because(resource: Resource) -> str | None:
    """Why a resource costs nothing by itself, with the source; None where it does, or may."""
    if resource.type in FREE:
        return FREE[resource.type]
    if resource.type in FREE_WHEN:
        when, reason = FREE_WHEN[resource.type]
        return reason if when(resource) else None
    return None
