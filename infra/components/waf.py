"""AWS WAF before the load balancer: a limit by caller's address and AWS's rules against common attacks."""

from __future__ import annotations

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_logs as logs
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from infra.config import Stage
from infra.settings.edge import TOKEN_HEADER

RATE_WINDOW_S = 300
# AWS's rule groups, in the order in which they are asked; both are free of licence fees.
MANAGED = ("AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet")
# Blocks bodies over 8 KB. The search takes none; a service of the user's own may, up to the load balancer's limits.
COUNTED_ONLY = {"AWSManagedRulesCommonRuleSet": ("SizeRestrictions_BODY",)}
LOG_GROUP_PREFIX = "aws-waf-logs-"
"""What WAF demands of a log group's name."""


class WebAcl(Construct):
    """Owns the web ACL, its association with the load balancer and, where the stage keeps one, the log of what was blocked.

    Whatever no rule blocks is let through. Metrics and samples of each rule are on: they cost nothing.
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage, load_balancer_arn: str) -> None:
        super().__init__(scope, id)
        self.acl = wafv2.CfnWebACL(
            self,
            "Acl",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visible("WebAcl"),
            rules=[
                _rate_limit(stage.traffic.waf_requests_per_5_min),
                *(_managed(name, priority) for priority, name in enumerate(MANAGED, start=1)),
            ],
        )
        wafv2.CfnWebACLAssociation(self, "Association", resource_arn=load_balancer_arn, web_acl_arn=self.acl.attr_arn)
        if stage.traffic.waf_log_days is not None:
            self._log(stage, stage.traffic.waf_log_days)

    def _log(self, stage: Stage, days: int) -> None:
        """Blocked requests only, without the token that one might carry."""
        group = logs.CfnLogGroup(
            self, "Logs", log_group_name=f"{LOG_GROUP_PREFIX}{stage.resource_prefix}", retention_in_days=days
        )
        group.apply_removal_policy(RemovalPolicy.DESTROY)
        arn = Stack.of(self).format_arn(
            service="logs", resource="log-group", resource_name=group.ref, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        blocked = {"ActionCondition": {"Action": "BLOCK"}}
        wafv2.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=self.acl.attr_arn,
            log_destination_configs=[arn],
            logging_filter={
                "DefaultBehavior": "DROP",
                "Filters": [{"Behavior": "KEEP", "Requirement": "MEETS_ANY", "Conditions": [blocked]}],
            },
            redacted_fields=[wafv2.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": TOKEN_HEADER})],
        )


def _visible(metric: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=True
    )


def _rate_limit(requests: int) -> wafv2.CfnWebACL.RuleProperty:
    return wafv2.CfnWebACL.RuleProperty(
        name="RateLimit",
        priority=0,
        action=wafv2.CfnWebACL.RuleActionProperty(block={}),
        statement=wafv2.CfnWebACL.StatementProperty(
            rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                limit=requests, aggregate_key_type="IP", evaluation_window_sec=RATE_WINDOW_S
            )
        ),
        visibility_config=_visible("RateLimit"),
    )


def _managed(name: str, priority: int) -> wafv2.CfnWebACL.RuleProperty:
    counted = [
        wafv2.CfnWebACL.RuleActionOverrideProperty(name=rule, action_to_use=wafv2.CfnWebACL.RuleActionProperty(count={}))
        for rule in COUNTED_ONLY.get(name, ())
    ]
    return wafv2.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
        statement=wafv2.CfnWebACL.StatementProperty(
            managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS", name=name, rule_action_overrides=counted or None
            )
        ),
        visibility_config=_visible(name),
    )
