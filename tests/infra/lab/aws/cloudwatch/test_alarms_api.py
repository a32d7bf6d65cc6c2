"""Alarms over boto3 and from templates, evaluated while the lab's minutes pass."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.infra.lab.fast_lab import FastLab

pytestmark = pytest.mark.slow


class Watched:
    """Alarms and metrics under names of their own, which go with the test."""

    def __init__(self, lab: FastLab) -> None:
        self.lab, self.client, self.name = lab, lab.client("cloudwatch"), f"a{uuid4().hex}"

    def publish(self, metric: str, **what: Any) -> None:
        self.client.put_metric_data(Namespace=self.name, MetricData=[{"MetricName": metric, **what}])

    def settings(self, metric: str, **more: Any) -> dict[str, Any]:
        usual = {"Namespace": self.name, "MetricName": metric, "Statistic": "Sum", "Period": 60}
        return {**usual, "EvaluationPeriods": 1, "Threshold": 5, "ComparisonOperator": "GreaterThanThreshold", **more}

    def put(self, key: str, metric: str, **more: Any) -> str:
        name = f"{self.name}-{key}"
        self.client.put_metric_alarm(AlarmName=name, **self.settings(metric, **more))
        return name

    def alarm(self, name: str) -> dict[str, Any]:
        found = self.client.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        (alarm,) = found["MetricAlarms"] + found["CompositeAlarms"]
        return dict(alarm)

    def state(self, name: str) -> str:
        return str(self.alarm(name)["StateValue"])

    def until(self, name: str, state: str, **publishing: Any) -> dict[str, Any]:
        """Waits for the state, publishing all the while."""

        def there() -> bool:
            for metric, what in publishing.items():
                self.publish(metric, **what)
            return self.state(name) == state

        self.lab.until(there, f"{name} is {state}")
        return self.alarm(name)


@pytest.fixture
def watched(fast_lab: FastLab) -> Iterator[Watched]:
    made = Watched(fast_lab)
    yield made
    every = made.client.describe_alarms(AlarmNamePrefix=made.name, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    made.client.delete_alarms(
        AlarmNames=[each["AlarmName"] for kind in ("CompositeAlarms", "MetricAlarms") for each in every[kind]]
    )


def test_an_alarm_begins_without_data_fires_and_is_over(watched: Watched) -> None:
    name = watched.put("high", "Load", TreatMissingData="notBreaching")
    assert watched.state(name) in ("INSUFFICIENT_DATA", "OK")
    watched.until(name, "OK")
    fired = watched.until(name, "ALARM", Load={"Value": 1000})
    assert fired["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [")
    told = json.loads(fired["StateReasonData"])
    assert (told["period"], told["threshold"], told["statistic"]) == (60, 5, "Sum")
    assert abs(fired["StateUpdatedTimestamp"].timestamp() - watched.lab.aws.time.now()) < 3600
    over = watched.until(name, "OK")
    assert "no datapoints were received" in over["StateReason"]
    history = watched.client.describe_alarm_history(AlarmName=name)["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in history[:2]] == [
        "Alarm updated from ALARM to OK",
        "Alarm updated from OK to ALARM",
    ]


def test_a_percentile_alarm_is_left_as_it_is_while_samples_are_few(watched: Watched) -> None:
    """Published for a minute that is over, as the load balancer does."""
    p99 = {"Statistic": None, "ExtendedStatistic": "p99", "Threshold": 1.0, "TreatMissingData": "notBreaching"}
    settings = {key: value for key, value in watched.settings("Time", **p99).items() if value is not None}
    names = {}
    for low in ("ignore", "evaluate"):
        names[low] = f"{watched.name}-{low}"
        watched.client.put_metric_alarm(AlarmName=names[low], **settings, EvaluateLowSampleCountPercentile=low)
        watched.until(names[low], "OK")
    watched.until(names["evaluate"], "ALARM", Time={"Values": [0.1, 3.0], "Counts": [9, 1]})
    assert watched.state(names["ignore"]) == "OK"
    watched.until(names["ignore"], "ALARM", Time={"Values": [0.1, 3.0], "Counts": [90_000, 10_000]})


def test_an_alarm_over_metric_math(watched: Watched) -> None:
    def query(id: str, metric: str) -> dict[str, Any]:
        stat = {"Metric": {"Namespace": watched.name, "MetricName": metric}, "Period": 60, "Stat": "Sum"}
        return {"Id": id, "MetricStat": stat, "ReturnData": False}

    name = f"{watched.name}-share"
    watched.client.put_metric_alarm(
        AlarmName=name,
        Metrics=[
            query("part", "Errors"),
            query("whole", "Requests"),
            {"Id": "share", "Expression": "IF(whole >= 10, 100 * part / whole, 0)", "ReturnData": True},
        ],
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    watched.until(name, "OK", Requests={"Value": 100})
    watched.until(name, "ALARM", Requests={"Value": 100}, Errors={"Value": 50})
    watched.until(name, "OK", Requests={"Value": 100})


def test_a_lane_s_alarm_follows_its_members_and_a_rehearsal(watched: Watched) -> None:
    first, second = (watched.put(key, key, TreatMissingData="ignore") for key in ("a", "b"))
    whole = f"{watched.name}-whole"
    rule = f'ALARM("{first}") AND NOT ALARM("{second}")'
    watched.client.put_composite_alarm(AlarmName=whole, AlarmRule=rule, AlarmDescription="both")
    assert watched.state(whole) == "OK"
    rehearsed = {"StateValue": "ALARM", "StateReason": "rehearsal"}
    watched.client.set_alarm_state(AlarmName=first, **rehearsed)
    composite = watched.alarm(whole)
    assert (composite["StateValue"], composite["AlarmRule"]) == ("ALARM", rule)
    assert f"alarm:{first} transitioned to ALARM at" in composite["StateReason"]
    watched.client.set_alarm_state(AlarmName=second, **rehearsed)
    assert watched.state(whole) == "OK"
    watched.client.set_alarm_state(AlarmName=whole, **rehearsed)
    watched.until(watched.put("tick", "Tick", TreatMissingData="notBreaching"), "OK")  # a minute has passed
    assert watched.state(whole) == "ALARM"
    watched.client.set_alarm_state(AlarmName=second, StateValue="OK", StateReason="over")
    watched.client.set_alarm_state(AlarmName=first, StateValue="OK", StateReason="over")
    assert watched.state(whole) == "OK"


def test_a_state_set_by_hand_lasts_until_the_next_minute(watched: Watched) -> None:
    name = watched.put("high", "Load", TreatMissingData="notBreaching")
    watched.until(name, "OK")
    watched.client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="rehearsal")
    watched.until(name, "OK")


def test_when_all_that_was_published_is_forgotten_alarms_begin_anew(watched: Watched) -> None:
    name, whole = watched.put("high", "Load", TreatMissingData="ignore"), f"{watched.name}-whole"
    watched.client.put_composite_alarm(AlarmName=whole, AlarmRule=f"ALARM({name})")
    watched.until(whole, "ALARM", Load={"Value": 1000})
    assert watched.lab.page("DELETE", "/_lab/metrics") == {"delay_s": 0}
    assert (watched.state(name), watched.state(whole)) == ("INSUFFICIENT_DATA", "OK")
    assert watched.client.list_metrics(Namespace=watched.name)["Metrics"] == []


def test_a_changed_alarm_keeps_its_state(watched: Watched) -> None:
    name = watched.put("high", "Load", TreatMissingData="ignore")
    watched.client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="rehearsal")
    watched.put("high", "Load", TreatMissingData="ignore", Threshold=7)
    alarm = watched.alarm(name)
    assert (alarm["StateValue"], alarm["StateReason"], alarm["Threshold"]) == ("ALARM", "rehearsal", 7)


def test_alarms_are_found_by_kind_prefix_and_state_page_by_page(watched: Watched) -> None:
    for number in range(3):
        watched.put(f"{number}", "Load", TreatMissingData="ignore")
    watched.client.put_composite_alarm(AlarmName=f"{watched.name}-whole", AlarmRule=f"ALARM({watched.name}-0)")
    watched.client.set_alarm_state(AlarmName=f"{watched.name}-1", StateValue="ALARM", StateReason="rehearsal")
    ask: Mapping[str, Any] = {"AlarmNamePrefix": watched.name}
    assert watched.client.describe_alarms(**ask)["CompositeAlarms"] == []
    pages = watched.client.get_paginator("describe_alarms").paginate(**ask, MaxRecords=2)
    assert [len(page["MetricAlarms"]) for page in pages] == [2, 1]
    (fired,) = watched.client.describe_alarms(**ask, StateValue="ALARM")["MetricAlarms"]
    assert fired["AlarmName"] == f"{watched.name}-1"
    found = watched.client.describe_alarms_for_metric(Namespace=watched.name, MetricName="Load")["MetricAlarms"]
    assert len(found) == 3


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"Period": 10}, "Period must be a multiple of 60"),
        ({"TreatMissingData": "bad"}, "TreatMissingData must be one of"),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm must be from 1 to EvaluationPeriods"),
    ],
)
def test_an_alarm_that_cannot_be_evaluated_is_refused(watched: Watched, more: dict[str, Any], why: str) -> None:
    with pytest.raises(ClientError, match=why):
        watched.put("bad", "Load", **more)


def test_an_expression_that_is_not_understood_is_refused_when_the_alarm_is_put(watched: Watched) -> None:
    stat = {"Metric": {"Namespace": watched.name, "MetricName": "Load"}, "Period": 60, "Stat": "Sum"}
    metrics = [{"Id": "m", "MetricStat": stat, "ReturnData": False}, {"Id": "e", "Expression": "RATE(m)"}]
    with pytest.raises(ClientError, match="the local CloudWatch knows no RATE"):
        watched.client.put_metric_alarm(
            AlarmName="x", Metrics=metrics, EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold"
        )


def test_a_rule_that_is_not_understood_or_names_nobody_is_refused(watched: Watched) -> None:
    with pytest.raises(ClientError, match="is expected at 'AT_LEAST"):
        watched.client.put_composite_alarm(AlarmName="x", AlarmRule="AT_LEAST(1, ALARM, (a, b))")
    with pytest.raises(ClientError, match=r"alarms \[nobody\] in the alarm rule do not exist"):
        watched.client.put_composite_alarm(AlarmName="x", AlarmRule="ALARM(nobody)")


def test_alarms_of_a_template_are_made_changed_and_deleted(watched: Watched) -> None:
    def template(threshold: float) -> str:
        properties = {**watched.settings("Load", TreatMissingData="notBreaching"), "Threshold": threshold}
        properties |= {"AlarmName": f"{watched.name}-high", "AlarmActions": [{"Ref": "Topic"}], "OKActions": [{"Ref": "Topic"}]}
        rule = f'ALARM("{watched.name}-high")'
        resources = {
            "Whole": {
                "Type": "AWS::CloudWatch::CompositeAlarm",
                "Properties": {"AlarmName": f"{watched.name}-whole", "AlarmRule": rule},
                "DependsOn": ["High"],
            },
            "High": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties},
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {}},
        }
        return json.dumps({"Resources": resources, "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["High", "Arn"]}}}})

    stacks, name = watched.lab.client("cloudformation"), watched.name
    stacks.create_stack(StackName=name, TemplateBody=template(5))
    (stack,) = stacks.describe_stacks(StackName=name)["Stacks"]
    high = watched.until(f"{name}-high", "OK")
    assert (stack["StackStatus"], stack["Outputs"][0]["OutputValue"]) == ("CREATE_COMPLETE", high["AlarmArn"])
    watched.until(f"{name}-whole", "ALARM", Load={"Value": 1000})
    stacks.update_stack(StackName=name, TemplateBody=template(10**9))
    assert watched.alarm(f"{name}-high")["Threshold"] == 10**9
    watched.until(f"{name}-whole", "OK", Load={"Value": 1000})
    stacks.delete_stack(StackName=name)
    left = watched.client.describe_alarms(AlarmNamePrefix=name, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert (left["MetricAlarms"], left["CompositeAlarms"]) == ([], [])
