"""`AWS::CloudWatch::Alarm` and `AWS::CloudWatch::CompositeAlarm` in templates, which moto leaves out without a word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from moto.core.common_models import CloudFormationModel

from infra.lab.aws.cloudwatch.backend import CloudWatch
from infra.lab.aws.template_models import TellsArn

NUMBERS = ("DatapointsToAlarm", "EvaluationPeriods", "Period", "Threshold")


class _TemplateAlarm(TellsArn):
    """What both kinds share."""

    cloudwatch: ClassVar[CloudWatch]

    @staticmethod
    def cloudformation_name_type() -> str:
        return "AlarmName"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> _TemplateAlarm:
        given = _as_api({**cloudformation_json["Properties"], "AlarmName": resource_name})
        alarm = _TemplateAlarm.cloudwatch.at(account_id, region_name).alarms.put(given)
        return cls(alarm.name, alarm.alarm_arn)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> _TemplateAlarm:
        """In place, keeping its state, unless its name has changed."""
        given = cloudformation_json["Properties"].get("AlarmName")
        former: str = original_resource.physical_resource_id
        name = given or former
        made = cls.create_from_cloudformation_json(name, cloudformation_json, account_id, region_name)
        if name != former:
            original_resource.delete(account_id, region_name)
        return made

    def delete(self, account_id: str, region_name: str) -> None:
        _TemplateAlarm.cloudwatch.at(account_id, region_name).alarms.by_name.pop(self.physical_resource_id, None)


class MetricAlarm(_TemplateAlarm, CloudFormationModel):
    __module__ = "moto.cloudwatch.models"  # moto files its models by the service in their module's name

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::CloudWatch::Alarm"


class CompositeAlarm(_TemplateAlarm, CloudFormationModel):
    __module__ = "moto.cloudwatch.models"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::CloudWatch::CompositeAlarm"


def _as_api(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A template may write numbers and booleans as text."""
    given: dict[str, Any] = dict(properties)
    for key in NUMBERS:
        if isinstance(given.get(key), str):
            given[key] = float(given[key])
    if isinstance(given.get("ActionsEnabled"), str):
        given["ActionsEnabled"] = given["ActionsEnabled"].lower() == "true"
    return given


def install(cloudwatch: CloudWatch) -> None:
    """Defining the classes has told moto of them already."""
    _TemplateAlarm.cloudwatch = cloudwatch
