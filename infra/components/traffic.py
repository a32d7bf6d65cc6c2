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
        groups = {lane: self._imported(lane, arn) for lane, arn in target_groups.items()}
        self.split = self._split(stage, groups)
        if stage.traffic.lane_header:
            self._named_lane(stage.traffic.lane_header, groups)

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

    def _imported(self, lane: str, arn: str) -> elbv2.IApplicationTargetGroup:
        return elbv2.ApplicationTargetGroup.from_target_group_attributes(self, f"{lane}-lane", target_group_arn=arn)

    def _split(self, stage: Stage, groups: Mapping[str, elbv2.IApplicationTargetGroup]) -> elbv2.ApplicationListenerRule:
        weights = DeployedWeights(self, "Weights", stage=stage)
        return elbv2.ApplicationListenerRule(
            self,
            "Split",
            listener=self.listener,
            priority=SPLIT_PRIORITY,
            conditions=[elbv2.ListenerCondition.path_patterns(["/*"])],
            action=elbv2.ListenerAction.weighted_forward(
                [
                    elbv2.WeightedTargetGroup(target_group=groups["lambda"], weight=weights.lambda_weight),
                    elbv2.WeightedTargetGroup(target_group=groups["container"], weight=weights.container_weight),
                ]
            ),
        )

    def _named_lane(self, header: str, groups: Mapping[str, elbv2.IApplicationTargetGroup]) -> None:
        for priority, (lane, group) in enumerate(sorted(groups.items()), start=1):
            elbv2.ApplicationListenerRule(
                self,
                f"Named-{lane}",
                listener=self.listener,
                priority=priority,
                conditions=[elbv2.ListenerCondition.http_header(header, [lane])],
                action=elbv2.ListenerAction.forward([group]),
            )
