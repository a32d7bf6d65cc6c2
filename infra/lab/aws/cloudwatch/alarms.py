"""Alarms of one account and region: made over the API and by templates, evaluated once each lab minute.

A metric alarm's state set by hand lasts until it is evaluated next; a composite one's until one of its alarms changes
(SetAlarmState, CloudWatch API reference).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from infra.errors import InputError
from infra.lab.aws.cloudwatch.alarm_settings import check, criterion_of, period_of, queries_of, result_of
from infra.lab.aws.cloudwatch.evaluation import Point, Verdict, evaluate, fewest_samples
from infra.lab.aws.cloudwatch.queries import Queries, Refused, metric_of
from infra.lab.aws.cloudwatch.rule import Rule, holds, named, parse_rule
from infra.lab.aws.cloudwatch.store import MetricStore

HISTORY_KEPT = 100
ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}


@dataclass(slots=True)
class Alarm:
    """`given` are its settings as the API names them; `rule` is a composite alarm's. moto knows alarms by name and ARN."""

    name: str
    alarm_arn: str
    given: dict[str, Any]
    configured: float
    rule: Rule | None = None
    state: str = "INSUFFICIENT_DATA"
    reason: str = "Unchecked: Initial alarm creation"
    reason_data: str = ""
    changed: float = 0.0
    heard: tuple[str, ...] = ()
    """The states of a composite alarm's alarms when it was last evaluated."""
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def actions_enabled(self) -> bool:
        return bool(self.given.get("ActionsEnabled", True))

    @actions_enabled.setter
    def actions_enabled(self, enabled: bool) -> None:
        self.given["ActionsEnabled"] = enabled

    def described(self) -> dict[str, Any]:
        """As DescribeAlarms shows it."""
        shown = {key: value for key, value in self.given.items() if key != "Tags" and value not in (None, [])}
        lists = {name: self.given.get(name) or [] for name in ACTIONS.values()}
        dimensions = {} if self.rule is not None else {"Dimensions": self.given.get("Dimensions") or []}
        return {
            **shown,
            **lists,
            **dimensions,
            "AlarmArn": self.alarm_arn,
            "ActionsEnabled": self.actions_enabled,
            "AlarmConfigurationUpdatedTimestamp": datetime.fromtimestamp(self.configured, UTC),
            "StateValue": self.state,
            "StateReason": self.reason,
            **({"StateReasonData": self.reason_data} if self.reason_data else {}),
            "StateUpdatedTimestamp": datetime.fromtimestamp(self.changed, UTC),
            "StateTransitionedTimestamp": datetime.fromtimestamp(self.changed, UTC),
        }


