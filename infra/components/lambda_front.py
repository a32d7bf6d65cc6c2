"""What leads requests to the function's alias: the load balancer's target group, a function URL, or an HTTP API.

Each construct is made in the lane's own scope. All three invoke synchronously, so nothing is queued, retried or left in a
dead-letter queue: what fails is answered to the caller.
"""

from __future__ import annotations

import json

from aws_cdk import ArnFormat, Aws, RemovalPolicy, Stack
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.components.acknowledge import acknowledge
from infra.config import Stage
from infra.settings.lanes import API_TIMEOUT_S

# What an HTTP API writes of each request, under the names of its context variables (API Gateway Developer Guide, "Customize
# HTTP API access logs"); no query string, which holds where somebody travels.
ACCESS_LOG = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "ip": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "ms": "$context.responseLatency",
    "error": "$context.integrationErrorMessage",
}


def load_balancer_target(scope: Construct, alias: lambda_.Alias) -> elbv2.CfnTargetGroup:
    """Health checks stay off (each one is a billed invocation); multi-value headers keep repeated headers apart."""
    permission = _let_load_balancers_invoke(scope, alias)
    group = elbv2.CfnTargetGroup(
        scope,
        "TargetGroup",
        target_type="lambda",
        targets=[elbv2.CfnTargetGroup.TargetDescriptionProperty(id=alias.function_arn)],
        target_group_attributes=[
            elbv2.CfnTargetGroup.TargetGroupAttributeProperty(key="lambda.multi_value_headers.enabled", value="true")
        ],
    )
    group.add_resource_dependency(permission)
    return group


def _let_load_balancers_invoke(scope: Construct, alias: lambda_.Alias) -> lambda_.CfnPermission:
    """Only this account's target groups; the group's own ARN cannot be named, as it needs this permission first."""
    return lambda_.CfnPermission(
        scope,
        "LoadBalancersInvoke",
        action="lambda:InvokeFunction",
        function_name=alias.function_arn,
        principal="elasticloadbalancing.amazonaws.com",
        source_account=Aws.ACCOUNT_ID,
        source_arn=Stack.of(scope).format_arn(service="elasticloadbalancing", resource="targetgroup", resource_name="*"),
    )


def function_url(scope: Construct, alias: lambda_.Alias, *, auth: str) -> str:
    """The URL. With `iam` only signed requests of principals that may invoke it are taken, and nothing is granted here. With
    `none` anyone's are, for which Lambda wants two permissions since October 2025 (Lambda Developer Guide, "Control access to
    Lambda function URLs"): to use the URL, and to invoke the function, through it alone."""
    public = auth == "none"
    made = lambda_.FunctionUrl(
        scope,
        "FunctionUrl",
        function=alias,
        auth_type=lambda_.FunctionUrlAuthType.NONE if public else lambda_.FunctionUrlAuthType.AWS_IAM,
        invoke_mode=lambda_.InvokeMode.BUFFERED,  # AWS's managed Python runtime streams no answers
    )
    return made.url


def http_api(scope: Construct, alias: lambda_.Alias, *, stage: Stage) -> str:
    """The URL of an HTTP API that hands every request to the alias, payload format 2.0. It refuses what comes faster than the
    stage says with 429, before a function is invoked and billed."""
    api = apigatewayv2.CfnApi(scope, "HttpApi", name=f"{stage.resource_prefix}-search", protocol_type="HTTP")
    integration = apigatewayv2.CfnIntegration(
        scope,
        "HttpIntegration",
        api_id=api.ref,
        integration_type="AWS_PROXY",
        integration_uri=alias.function_arn,
        payload_format_version="2.0",
        timeout_in_millis=API_TIMEOUT_S * 1000,
    )
    route = apigatewayv2.CfnRoute(
        scope,
        "HttpRoute",
        api_id=api.ref,
        route_key="$default",
        authorization_type="NONE",
        target=f"integrations/{integration.ref}",
    )
    acknowledge(route, "APIG4", "The service is public: its API takes anyone's requests, up to the stage's rate.")
    lambda_.CfnPermission(
        scope,
        "HttpApiInvokes",
        action="lambda:InvokeFunction",
        function_name=alias.function_arn,
        principal="apigateway.amazonaws.com",
        source_arn=Stack.of(scope).format_arn(service="execute-api", resource=api.ref, resource_name="*"),
    )
    _served(scope, api, stage)
    return api.attr_api_endpoint


def _served(scope: Construct, api: apigatewayv2.CfnApi, stage: Stage) -> None:
    """The API's one stage: throttled, deployed with every change, and with access logs that stay as long as the function's."""
    log_group = logs.CfnLogGroup(scope, "AccessLogs", retention_in_days=stage.lambda_lane.log_retention_days)
    log_group.apply_removal_policy(RemovalPolicy.DESTROY)
    rate = stage.lambda_lane.api_requests_per_s
    apigatewayv2.CfnStage(
        scope,
        "HttpStage",
        api_id=api.ref,
        stage_name="$default",
        auto_deploy=True,
        default_route_settings=apigatewayv2.CfnStage.RouteSettingsProperty(
            throttling_rate_limit=rate, throttling_burst_limit=rate
        ),
        access_log_settings=apigatewayv2.CfnStage.AccessLogSettingsProperty(
            destination_arn=Stack.of(scope).format_arn(
                service="logs",
                resource="log-group",
                resource_name=log_group.ref,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            ),
            format=json.dumps(ACCESS_LOG),
        ),
    )
