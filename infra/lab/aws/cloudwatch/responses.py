"""CloudWatch's API over the lab's metrics and alarms, in place of moto's; dashboards, tags and the rest stay moto's."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from moto.cloudwatch import urls
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult

from infra.errors import InputError
from infra.lab.aws.cloudwatch import queries, templates
from infra.lab.aws.cloudwatch.alarms import Alarm
from infra.lab.aws.cloudwatch.backend import CloudWatch, Watch
from infra.lab.aws.cloudwatch.queries import Refused
from infra.lab.aws.cloudwatch.statistics import Samples
from infra.lab.aws.cloudwatch.store import MINUTE
from infra.lab.aws.lab_pages import LabPages, entries

ALARMS_A_PAGE = 50
MOST_VALUES = 150
OLDEST_S, NEWEST_S = 14 * 24 * 3600, 2 * 3600
"""How far from now a data point may be ("Timestamp", MetricDatum)."""


class RefusedCall(ServiceException):
    """moto looks for an error's words in the service of the module that its class is from: this one's is none."""


class LabCloudWatch(CloudWatchResponse):
    cloudwatch: ClassVar[CloudWatch]

    def put_metric_data(self) -> ActionResult:
        return self._answer(self._put_metric_data)

    def get_metric_data(self) -> ActionResult:
        return self._answer(lambda watch, request: queries.metric_data(watch.store, request))

    def get_metric_statistics(self) -> ActionResult:
        return self._answer(lambda watch, request: queries.metric_statistics(watch.store, request))

    def list_metrics(self) -> ActionResult:
        return self._answer(lambda watch, request: queries.listed(watch.store, request))

    def put_metric_alarm(self) -> ActionResult:
        return self._answer(self._put_alarm)

    def put_composite_alarm(self) -> ActionResult:
        return self._answer(self._put_alarm)

    def describe_alarms(self) -> ActionResult:
        return self._answer(_described)

    def describe_alarms_for_metric(self) -> ActionResult:
        return self._answer(_described_for_metric)

    def describe_alarm_history(self) -> ActionResult:
        return self._answer(_history)

    def set_alarm_state(self) -> ActionResult:
        return self._answer(
            lambda watch, request: watch.alarms.set_state(
                request["AlarmName"], request["StateValue"], request["StateReason"], request.get("StateReasonData") or ""
            )
        )

    def _answer(self, action: Callable[[Watch, Mapping[str, Any]], Any]) -> ActionResult:
        request = {key: value for key, value in self._get_params().items() if value is not None}
        try:
            told = action(self.cloudwatch.at(self.current_account, self.region), request)
        except Refused as error:
            raise RefusedCall(error.code, str(error)) from None
        except InputError as error:
            raise RefusedCall("ValidationError", str(error)) from None
        return EmptyResult() if told is None else ActionResult(told)

    def _put_metric_data(self, watch: Watch, request: Mapping[str, Any]) -> None:
        now = self.cloudwatch.lab_time.now()
        data = request.get("MetricData") or []
        for number, datum in enumerate(data, start=1):
            self.cloudwatch_backend._validate_parameters_put_metric_data(datum, number)
            _check_datum(datum, number, now)
        for datum in data:
            metric = queries.metric_of({**datum, "Namespace": request["Namespace"]})
            step = 1 if datum.get("StorageResolution") == 1 else MINUTE
            watch.store.put(metric, _moment(datum, now), _samples(datum), step=step, unit=datum.get("Unit") or "None")

    def _put_alarm(self, watch: Watch, request: Mapping[str, Any]) -> None:
        alarm = watch.alarms.put(request)
        if request.get("Tags"):
            self.cloudwatch_backend.tagger.tag_resource(alarm.alarm_arn, request["Tags"])


def _moment(datum: Mapping[str, Any], now: float) -> float:
    told = datum.get("Timestamp")
    return now if told is None else queries.seconds(told)


def _check_datum(datum: Mapping[str, Any], number: int, now: float) -> None:
    name, moment = f"MetricData.member.{number}", _moment(datum, now)
    if moment > now + NEWEST_S:
        why = f"The parameter {name}.Timestamp must specify a time no more than two hours in the future."
        raise Refused("InvalidParameterValue", why)
    if moment < now - OLDEST_S:
        raise Refused("InvalidParameterValue", f"The parameter {name}.Timestamp must specify a time within the past two weeks.")
    if len(datum.get("Values") or []) > MOST_VALUES:
        raise Refused("InvalidParameterValue", f"The collection {name}.Values must not have a size greater than {MOST_VALUES}.")
    if not any(datum.get(key) is not None for key in ("Value", "Values", "StatisticValues")):
        raise Refused(
            "MissingParameter", f"At least one of the parameters {name}.Value, Values, StatisticValues must be specified."
        )


def _samples(datum: Mapping[str, Any]) -> Samples:
    samples = Samples()
    if datum.get("Values"):
        counts = datum.get("Counts") or [1.0] * len(datum["Values"])
        for value, count in zip(datum["Values"], counts, strict=True):
            samples.add(float(value), float(count))
    elif datum.get("StatisticValues"):
        told = {key: float(value) for key, value in datum["StatisticValues"].items()}
        samples.add_set(count=told["SampleCount"], total=told["Sum"], minimum=told["Minimum"], maximum=told["Maximum"])
    else:
        samples.add(float(datum["Value"]))
    return samples


def _described(watch: Watch, request: Mapping[str, Any]) -> dict[str, Any]:
    """Metric alarms alone unless AlarmTypes asks for others, as the API reference has it."""
    kinds = request.get("AlarmTypes") or ["MetricAlarm"]
    found = [
        alarm
        for name, alarm in sorted(watch.alarms.by_name.items())
        if _kind(alarm) in kinds
        and (not request.get("AlarmNames") or name in request["AlarmNames"])
        and name.startswith(request.get("AlarmNamePrefix") or "")
        and request.get("StateValue") in (None, alarm.state)
        and _has_action(alarm, request.get("ActionPrefix"))
    ]
    limit = int(request.get("MaxRecords") or ALARMS_A_PAGE)
    page, more = _page(found, request, limit)
    told = {"MetricAlarm": "MetricAlarms", "CompositeAlarm": "CompositeAlarms"}
    return {key: [alarm.described() for alarm in page if _kind(alarm) == kind] for kind, key in told.items()} | more


def _described_for_metric(watch: Watch, request: Mapping[str, Any]) -> dict[str, Any]:
    wanted = queries.metric_of(request)
    alarms = [alarm for alarm in watch.alarms.by_name.values() if alarm.given.get("MetricName")]
    return {"MetricAlarms": [alarm.described() for alarm in alarms if queries.metric_of(alarm.given) == wanted]}


def _history(watch: Watch, request: Mapping[str, Any]) -> dict[str, Any]:
    """State changes, newest first."""
    kinds = request.get("AlarmTypes") or ["MetricAlarm"]
    alarms = [alarm for alarm in watch.alarms.by_name.values() if request.get("AlarmName") in (None, alarm.name)]
    items = [item for alarm in alarms if _kind(alarm) in kinds for item in alarm.history]
    if request.get("HistoryItemType") not in (None, "StateUpdate"):
        items = []
    begin = queries.seconds(request["StartDate"]) if request.get("StartDate") else 0.0
    end = queries.seconds(request["EndDate"]) if request.get("EndDate") else math.inf
    items = [item for item in items if begin <= queries.seconds(item["Timestamp"]) <= end]
    items.sort(key=lambda item: item["Timestamp"], reverse=request.get("ScanBy") != "TimestampAscending")
    page, more = _page(items, request, int(request.get("MaxRecords") or ALARMS_A_PAGE))
    return {"AlarmHistoryItems": page} | more


def _page(found: list[Any], request: Mapping[str, Any], limit: int) -> tuple[list[Any], dict[str, str]]:
    try:
        skip = int(request.get("NextToken") or 0)
    except ValueError:
        raise Refused("InvalidNextToken", "The next token specified is invalid.") from None
    return found[skip : skip + limit], {"NextToken": str(skip + limit)} if skip + limit < len(found) else {}


def _kind(alarm: Alarm) -> str:
    return "MetricAlarm" if alarm.rule is None else "CompositeAlarm"


def _has_action(alarm: Alarm, prefix: str | None) -> bool:
    return prefix is None or any(str(action).startswith(prefix) for action in alarm.given.get("AlarmActions") or [])


def install(cloudwatch: CloudWatch, pages: LabPages) -> None:
    """Puts the lab's CloudWatch in moto's place. Its page: `GET` and `PUT /_lab/metrics` are the publishing delay, `DELETE`
    has it forget what was published."""

    def delay(told: Any) -> dict[str, float]:
        if told is not None:
            wanted = entries(told, 'the publishing delay: {"delay_s": lab seconds}').get("delay_s")
            if not isinstance(wanted, int | float) or not math.isfinite(wanted) or wanted < 0:
                raise InputError(f"delay_s must be lab seconds, not {wanted!r}")
            cloudwatch.delay_s = float(wanted)
        return {"delay_s": cloudwatch.delay_s}

    def forget(_: Any) -> dict[str, float]:
        cloudwatch.forget()
        return delay(None)

    LabCloudWatch.cloudwatch = cloudwatch
    urls.url_paths = {"{0}/$": LabCloudWatch.dispatch}
    templates.install(cloudwatch)
    pages.add("GET", "/_lab/metrics", lambda _: delay(None))
    pages.add("PUT", "/_lab/metrics", delay)
    pages.add("DELETE", "/_lab/metrics", forget)
    cloudwatch.start()