class Alarms:
    """`alarms` is moto's own dictionary of them; `notify` is called with each alarm that has changed and its former state."""

    def __init__(
        self,
        alarms: dict[str, Any],
        store: MetricStore,
        now: Callable[[], float],
        arn_of: Callable[[str], str],
        notify: Callable[[Alarm, str], None],
    ) -> None:
        self.by_name: dict[str, Alarm] = alarms
        self._store, self._now, self._arn_of, self._notify = store, now, arn_of, notify
        self._lock = threading.RLock()

    def put(self, given: Mapping[str, Any]) -> Alarm:
        """PutMetricAlarm, or PutCompositeAlarm where `given` has an AlarmRule. An alarm that is there keeps its state."""
        settings = {key: value for key, value in given.items() if value is not None}
        name = str(settings["AlarmName"])
        with self._lock:
            if "AlarmRule" in settings:
                return self._put(name, settings, self._checked_rule(name, str(settings["AlarmRule"])))
            check(settings)
            now = int(self._now())
            Queries(self._store, queries_of(settings), now - period_of(settings), now).series(result_of(settings))
            return self._put(name, settings, None)

    def set_state(self, name: str, state: str, reason: str, reason_data: str) -> None:
        if name not in self.by_name:
            raise Refused("ResourceNotFound", f"Unknown alarm {name}")
        if state not in ACTIONS:
            raise Refused("ValidationError", f"StateValue must be one of {', '.join(ACTIONS)}, not {state}")
        with self._lock:
            self._change(self.by_name[name], state, reason, reason_data)
            self._evaluate_composites()

    def begin_anew(self) -> None:
        """Every alarm as if it had just been made."""
        with self._lock:
            for name, alarm in list(self.by_name.items()):
                self.by_name[name] = Alarm(
                    name, alarm.alarm_arn, alarm.given, alarm.configured, alarm.rule, changed=self._now()
                )
            self._evaluate_composites()

    def evaluate(self, at: float) -> None:
        """Every alarm as of the whole minute `at` (lab seconds): data of periods that end by then."""
        with self._lock:
            for alarm in list(self.by_name.values()):
                if alarm.rule is None:
                    self._evaluate_metric(alarm, int(at))
            self._evaluate_composites()

    def _put(self, name: str, settings: dict[str, Any], rule: Rule | None) -> Alarm:
        now, former = self._now(), self.by_name.get(name)
        alarm = Alarm(name, self._arn_of(name), settings, configured=now, rule=rule, changed=now)
        if former is not None and (former.rule is None) == (rule is None):
            alarm.state, alarm.reason, alarm.reason_data = former.state, former.reason, former.reason_data
            alarm.changed, alarm.history = former.changed, former.history
        self.by_name[name] = alarm
        self._evaluate_composites()
        return alarm

    def _checked_rule(self, name: str, text: str) -> Rule:
        try:
            rule = parse_rule(text)
        except InputError as error:
            raise Refused("ValidationError", str(error)) from None
        unknown = sorted({each for each in named(rule) if each not in self.by_name or each == name})
        if unknown:
            why = f"Could not save the composite alarm as alarms [{', '.join(unknown)}] in the alarm rule do not exist"
            raise Refused("ValidationError", why)
        return rule

    def _evaluate_metric(self, alarm: Alarm, at: int) -> None:
        given, criterion, period = alarm.given, criterion_of(alarm.given), period_of(alarm.given)
        start = at - criterion.range * period
        values = Queries(self._store, queries_of(given), start, at).series(result_of(given))
        begins = [at - period * number for number in range(1, criterion.range + 1)]
        points = [Point(begin, values.get(begin)) for begin in begins]
        if self._too_few_samples(given, points, period):
            return
        self._become(alarm, evaluate(criterion, points), period)

    def _too_few_samples(self, given: Mapping[str, Any], points: Sequence[Point], period: int) -> bool:
        """A percentile of the newest period with data says too little, and the alarm is to be left as it is then."""
        if given.get("EvaluateLowSampleCountPercentile") != "ignore" or not given.get("ExtendedStatistic"):
            return False
        newest = next((point.moment for point in points if point.value is not None), None)
        if newest is None:
            return False
        samples = self._store.samples(metric_of(given), newest, newest + period, period)[newest]
        return samples.count < fewest_samples(given["ExtendedStatistic"])

    def _become(self, alarm: Alarm, verdict: Verdict, period: int) -> None:
        if verdict.state is None or verdict.state == alarm.state:
            return
        recent = [point.value for point in reversed(verdict.evaluated)]
        told = {
            "version": "1.0",
            "queryDate": _iso(self._now()),
            **({"startDate": _iso(verdict.evaluated[-1].moment)} if verdict.evaluated else {}),
            "statistic": alarm.given.get("Statistic") or alarm.given.get("ExtendedStatistic"),
            "period": period,
            "recentDatapoints": recent,
            "threshold": criterion_of(alarm.given).threshold,
        }
        self._change(alarm, verdict.state, verdict.reason, json.dumps(told))

    def _evaluate_composites(self) -> None:
        """Those whose alarms have changed; again while one changes another."""
        for _ in range(len(self.by_name)):
            composites = [alarm for alarm in list(self.by_name.values()) if alarm.rule is not None]
            changed = [alarm for alarm in composites if self._evaluate_composite(alarm)]
            if not changed:
                return

    def _evaluate_composite(self, alarm: Alarm) -> bool:
        assert alarm.rule is not None
        members = sorted(set(named(alarm.rule)))
        heard = tuple(self._state_of(name) for name in members)
        if heard == alarm.heard:
            return False
        changed = [
            name for name, now, before in zip(members, heard, alarm.heard or [""] * len(heard), strict=True) if now != before
        ]
        alarm.heard = heard
        state = "ALARM" if holds(alarm.rule, self._state_of) else "OK"
        if state == alarm.state:
            return False
        told = [f"{self._arn_of(name)} transitioned to {self._state_of(name)} at {_iso(self._now())}" for name in changed]
        self._change(alarm, state, "; ".join(told), "")
        return True

    def _state_of(self, name: str) -> str:
        """One that has been deleted meanwhile is in no state that a rule could ask for."""
        return self.by_name[name].state if name in self.by_name else "DELETED"

    def _change(self, alarm: Alarm, state: str, reason: str, reason_data: str) -> None:
        former, alarm.state, alarm.reason, alarm.reason_data = alarm.state, state, reason, reason_data
        if former == state:
            return
        alarm.changed = self._now()
        alarm.history.append(
            {
                "AlarmName": alarm.name,
                "AlarmType": "MetricAlarm" if alarm.rule is None else "CompositeAlarm",
                "Timestamp": datetime.fromtimestamp(alarm.changed, UTC),
                "HistoryItemType": "StateUpdate",
                "HistorySummary": f"Alarm updated from {former} to {state}",
                "HistoryData": json.dumps({"version": "1.0", "oldState": former, "newState": state, "reason": reason}),
            }
        )
        del alarm.history[:-HISTORY_KEPT]
        self._notify(alarm, former)


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")
