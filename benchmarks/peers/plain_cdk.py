"""Three stacks as the CDK's own tutorials have them: a VPC, a function, a load balancer in front of it."""

from __future__ import annotations

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_elasticloadbalancingv2_targets as targets
from aws_cdk import aws_lambda as lambda_

app = App()
network, service, front = (Stack(app, name, env=Environment(region="us-east-1")) for name in ("network", "service", "front"))
vpc = ec2.Vpc(network, "Vpc", availability_zones=["us-east-1a", "us-east-1b"])
function = lambda_.Function(
    service,
    "Function",
    runtime=lambda_.Runtime.PYTHON_3_13,
    handler="index.handler",
    code=lambda_.Code.from_inline("def handler(event, context): ..."),
)
balancer = elbv2.ApplicationLoadBalancer(front, "LoadBalancer", vpc=vpc, internet_facing=True)
balancer.add_listener("Http", port=80).add_targets("Lambda", targets=[targets.LambdaTarget(function)])
app.synth()
