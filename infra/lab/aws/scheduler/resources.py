"""EventBridge Scheduler in templates: groups and schedules, which moto leaves out, kept in moto's own backend."""

from __future__ import annotations

from typing import Any

from moto.core.common_models import CloudFormationModel
from moto.scheduler.models import scheduler_backends

from infra.lab.aws.scheduler import checks
from infra.lab.aws.template_models import TellsArn

NAME_CHARACTERS = 64


class Group(TellsArn, CloudFormationModel):
    """`AWS::Scheduler::ScheduleGroup`. What is still in it goes with it, whoever made it."""

    __module__ = "moto.scheduler.models"  # moto files its models by the service in their module's name

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::Scheduler::ScheduleGroup"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> Group:
        tags = cloudformation_json["Properties"].get("Tags", [])
        group = scheduler_backends[account_id][region_name].create_schedule_group(resource_name, tags)
        return cls(group.name, group.arn)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> Group:
        """Its tags may change; another name is another group."""
        if new_resource_name == original_resource.physical_resource_id:
            backend = scheduler_backends[account_id][region_name]
            backend.tag_resource(original_resource._arn, cloudformation_json["Properties"].get("Tags", []))
            return cls(new_resource_name, original_resource._arn)
        made = cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)
        original_resource.delete(account_id, region_name)
        return made

    def delete(self, account_id: str, region_name: str) -> None:
        scheduler_backends[account_id][region_name].delete_schedule_group(self.physical_resource_id)


class Schedule(TellsArn, CloudFormationModel):
    """`AWS::Scheduler::Schedule`."""

    __module__ = "moto.scheduler.models"

    def __init__(self, name: str, group: str | None, arn: str) -> None:
        super().__init__(name, arn)
        self._group = group

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::Scheduler::Schedule"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> Schedule:
        name, asked = resource_name[-NAME_CHARACTERS:].lstrip("-"), cloudformation_json["Properties"]
        made = scheduler_backends[account_id][region_name].create_schedule(
            **_named(name, asked), action_after_completion=asked.get("ActionAfterCompletion")
        )
        return cls(name, asked.get("GroupName"), made.arn)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> Schedule:
        """In place; a name or a group that changes is a replacement, which no stack here asks for."""
        asked, name = cloudformation_json["Properties"], original_resource.physical_resource_id
        made = scheduler_backends[account_id][region_name].update_schedule(**_named(name, asked))
        return cls(name, asked.get("GroupName"), made.arn)

    def delete(self, account_id: str, region_name: str) -> None:
        """The group may have gone before, and it with it."""
        backend = scheduler_backends[account_id][region_name]
        if (self._group or "default") in backend.schedule_groups:
            backend.delete_schedule(self._group, self.physical_resource_id)


def _named(name: str, asked: dict[str, Any]) -> dict[str, Any]:
    """As moto calls what a template says."""
    return {
        "name": name,
        "description": asked.get("Description"),
        "end_date": asked.get("EndDate"),
        "flexible_time_window": asked["FlexibleTimeWindow"],
        "group_name": asked.get("GroupName"),
        "kms_key_arn": asked.get("KmsKeyArn"),
        "schedule_expression": asked["ScheduleExpression"],
        "schedule_expression_timezone": asked.get("ScheduleExpressionTimezone"),
        "start_date": asked.get("StartDate"),
        "state": asked.get("State", "ENABLED"),
        "target": asked["Target"],
    }


def install() -> None:
    """Defining `Group` and `Schedule` has told moto of them already; what is made of them is checked as the API's is."""
    checks.install()
