"""What a scheduled action of the templates makes of the group's minimum, as the setting `container_lane.schedules` has it."""

from __future__ import annotations

from infra.cost.cloud_assembly.reading import Resource
from infra.errors import InputError

BESIDES = ("MaxSize", "DesiredCapacity", "StartTime", "EndTime")


def schedule_of(action: Resource) -> str:
    """`min=N@CRON`; `InputError` for an action that does more than to set the minimum, or fires in another zone than UTC, which
    is what it has where it names none."""
    zone, recurrence = action.literal("TimeZone", default="Etc/UTC"), action.literal("Recurrence")
    besides = [name for name in BESIDES if name in action.properties]
    if recurrence is None or action.whole("MinSize") is None or besides or zone not in ("Etc/UTC", "UTC"):
        raise InputError(
            f"{action.file}: {action.logical_id}: a scheduled action has a price where it sets MinSize alone, by a Recurrence "
            f"in UTC; it has {', '.join(sorted(action.properties))}, in {zone}"
        )
    return f"min={action.whole('MinSize')}@{recurrence}"
