"""Publishes each lab minute, once it is over, what AWS would publish of the load balancer and its functions."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from infra.lab.lab_time import LabTime
from infra.lab.live.front.counts import Tally
from infra.lab.live.front.metrics import Point, points

MINUTE = 60
VALUES_OF_A_DATUM = 150
"""`Values` of one MetricDatum (PutMetricData); several of one metric and minute add up."""
DATA_OF_A_CALL = 500
"""Of the 1,000 that are allowed: a call may have 1 MB."""
KEPT_MINUTES = 60
"""What CloudWatch does not take is offered again with the next minute, up to an hour's worth."""

Datum = Mapping[str, Any]


def data(of: Iterable[Point], minute: float) -> Iterator[tuple[str, Datum]]:
    """Namespaces and what goes into them; `minute` is named by its beginning, seconds since 1970."""
    timestamp = datetime.fromtimestamp(minute, UTC)
    for point in of:
        dimensions = [{"Name": name, "Value": value} for name, value in point.dimensions]
        told = {"MetricName": point.name, "Dimensions": dimensions, "Timestamp": timestamp, "Unit": point.unit}
        for some in _pieces(sorted(point.values.items()), VALUES_OF_A_DATUM):
            yield point.namespace, {**told, "Values": [value for value, _ in some], "Counts": [float(n) for _, n in some]}


def _pieces(whole: list[Any], size: int) -> Iterator[list[Any]]:
    return (whole[start : start + size] for start in range(0, len(whole), size))


class Publisher:
    """`load_balancer` as CloudWatch names it. `sample` notes what has no moment of its own, such as healthy hosts; it is called
    every ten lab seconds."""

    def __init__(
        self,
        cloudwatch: Any,
        tally: Tally,
        lab_time: LabTime,
        load_balancer: str,
        *,
        sample: Callable[[], None] = lambda: None,
        problem: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._cloudwatch, self._tally, self._time, self._load_balancer = cloudwatch, tally, lab_time, load_balancer
        self._sample, self._problem = sample, problem
        self._waiting: deque[tuple[float, list[tuple[str, Datum]]]] = deque(maxlen=KEPT_MINUTES)

    async def run(self) -> None:
        """Until cancelled."""
        minute = self._time.now() // MINUTE
        while True:
            self._sample()
            now = self._time.now()
            to_go = min(10.0, (minute + 1) * MINUTE - now)
            if to_go > 0:
                await asyncio.sleep(self._time.real_s(to_go))
            if self._time.now() // MINUTE > minute:
                self.close_minute(minute * MINUTE)
                minute = self._time.now() // MINUTE
                await self.publish()

    def close_minute(self, minute: float) -> None:
        """What was counted until now was that minute's."""
        found = list(data(points(self._tally.take(), self._load_balancer), minute))
        if found:
            self._waiting.append((minute, found))

    async def publish(self) -> None:
        """All minutes that have not been taken yet, the oldest first."""
        from botocore.exceptions import BotoCoreError, ClientError

        while self._waiting:
            try:
                await asyncio.to_thread(self._put, self._waiting[0][1])
            except (BotoCoreError, ClientError) as error:
                self._problem(f"metrics were not taken: {error}")
                return
            self._waiting.popleft()

    def _put(self, found: list[tuple[str, Datum]]) -> None:
        by_namespace = itemgetter(0)
        for namespace, several in groupby(sorted(found, key=by_namespace), key=by_namespace):
            for some in _pieces([datum for _, datum in several], DATA_OF_A_CALL):
                self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=some)
