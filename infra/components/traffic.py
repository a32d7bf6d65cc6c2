"""The load balancer, its listeners and the rule that splits requests between the lanes' target groups by weight."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from infra.components.acknowledge import acknowledge
from infra.components.network import Network
from infra.components.traffic_weights import DeployedWeights
from infra.config import Stage

# Rules are tried from the lowest priority up: a request that names its lane, then the split.
SPLIT_PRIORITY = 100


class LoadBalancing(Construct):
    """Owns `load_balancer`, `listener` and `split`, the rule with both lanes' target groups and their weights.

    `target_groups` maps `lambda` and `container` to target-group ARNs. With a certificate the listener is HTTPS and
    plain HTTP is redirected to it; without, it is HTTP. A request that no rule takes gets a 404.
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage, network: Network, target_groups: Mapping[str, str]) -> None:
        super().__init__(scope, id)
        self.load_balancer = elbv2.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            vpc=network.vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            internet_facing=True,
            security_group=network.load_balancer_group,
            idle_timeout=Duration.seconds(stage.traffic.idle_timeout_s),
            drop_invalid_header_fields=True,
        )
        acknowledge(self.load_balancer, "ELB2", "Access logs are stored by the byte; the report does not price them.")
        self.listener = self._listener(stage.traffic.certificate_arn)
        self.split = self._split(stage, target_groups)
        if stage.traffic.lane_header:
            self._named_lane(stage.traffic.lane_header, target_groups)

    def _listener(self, certificate_arn: str | None) -> elbv2.ApplicationListener:
        nothing_here = elbv2.ListenerAction.fixed_response(404, content_type="text/plain", message_body="no such route\n")
        if certificate_arn is None:
            return self.load_balancer.add_listener(
                "Http",
                port=80,
                protocol=elbv2.ApplicationProtocol.HTTP,
                open=False,  # the network's own group lets callers in
                default_action=nothing_here,
            )
        self.load_balancer.add_redirect(open=False)
        return self.load_balancer.add_listener(
            "Https",
            port=443,
            protocol=elbv2.ApplicationProtocol.HTTPS,
            open=False,
            certificates=[elbv2.ListenerCertificate.from_arn(certificate_arn)],
            ssl_policy=elbv2.SslPolicy.RECOMMENDED_TLS,
            default_action=nothing_here,
        )

    def _split(self, stage: Stage, target_groups: Mapping[str, str]) -> elbv2.CfnListenerRule:
        weights = DeployedWeights(self, "Weights", stage=stage)
        weighted = {
            target_groups["lambda"]: weights.lambda_weight,
            target_groups["container"]: weights.container_weight,
        }
        everything = elbv2.CfnListenerRule.RuleConditionProperty(
            field="path-pattern",
            path_pattern_config=elbv2.CfnListenerRule.PathPatternConfigProperty(values=["/*"]),
        )
        return self._rule("Split", SPLIT_PRIORITY, everything, weighted)

    def _named_lane(self, header: str, target_groups: Mapping[str, str]) -> None:
        for priority, (lane, arn) in enumerate(sorted(target_groups.items()), start=1):
            named = elbv2.CfnListenerRule.RuleConditionProperty(
                field="http-header",
                http_header_config=elbv2.CfnListenerRule.HttpHeaderConfigProperty(http_header_name=header, values=[lane]),
            )
            self._rule(f"Named-{lane}", priority, named, {arn: 1})

    def _rule(
        self,
        id: str,
        priority: int,
        condition: elbv2.CfnListenerRule.RuleConditionProperty,
        weighted: Mapping[str, float],
    ) -> elbv2.CfnListenerRule:
        groups = [
            elbv2.CfnListenerRule.TargetGroupTupleProperty(target_group_arn=arn, weight=weight)
            for arn, weight in weighted.items()
        ]
        return elbv2.CfnListenerRule(
            self,
            id,
            listener_arn=self.listener.listener_arn,
            priority=priority,
            conditions=[condition],
            actions=[
                elbv2.CfnListenerRule.ActionProperty(
                    type="forward",
                    forward_config=elbv2.CfnListenerRule.ForwardConfigProperty(target_groups=groups),
                )
            ],
        )
