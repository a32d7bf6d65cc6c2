"""What resource types of our own in templates have in common for moto."""

from __future__ import annotations


class TellsArn:
    """A resource whose physical id is its name, and whose only attribute is its ARN. moto finds a model only where it is made
    of `CloudFormationModel` itself, so this stands beside it."""

    def __init__(self, name: str, arn: str) -> None:
        self.physical_resource_id = name
        self._arn = arn

    @staticmethod
    def cloudformation_name_type() -> str:
        return "Name"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr == "Arn"

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return {"Arn": self._arn}[attribute_name]
