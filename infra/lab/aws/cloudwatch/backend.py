"""Metrics and alarms in moto's CloudWatch, one set for each account and region, and the thread that evaluates the alarms."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.cloudwatch.utils import make_arn_for_alarm
from moto.sns.models import sns_backends

from infra.lab.aws.cloudwatch.alarms import ACTIONS, Alarm, Alarms
from infra.lab.aws.cloudwatch.store import MINUTE, MetricStore
from infra.lab.lab_time import LabTime

ATTRIBUTE = "lab_watch"
CATCH_UP = 20
"""Minutes that are evaluated one by one when the machine was too slow for them; older ones are let go."""

Evaluated = Callable[[str, str, int], None]
"""Called with account, region and lab second after the alarms were evaluated."""


@dataclass(frozen=True, slots=True)
class Watch:
    store: MetricStore
    alarms: Alarms


class CloudWatch:
    """`delay_s` lab seconds pass until what is published can be asked for; it can be set while the lab runs."""

    def __init__(self, lab_time: LabTime, delay_s: float = 0.0) -> None:
        self.lab_time = lab_time
        self._delay_s = delay_s
        self._lock = threading.RLock()
        self.after_evaluation: list[Evaluated] = []

    @property
    def delay_s(self) -> float:
        return self._delay_s

    @delay_s.setter
    def delay_s(self, delay_s: float) -> None:
        self._delay_s = delay_s
        for _, _, watch in self._watches():
            watch.store.delay_s = delay_s

    def at(self, account: str, region: str) -> Watch:
        """Kept with moto's own, so that a reset takes both."""
        backend = cloudwatch_backends[account][region]
        with self._lock:
            if not hasattr(backend, ATTRIBUTE):
                store = MetricStore(self.lab_time.now, self._delay_s)
                arn_of = partial(make_arn_for_alarm, region, account)
                notify = partial(_notify, account, region)
                setattr(backend, ATTRIBUTE, Watch(store, Alarms(backend.alarms, store, self.lab_time.now, arn_of, notify)))
            watch: Watch = getattr(backend, ATTRIBUTE)
            return watch

    def forget(self) -> None:
        """All that was published, and what the alarms made of it."""
        for _, _, watch in self._watches():
            watch.store.forget()
            watch.alarms.begin_anew()

    def start(self) -> None:
        threading.Thread(target=self._evaluate_each_minute, name="alarms", daemon=True).start()

    def evaluate(self, at: int) -> None:
        """All alarms as of a whole lab minute."""
        for account, region, watch in self._watches():
            try:
                watch.alarms.evaluate(at)
                for evaluated in self.after_evaluation:
                    evaluated(account, region, at)
            except Exception:
                logging.exception("alarms of %s in %s", account, region)

    def _evaluate_each_minute(self) -> None:
        done = int(self.lab_time.now()) // MINUTE
        while True:
            time.sleep(max(self.lab_time.real_s((done + 1) * MINUTE - self.lab_time.now()), 0.0))
            now = int(self.lab_time.now()) // MINUTE
            for minute in range(max(done + 1, now - CATCH_UP), now + 1):
                self.evaluate(minute * MINUTE)
            done = max(done, now)

    def _watches(self) -> Iterator[tuple[str, str, Watch]]:
        for account, regions in list(cloudwatch_backends.items()):
            for region, backend in list(regions.items()):
                if hasattr(backend, ATTRIBUTE):
                    yield account, region, getattr(backend, ATTRIBUTE)


def _notify(account: str, region: str, alarm: Alarm, former: str) -> None:
    """Into the server's log, and to the topics that the alarm names for its new state."""
    logging.info("alarm %s: %s -> %s: %s", alarm.name, former, alarm.state, alarm.reason)
    if not alarm.actions_enabled:
        return
    told: dict[str, Any] = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.given.get("AlarmDescription"),
        "AWSAccountId": account,
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.reason,
        "OldStateValue": former,
        "Region": region,
        "AlarmArn": alarm.alarm_arn,
    }
    for action in alarm.given.get(ACTIONS[alarm.state]) or []:
        if str(action).startswith("arn:aws:sns:"):
            try:
                sns_backends[account][region].publish(
                    json.dumps(told), arn=action, subject=f'{alarm.state}: "{alarm.name}"'[:100]
                )
            except Exception as error:  # as AWS: an action that cannot be carried out does not keep the alarm from its state
                logging.warning("alarm %s could not tell %s: %s", alarm.name, action, error)
