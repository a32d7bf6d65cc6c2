"""FOCUS's words for what the price book calls by its own: services with their categories, units, regions.

Names of services as AWS writes them in its FOCUS exports; categories and subcategories are FOCUS 1.2's own lists; units follow
its unit format (capitals, plural, `GB-Hours`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Service:
    """A service as FOCUS names and sorts it."""

    name: str
    category: str
    subcategory: str


SERVICES = {
    "AWSDataTransfer": Service("AWS Data Transfer", "Networking", "Network Connectivity"),
    "AWSELB": Service("Elastic Load Balancing", "Networking", "Network Routing"),
    "AWSEvents": Service("Amazon EventBridge", "Integration", "Messaging"),
    "AWSLambda": Service("AWS Lambda", "Compute", "Serverless Compute"),
    "AWSQueueService": Service("Amazon Simple Queue Service", "Integration", "Messaging"),
    "AWSSecretsManager": Service("AWS Secrets Manager", "Security", "Secret Management"),
    "AWSStepFunctions": Service("AWS Step Functions", "Integration", "Workflow Orchestration"),
    "AWSSystemsManager": Service("AWS Systems Manager", "Management and Governance", "Other (Management and Governance)"),
    "AWSWAF": Service("AWS WAF", "Networking", "Network Security"),
    "AmazonApiGateway": Service("Amazon API Gateway", "Integration", "API Management"),
    "AmazonAppRunner": Service("AWS App Runner", "Compute", "Containers"),
    "AmazonCloudWatch": Service("AmazonCloudWatch", "Management and Governance", "Observability"),
    "AmazonDynamoDB": Service("Amazon DynamoDB", "Databases", "NoSQL Databases"),
    "AmazonEBS": Service("Amazon Elastic Block Store", "Storage", "Block Storage"),
    "AmazonEC2": Service("Amazon Elastic Compute Cloud", "Compute", "Virtual Machines"),
    "AmazonECS": Service("Amazon Elastic Container Service", "Compute", "Containers"),
    "AmazonElastiCache": Service("Amazon ElastiCache", "Databases", "Caching"),
    "AmazonRoute53": Service("Amazon Route 53", "Networking", "Network Connectivity"),
    "AmazonS3": Service("Amazon Simple Storage Service", "Storage", "Object Storage"),
    "AmazonSNS": Service("Amazon Simple Notification Service", "Integration", "Messaging"),
    "AmazonVPC": Service("Amazon Virtual Private Cloud", "Networking", "Network Infrastructure"),
    "awskms": Service("AWS Key Management Service", "Security", "Secret Management"),
    "SavingsPlans": Service("Savings Plans for AWS Compute usage", "Compute", "Other (Compute)"),
}
_BILLED_AS = {"AmazonStates": "AWSStepFunctions", "ComputeSavingsPlans": "SavingsPlans", "awswaf": "AWSWAF"}
"""Codes that bills have for services of the price book."""
REGIONS = {"us-east-1": "US East (N. Virginia)", "us-east-2": "US East (Ohio)", "us-west-2": "US West (Oregon)"}
UNITS = {
    "GB": "GB",
    "GB-hour": "GB-Hours",
    "GB-month": "GB-Months",
    "GB-s": "GB-Seconds",
    "IOPS-month": "IOPS-Months",
    "LCU-hour": "LCU-Hours",
    "MB/s-month": "MBPS-Months",
    "USD": "USD",
    "USD of EC2 on demand": "USD",
    "alarm-month": "Alarm-Months",
    "dashboard-month": "Dashboard-Months",
    "hour": "Hours",
    "instance-hour": "Instance-Hours",
    "metric-month": "Metric-Months",
    "million ECPU": "1000000 ECPUs",
    "node-hour": "Node-Hours",
    "request": "Requests",
    "rule-month": "Rule-Months",
    "secret-month": "Secret-Months",
    "vCPU-s": "vCPU-Seconds",
    "NLCU-hour": "NLCU-Hours",
    "event": "Events",
    "invocation": "Invocations",
    "key-month": "Key-Months",
    "operation": "Operations",
    "parameter-month": "Parameter-Months",
    "query": "Queries",
    "request unit": "RequestUnits",
    "transition": "Transitions",
    "unit-hour": "Unit-Hours",
    "vCPU-hour": "vCPU-Hours",
    "zone-month": "Zone-Months",
    "web ACL-month": "ACL-Months",
}


def service_of(code: str, name: str | None = None) -> Service:
    """A service that has no entry here is one of FOCUS's `Other`, under the name that is known of it."""
    return SERVICES.get(_BILLED_AS.get(code, code), Service(name or code, "Other", "Other (Other)"))


def pricing_unit(unit: str) -> str:
    """A unit that FOCUS has no word for here stays as the book has it."""
    return UNITS.get(unit, unit)
