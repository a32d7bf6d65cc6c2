"""What EventBridge Scheduler refuses and moto takes: expressions and time zones that are none, targets with no role that it may
take on, retry policies and windows out of range, and a group that is not there, for which moto breaks (API Reference,
CreateSchedule, UpdateSchedule, DeleteScheduleGroup)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from moto.core.exceptions import JsonRESTError
from moto.iam.models import iam_backends
from moto.scheduler.exceptions import ScheduleGroupNotFound, ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend, ScheduleGroup
from moto.utilities.utils import get_partition

from infra.errors import InputError
from infra.lab.aws.scheduler.expressions import read_expression

NAME = r"[0-9A-Za-z_.-]{1,64}"
SERVICE = "scheduler.amazonaws.com"
AGE_S, ATTEMPTS = (60, 86_400), (0, 185)
WINDOW_MIN = (1, 1_440)


class GroupExists(JsonRESTError):
    def __init__(self, name: str) -> None:
        super().__init__("ConflictException", f"Schedule group {name} already exists.")


def refuse_wrong(backend: Any, asked: dict[str, Any]) -> None:
    """`asked` has moto's names of what a schedule is made or changed with."""
    name = unquote(asked["name"])  # moto takes it from the path as it stands there
    if not re.fullmatch(NAME, name):
        raise ValidationException(f"Value '{name}' at 'name' failed to satisfy constraint: {NAME}")
    expression = asked["schedule_expression"] or ""
    try:
        read_expression(expression)
    except InputError as error:
        raise ValidationException(f"Invalid Schedule Expression {expression}. ({error})") from None
    zone = asked["schedule_expression_timezone"]
    try:
        ZoneInfo(zone or "UTC")
    except (KeyError, ValueError, OSError):
        raise ValidationException(f"Invalid ScheduleExpressionTimezone {zone}.") from None
    _refuse_window(asked["flexible_time_window"] or {})
    _refuse_target(backend, asked["target"] or {})


def _refuse_window(window: dict[str, Any]) -> None:
    minutes = window.get("MaximumWindowInMinutes")
    if window.get("Mode") not in ("OFF", "FLEXIBLE"):
        raise ValidationException(f"FlexibleTimeWindow.Mode {window.get('Mode')} must be OFF or FLEXIBLE.")
    if (window["Mode"] == "FLEXIBLE") != (minutes is not None):
        raise ValidationException("MaximumWindowInMinutes is required for a FLEXIBLE window, and for no other.")
    if minutes is not None:
        _within("MaximumWindowInMinutes", minutes, WINDOW_MIN)


def _refuse_target(backend: Any, target: dict[str, Any]) -> None:
    for name in ("Arn", "RoleArn"):
        if not str(target.get(name) or "").startswith("arn:"):
            raise ValidationException(f"Provided {name} is not in correct format.")
    policy = target.get("RetryPolicy") or {}
    if "MaximumEventAgeInSeconds" in policy:
        _within("MaximumEventAgeInSeconds", policy["MaximumEventAgeInSeconds"], AGE_S)
    if "MaximumRetryAttempts" in policy:
        _within("MaximumRetryAttempts", policy["MaximumRetryAttempts"], ATTEMPTS)
    if not _may_take_on(backend, target["RoleArn"]):
        raise ValidationException("The execution role you provide must allow AWS EventBridge Scheduler to assume the role.")


def _may_take_on(backend: Any, role_arn: str) -> bool:
    roles = iam_backends[backend.account_id][get_partition(backend.region_name)].roles.values()
    trusted = next((role.assume_role_policy_document for role in roles if role.arn == role_arn), None)
    document = json.loads(trusted) if isinstance(trusted, str) else trusted or {}
    statements = document.get("Statement", [])
    return any(SERVICE in json.dumps(each.get("Principal", {})) for each in statements if each.get("Effect") == "Allow")


def _within(name: str, value: Any, bounds: tuple[int, int]) -> None:
    if not isinstance(value, int) or not bounds[0] <= value <= bounds[1]:
        raise ValidationException(f"Value '{value}' at '{name}' failed to satisfy constraint: {bounds[0]} to {bounds[1]}")


def _checked(change: Callable[..., Any]) -> Callable[..., Any]:
    def make(backend: Any, **asked: Any) -> Any:
        backend.get_schedule_group(asked["group_name"])  # raises for one that is not there
        refuse_wrong(backend, asked)
        return change(backend, **asked)

    return make


def install() -> None:
    backend = EventBridgeSchedulerBackend
    create_group, delete_group = backend.create_schedule_group, backend.delete_schedule_group

    def create_schedule_group(self: Any, name: str, tags: list[dict[str, str]]) -> ScheduleGroup:
        if name in self.schedule_groups:
            raise GroupExists(name)
        return create_group(self, name, tags or [])

    def delete_schedule_group(self: Any, name: str | None) -> None:
        if name not in self.schedule_groups:
            raise ScheduleGroupNotFound(name or "default")
        delete_group(self, name)

    replacements = {
        "create_schedule": _checked(backend.create_schedule),
        "update_schedule": _checked(backend.update_schedule),
        "create_schedule_group": create_schedule_group,
        "delete_schedule_group": delete_schedule_group,
    }
    for name, ours in replacements.items():
        setattr(backend, name, ours)
