"""What watching a stage costs by its alarms: one for each metric that an alarm reads, and each lane's composite alarm.

The catalogue tells a stage's own alarms. Target tracking makes two for each policy, high and low (EC2 Auto Scaling User Guide,
"Target tracking scaling policies"), and the alarm on failed boots stands in every container lane.
"""

from __future__ import annotations

from infra.components.watch.catalogue import alarms, lane_alarms
from infra.config import Stage
from infra.cost.lines import watching
from infra.cost.lines.line import LineItem
from infra.cost.prices.book import PriceBook

ALARMS_PER_POLICY = 2
BOOT_FAILURES = 1


def scaling_policies(stage: Stage) -> int:
    """Target tracking policies of the container lane (infra/components/scaling.py): CPU, event loop, requests."""
    lane = stage.container_lane
    if lane.max_instances == lane.min_instances and not lane.schedules:
        return 0
    return 1 + (stage.service is None) + (lane.target_requests_per_s is not None)


def lane_alarm_lines(book: PriceBook, stage: Stage, lane: str) -> list[LineItem]:
    """The alarms that a lane brings along: its own of the catalogue, its composite alarm, and those that scale it."""
    own = [alarm for alarm in alarms(stage) if alarm.lane == lane]
    read = sum(alarm.metrics for alarm in own)
    note = f"{len(own)} alarms that read {read} metrics" if own else "the stage has its own turned off"
    if lane == "container":
        policies = scaling_policies(stage)
        read += ALARMS_PER_POLICY * policies + BOOT_FAILURES
        note += f"; {ALARMS_PER_POLICY} for each of {policies} scaling policies, 1 on failed boots"
    lines = watching.alarms(book, read, of=f"{lane} lane", note=note) if read else []
    composite = sum(each.key == lane for each in lane_alarms(stage))
    if composite:
        lines += watching.composite_alarms(book, composite, of=f"{lane} lane", note="in alarm while one of the lane's is")
    return lines


def shared_alarm_lines(book: PriceBook, stage: Stage) -> list[LineItem]:
    """The alarms on the load balancer, which both lanes stand behind, and on scheduled switches between them."""
    lines = []
    for of, lane in (("load balancer", None), ("scheduled switches", "switch")):
        shared = [alarm for alarm in alarms(stage) if alarm.lane == lane]
        if shared:
            read = sum(alarm.metrics for alarm in shared)
            lines += watching.alarms(book, read, of=of, note=f"{len(shared)} alarms that read {read} metrics")
    return lines
