"""The port `Lanes` on AWS: figures from CloudWatch, instances from the autoscaling group, environments from Lambda."""

from __future__ import annotations

from collections.abc import Iterable

from infra.switching.aws.calls import Aws
from infra.switching.aws.figures import (
    MINUTE,
    CloudWatch,
    Series,
    known_minutes,
    lane_figures,
    load_metrics,
    metrics,
    window,
)
from infra.switching.aws.fleet import Fleet
from infra.switching.aws.functions import Functions
from infra.switching.aws.resources import Resources
from infra.switching.need import Load
from infra.switching.ports import Clock
from infra.switching.verdict import Figures

ONE_LOOK_S = 3.0


class AwsLanes:
    """A lane's units are instances (container) or environments (lambda)."""

    def __init__(self, aws: Aws, resources: Resources, clock: Clock) -> None:
        self._resources, self._clock = resources, clock
        self._watch = CloudWatch(aws)
        self._last: tuple[tuple[float, float], float, Series] | None = None
        self.fleet, self.functions = Fleet(aws, resources), Functions(aws, resources)

    def figures(self, lane: str, since: float) -> Figures:
        healthy = self.fleet.healthy() if lane == "container" else None
        start, end = window(since, self._clock.now())
        if start >= end:
            return lane_figures(lane, {}, [], healthy)
        series = self._series(start, end)
        return lane_figures(lane, series, known_minutes(series, start, end), healthy)

    def _series(self, start: float, end: float) -> Series:
        """One answer for both lanes of a look, and for its last minutes alone: a minute that arrives between two would be one
        lane's alone."""
        now = self._clock.now()
        known = self._last is not None and self._last[0][0] <= start and self._last[0][1] == end
        if self._last is None or not known or now - self._last[1] > ONE_LOOK_S:
            self._last = (start, end), now, self._watch.series(metrics(self._resources), start, end)
        return self._last[2]

    def load(self, over_s: float = 3_600.0) -> Load:
        """What the stage did in the last hour. No requests are 0 only where the load balancer told anything."""
        start, end = window(self._clock.now() - over_s, self._clock.now())
        series = self._watch.series(metrics(self._resources) | load_metrics(self._resources), start, end)
        minutes = known_minutes(series, start, end)
        if not minutes:
            return Load(rps=None, requests={})
        busy = [minute for minute in minutes if series["lambda_requests"].get(minute)]
        return Load(
            rps=max((series["balancer_requests"].get(minute, 0.0) for minute in minutes), default=0.0) / MINUTE,
            requests={lane: lane_figures(lane, series, minutes, None).requests for lane in self._resources.target_groups},
            cpu_share=_mean(series["cpu_percent"].values(), 100),
            instances=self.fleet.healthy(),
            seconds=_mean((series["duration_ms"][minute] for minute in busy if minute in series["duration_ms"]), 1000),
            lag_told=bool(series["loop_lag_ms"]),
        )

    def _of(self, lane: str) -> Fleet | Functions:
        return self.fleet if lane == "container" else self.functions

    def ready(self, lane: str) -> int | None:
        return self._of(lane).ready()

    def most(self, lane: str) -> int:
        return self._of(lane).most()

    def prewarm(self, lane: str, units: int) -> None:
        self._of(lane).raise_to(units)

    def floor(self, lane: str) -> int | None:
        return self._of(lane).floor()

    def release(self, lane: str, units: int) -> None:
        self._of(lane).release(units)

    def standing(self, lane: str) -> int | None:
        return self.fleet.standing() if lane == "container" else self.functions.floor()

    def scale_down(self, lane: str, units: int) -> None:
        if lane == "container":
            self.fleet.set_to(units)
        else:
            self.functions.release(units)


def _mean(values: Iterable[float], of_one: float) -> float | None:
    told = list(values)
    return sum(told) / len(told) / of_one if told else None
