"""The metrics that AWS documents, each with the sets of dimensions it publishes them for, and the service's own.

AWS/ApplicationELB: "CloudWatch metrics for your Application Load Balancer". AWS/Lambda: "Types of metrics for Lambda
functions", "Monitoring Lambda function URLs". AWS/AutoScaling: "Amazon CloudWatch metrics for Amazon EC2 Auto Scaling".
AWS/EC2: "List the available CloudWatch metrics for your instances".
"""

from __future__ import annotations

from app.telemetry.emf import NAMESPACE, UNITS

LB, TG, BOTH = ("LoadBalancer",), ("TargetGroup",), ("LoadBalancer", "TargetGroup")
FUNCTION, GROUP, LANE = ("FunctionName",), ("AutoScalingGroupName",), ("lane",)

DOCUMENTED: dict[tuple[str, str], tuple[tuple[str, ...], ...]] = {
    **{
        ("AWS/ApplicationELB", name): (LB,)
        for name in (
            "ActiveConnectionCount",
            "NewConnectionCount",
            "ProcessedBytes",
            "LambdaTargetProcessedBytes",
            "HTTPCode_ELB_502_Count",
            "HTTPCode_ELB_503_Count",
            "HTTPCode_ELB_504_Count",
        )
    },
    **{
        ("AWS/ApplicationELB", name): (LB, BOTH)
        for name in ("RequestCount", "HTTPCode_Target_5XX_Count", "TargetResponseTime", "TargetConnectionErrorCount")
    },
    **{("AWS/ApplicationELB", name): (BOTH,) for name in ("HealthyHostCount", "UnHealthyHostCount")},
    **{("AWS/ApplicationELB", name): (TG,) for name in ("LambdaUserError", "LambdaInternalError")},
    **{
        ("AWS/Lambda", name): (FUNCTION,)
        for name in (
            "Invocations",
            "Errors",
            "Throttles",
            "Duration",
            "ConcurrentExecutions",
            "ProvisionedConcurrencyInvocations",
            "UrlRequestCount",
            "Url5xxCount",
        )
    },
    **{
        ("AWS/AutoScaling", name): (GROUP,)
        for name in ("GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances", "GroupTotalInstances")
    },
    ("AWS/EC2", "CPUUtilization"): (GROUP,),
    # "Available CloudWatch metrics for Amazon SQS", Amazon SQS Developer Guide.
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): (("QueueName",),),
    # The agent on the instances.
    **{(NAMESPACE, name): (GROUP,) for name in ("EventLoopBusy", "EventLoopLagP99", "SearchesInFlight", "SuppliersHeldBack")},
    **{(NAMESPACE, name): (LANE,) for name in UNITS},
}


def is_documented(namespace: str, name: str, dimensions: list[str]) -> bool:
    return tuple(sorted(dimensions)) in DOCUMENTED.get((namespace, name), ())
