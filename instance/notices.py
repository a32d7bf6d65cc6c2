"""What the metadata service says of this instance's future, and which of it means that the end has come.

| item | says | means |
|---|---|---|
| `spot/instance-action` | `{"action": "terminate", "time": …}`; 404 until two minutes before | leave now |
| `autoscaling/target-lifecycle-state` | `InService`, `Terminated`, `Detached`, `Standby` | leave now at `Terminated` |
| `events/recommendations/rebalance` | `{"noticeTime": …}`; 404 until then | stay |

At a rebalance recommendation the group starts a replacement first and then ends this instance through its lifecycle state
(capacity rebalancing); whoever leaves at once takes away capacity that may never be reclaimed. A group that detaches an
instance or puts it on standby takes it out of the target group itself, and it must go on serving to come back.

Sources: Amazon EC2 User Guide, "Spot Instance interruption notices" and "EC2 instance rebalance recommendations"; Amazon EC2
Auto Scaling User Guide, "Retrieve the target lifecycle state through instance metadata" and "Use Capacity Rebalancing".
"""

from __future__ import annotations

import json
from typing import NamedTuple

from instance.metadata import Metadata

SPOT = "spot/instance-action"
REBALANCE = "events/recommendations/rebalance"
TARGET_STATE = "autoscaling/target-lifecycle-state"
TERMINATED = "Terminated"


class Seen(NamedTuple):
    """Each item's text as it came, `None` where there is none."""

    spot: str | None
    rebalance: str | None
    target_state: str | None

    @property
    def end(self) -> str | None:
        """Why this instance must leave, in a few words; `None` while it need not."""
        if self.spot is not None:
            action, at = _field(self.spot, "action"), _field(self.spot, "time")
            return f"spot interruption ({action or 'unknown action'} at {at or 'an unknown time'})"
        if self.target_state == TERMINATED:
            return "its group terminates it"
        return None

    def remark(self, before: Seen | None) -> str | None:
        """What is new since `before` and no reason to leave."""
        if self.rebalance is not None and (before is None or before.rebalance is None):
            at = _field(self.rebalance, "noticeTime")
            return f"rebalance recommendation of {at or 'an unknown time'}: staying until the group has a replacement"
        if before is not None and self.target_state != before.target_state:
            return f"the group's target state is {self.target_state}, was {before.target_state}"
        return None


def look(metadata: Metadata) -> Seen:
    """Raises `MetadataError`."""
    return Seen(metadata.get(SPOT), metadata.get(REBALANCE), metadata.get(TARGET_STATE))


def _field(text: str, name: str) -> str | None:
    """A notice is believed whatever it holds; what it holds is for the log."""
    try:
        stated = json.loads(text)
    except ValueError:
        return None
    value = stated.get(name) if isinstance(stated, dict) else None
    return value if isinstance(value, str) else None
