"""The load balancer, its listeners and the rule that splits requests between the lanes' target groups by weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_route53 as route53
from constructs import Construct

from infra.components.access_logs import AccessLogs
from infra.components.acknowledge import acknowledge
from infra.components.lane_token import LaneToken
from infra.components.network import Network
from infra.components.traffic_weights import DeployedWeights
from infra.components.waf import WebAcl
from infra.config import Stage
from infra.settings.edge import TOKEN_HEADER

# Rules are tried from the lowest priority up: a request that names its lane, then the split.
SPLIT_PRIORITY = 100


class LoadBalancing(Construct):
    """Owns `load_balancer`, `listener`, `split`, the rule with the lanes' target groups and their weights, and `token`
    where there are two lanes to choose from and the stage lets a request choose.

    `target_groups` maps `lambda` and `container`, or one of them, to target-group ARNs. With a certificate the listener is
    HTTPS and plain HTTP is redirected to it; without, it is HTTP. A request that no rule takes gets a 404.
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage, network: Network, target_groups: Mapping[str, str]) -> None:
        super().__init__(scope, id)
        self.load_balancer = self._load_balancer(stage, network)
        self.listener = self._listener(stage.traffic.certificate_arn)
        self.split = self._split(stage, target_groups)
        self.token: LaneToken | None = None
        if stage.traffic.lane_header and len(target_groups) > 1:
            self.token = LaneToken(self, "LaneToken", stage_name=stage.name)
            self._named_lanes(stage.traffic.lane_header, self.token, target_groups)
        if stage.traffic.waf:
            WebAcl(self, "Waf", stage=stage, load_balancer_arn=self.load_balancer.load_balancer_arn)
        if stage.traffic.domain and stage.traffic.hosted_zone_id:
            self._alias(stage.traffic.domain, stage.traffic.hosted_zone_id)

    def _load_balancer(self, stage: Stage, network: Network) -> elbv2.ApplicationLoadBalancer:
        load_balancer = elbv2.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            vpc=network.vpc,
            vpc_subnets=network.load_balancer_subnets,
            internet_facing=True,
            security_group=network.load_balancer_group,
            idle_timeout=Duration.seconds(stage.traffic.idle_timeout_s),
            drop_invalid_header_fields=True,
            desync_mitigation_mode=elbv2.DesyncMitigationMode.DEFENSIVE,
            deletion_protection=stage.traffic.deletion_protection,
        )
        if stage.traffic.access_log_days is None:
            acknowledge(load_balancer, "ELB2", "The stage asks for no access logs (traffic.access_log_days).")
        else:
            AccessLogs(self, "AccessLogs", days=stage.traffic.access_log_days).record(load_balancer)
        return load_balancer

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
            ssl_policy=elbv2.SslPolicy.TLS13_12_RES_PQ,  # what AWS recommends; post-quantum where a caller can
            default_action=nothing_here,
        )

    def _alias(self, domain: str, hosted_zone_id: str) -> None:
        route53.CfnRecordSet(
            self,
            "Alias",
            type="A",
            name=domain,
            hosted_zone_id=hosted_zone_id,
            alias_target=route53.CfnRecordSet.AliasTargetProperty(
                dns_name=self.load_balancer.load_balancer_dns_name,
                hosted_zone_id=self.load_balancer.load_balancer_canonical_hosted_zone_id,
                evaluate_target_health=False,  # one record: there is nothing else to fail over to
            ),
        )

    def _split(self, stage: Stage, target_groups: Mapping[str, str]) -> elbv2.CfnListenerRule:
        everything = elbv2.CfnListenerRule.RuleConditionProperty(
            field="path-pattern",
            path_pattern_config=elbv2.CfnListenerRule.PathPatternConfigProperty(values=["/*"]),
        )
        if len(target_groups) == 1:
            return self._rule("Split", SPLIT_PRIORITY, [everything], dict.fromkeys(target_groups.values(), 1))
        weights = DeployedWeights(self, "Weights", stage=stage)
        weighted = {
            target_groups["lambda"]: weights.lambda_weight,
            target_groups["container"]: weights.container_weight,
        }
        return self._rule("Split", SPLIT_PRIORITY, [everything], weighted)

    def _named_lanes(self, header: str, token: LaneToken, target_groups: Mapping[str, str]) -> None:
        for priority, (lane, arn) in enumerate(sorted(target_groups.items()), start=1):
            conditions = [_header(header, lane), _header(TOKEN_HEADER, token.value)]
            self._rule(f"Named-{lane}", priority, conditions, {arn: 1})

    def _rule(
        self,
        id: str,
        priority: int,
        conditions: Sequence[elbv2.CfnListenerRule.RuleConditionProperty],
        weighted: Mapping[str, float],
    ) -> elbv2.CfnListenerRule:
        """A rule that forwards; stickiness is off, for it would outlive a weight of 0."""
        groups = [
            elbv2.CfnListenerRule.TargetGroupTupleProperty(target_group_arn=arn, weight=weight)
            for arn, weight in weighted.items()
        ]
        forward = elbv2.CfnListenerRule.ForwardConfigProperty(
            target_groups=groups,
            target_group_stickiness_config=elbv2.CfnListenerRule.TargetGroupStickinessConfigProperty(enabled=False),
        )
        return elbv2.CfnListenerRule(
            self,
            id,
            listener_arn=self.listener.listener_arn,
            priority=priority,
            conditions=list(conditions),
            actions=[elbv2.CfnListenerRule.ActionProperty(type="forward", forward_config=forward)],
        )


def _header(name: str, value: str) -> elbv2.CfnListenerRule.RuleConditionProperty:
    """True where the header has this value; all conditions of a rule must be true."""
    return elbv2.CfnListenerRule.RuleConditionProperty(
        field="http-header",
        http_header_config=elbv2.CfnListenerRule.HttpHeaderConfigProperty(http_header_name=name, values=[value]),
    )
