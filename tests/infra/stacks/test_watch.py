"""The stack that watches has exactly the alarms of the catalogue, tells them over an encrypted topic, and keeps to the budget.

moto makes no alarms from templates, so all of this is asserted on the template.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from typing import Any

import pytest

from infra.components.watch.catalogue import alarms, lane_alarms
from infra.overrides import override
from tests.conftest import ROOT, require_program
from tests.infra.components.watch.documented import is_documented
from tests.infra.stacks.conftest import Assembly, Synthesize, unexplained_findings

pytestmark = pytest.mark.slow  # starts Node

Alone = Callable[..., Assembly]
ARNS = "arn:aws:elasticloadbalancing:us-east-1:123456789012:"


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Alone:
    """`alone(**settings)`: this stack by itself, over lanes that are only named; AwsSolutions refuses any finding."""
    require_program("node")
    os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
    from aws_cdk import App, Validations
    from cdk_nag import AwsSolutionsChecks

    from infra.stacks.watch import Watched, WatchStack

    def run(**settings: object) -> Assembly:
        stage = override({key.replace("__", "."): value for key, value in settings.items()})
        directory = tmp_path_factory.mktemp("watch.out")
        app = App(outdir=str(directory))
        functions, instances = "lambda" in stage.lanes, "container" in stage.lanes
        watched = Watched(
            function_name="function" if functions else None,
            lambda_target_group=f"{ARNS}targetgroup/l/1" if functions and stage.has_load_balancer else None,
            group_name="group" if instances else None,
            container_target_group=f"{ARNS}targetgroup/c/1" if instances else None,
            load_balancer=f"{ARNS}loadbalancer/app/b/1" if stage.has_load_balancer else None,
        )
        WatchStack(app, f"{stage.resource_prefix}-watch", stage=stage, watched=watched)
        Validations.of(app).add_plugins(AwsSolutionsChecks(app))
        app.synth()
        return Assembly(stage, directory, "")

    return run


@pytest.fixture(scope="session")
def lambda_alone(alone: Alone) -> Assembly:
    return alone(
        lanes="lambda", lambda_lane__front="function_url", watch__email="ops@example.com", watch__monthly_budget_usd=500
    )


@pytest.fixture(scope="session")
def containers_alone(alone: Alone) -> Assembly:
    return alone(lanes="container", region="eu-west-1", watch__runbooks_url="https://git.example.com/kit/docs/runbooks")


@pytest.fixture(params=["default", "secured", "lambda_alone", "containers_alone"])
def assembly(request: pytest.FixtureRequest) -> Assembly:
    found: Assembly = request.getfixturevalue(request.param)
    return found


def made(assembly: Assembly, kind: str) -> dict[str, dict[str, Any]]:
    """The alarms of a template by their key."""
    prefix = f"{assembly.stage.resource_prefix}-"
    resources = [resource["Properties"] for resource in assembly.all("watch", f"AWS::CloudWatch::{kind}").values()]
    return {properties["AlarmName"].removeprefix(prefix): properties for properties in resources}


def kinds(assembly: Assembly) -> set[str]:
    return {resource["Type"] for resource in assembly.template("watch")["Resources"].values()}


def test_the_template_has_exactly_the_alarms_of_the_catalogue(assembly: Assembly) -> None:
    assert set(made(assembly, "Alarm")) == {alarm.key for alarm in alarms(assembly.stage)}
    assert (
        set(made(assembly, "CompositeAlarm")) == {lane.key for lane in lane_alarms(assembly.stage)} == set(assembly.stage.lanes)
    )


def test_alarms_are_as_the_catalogue_says(assembly: Assembly) -> None:
    found = made(assembly, "Alarm")
    for alarm in alarms(assembly.stage):
        properties = found[alarm.key]
        assert properties["Threshold"] == alarm.threshold
        assert properties["ComparisonOperator"] == alarm.comparison
        assert (properties["DatapointsToAlarm"], properties["EvaluationPeriods"]) == alarm.points
        assert properties["TreatMissingData"] == alarm.missing
        figures = [query for query in properties.get("Metrics", []) if "MetricStat" in query]
        assert (len(figures) or 1) == alarm.metrics


def test_every_alarm_says_what_it_means_and_where_to_read_on(assembly: Assembly) -> None:
    base = assembly.stage.watch.runbooks_url
    for key, properties in {**made(assembly, "Alarm"), **made(assembly, "CompositeAlarm")}.items():
        said = properties["AlarmDescription"]
        assert said.endswith(f" Runbook: {base}/{key}.md")
        assert 60 < len(said) <= 1024  # CloudWatch's limit
        assert said.isascii()


def test_every_alarm_tells_when_it_fires_and_when_it_is_over_but_lanes_only_answer(assembly: Assembly) -> None:
    (topic,) = assembly.all("watch", "AWS::SNS::Topic")
    for properties in made(assembly, "Alarm").values():
        assert properties["AlarmActions"] == properties["OKActions"] == [{"Ref": topic}]
    for properties in made(assembly, "CompositeAlarm").values():
        assert not {"AlarmActions", "OKActions"} & set(properties)


def test_alarms_read_documented_metrics(assembly: Assembly) -> None:
    for properties in made(assembly, "Alarm").values():
        queries = [query["MetricStat"]["Metric"] for query in properties.get("Metrics", []) if "MetricStat" in query]
        for metric in queries or [properties]:
            names = [dimension["Name"] for dimension in metric["Dimensions"]]
            assert is_documented(metric["Namespace"], metric["MetricName"], names), metric


def test_a_share_is_metric_math_of_the_same_minutes(default: Assembly) -> None:
    part, whole, share = made(default, "Alarm")["container-5xx"]["Metrics"]
    assert part["MetricStat"]["Metric"]["MetricName"] == "HTTPCode_Target_5XX_Count"
    assert whole["MetricStat"]["Metric"]["MetricName"] == "RequestCount"
    assert part["MetricStat"]["Metric"]["Dimensions"] == whole["MetricStat"]["Metric"]["Dimensions"]
    assert {query["MetricStat"]["Period"] for query in (part, whole)} == {60}
    assert {query["MetricStat"]["Stat"] for query in (part, whole)} == {"Sum"}
    assert (part["ReturnData"], whole["ReturnData"], share.get("ReturnData", True)) == (False, False, True)
    assert share["Expression"] == "IF(whole >= 10, 100 * part / whole, 0)"


def test_a_percentile_of_few_requests_is_ignored(default: Assembly) -> None:
    found = made(default, "Alarm")
    percentiles = {key for key, properties in found.items() if "ExtendedStatistic" in properties}
    assert percentiles == {"lambda-p99", "container-p99"}
    for key in percentiles:
        assert found[key]["EvaluateLowSampleCountPercentile"] == "ignore"
        assert "Statistic" not in found[key]


def test_dimensions_are_the_end_of_the_others_arns(containers_alone: Assembly, default: Assembly) -> None:
    dimensions = made(containers_alone, "Alarm")["container-p99"]["Dimensions"]
    assert {each["Name"]: each["Value"] for each in dimensions} == {
        "TargetGroup": "targetgroup/c/1",
        "LoadBalancer": "app/b/1",
    }
    (imported,) = [each["Value"] for each in made(default, "Alarm")["elb-503"]["Dimensions"]]
    arn = imported["Fn::Select"][1]["Fn::Split"][1]["Fn::ImportValue"]
    assert imported["Fn::Select"][0] == 1 and imported["Fn::Select"][1]["Fn::Split"][0] == "loadbalancer/"
    assert arn.startswith("crossover-dev-traffic:")


def test_a_lanes_alarm_is_made_after_those_it_asks(assembly: Assembly) -> None:
    resources = assembly.template("watch")["Resources"]
    names = {id: r["Properties"]["AlarmName"] for id, r in resources.items() if r["Type"] == "AWS::CloudWatch::Alarm"}
    for composite in assembly.all("watch", "AWS::CloudWatch::CompositeAlarm").values():
        waits = {names[id] for id in composite["DependsOn"]}
        rule = composite["Properties"]["AlarmRule"]
        assert waits == {name for name in names.values() if f'ALARM("{name}")' in rule}
        assert waits


def test_only_this_accounts_alarms_may_publish_and_only_over_tls(default: Assembly) -> None:
    denied, allowed = default.one("watch", "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Action"] == "sns:Publish"
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert allowed["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Join"][1][-1] == ":alarm:crossover-dev-*"


def test_the_topics_key_lets_alarms_use_it_and_rotates(default: Assembly) -> None:
    (key,) = default.all("watch", "AWS::KMS::Key")
    assert default.one("watch", "AWS::SNS::Topic")["KmsMasterKeyId"] == {"Fn::GetAtt": [key, "Arn"]}
    properties = default.one("watch", "AWS::KMS::Key")
    assert properties["EnableKeyRotation"] is True
    (cloudwatch,) = [s for s in properties["KeyPolicy"]["Statement"] if "Service" in s["Principal"]]
    assert cloudwatch["Principal"]["Service"] == "cloudwatch.amazonaws.com"
    assert cloudwatch["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]


def test_an_address_is_subscribed_where_the_stage_names_one(lambda_alone: Assembly, default: Assembly) -> None:
    subscription = lambda_alone.one("watch", "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")
    assert "AWS::SNS::Subscription" not in kinds(default)


def test_a_budget_tells_at_80_percent_spent_and_100_percent_forecast(lambda_alone: Assembly, default: Assembly) -> None:
    properties = lambda_alone.one("watch", "AWS::Budgets::Budget")
    assert properties["Budget"] == {
        "BudgetName": "crossover-dev-us-east-1",
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": 500, "Unit": "USD"},
        "CostFilters": {"TagKeyValue": ["user:crossover:stage$dev"]},
    }
    told = [
        (each["Notification"]["NotificationType"], each["Notification"]["Threshold"], each["Subscribers"])
        for each in properties["NotificationsWithSubscribers"]
    ]
    to = [{"SubscriptionType": "EMAIL", "Address": "ops@example.com"}]
    assert told == [("ACTUAL", 80, to), ("FORECASTED", 100, to)]
    assert "AWS::Budgets::Budget" not in kinds(default)


def resolved(value: Any) -> str:
    """A template's string with what only a deployment knows left as `?`."""
    return value if isinstance(value, str) else "".join(part if isinstance(part, str) else "?" for part in value["Fn::Join"][1])


def test_the_dashboard_is_one_valid_document_in_its_regions_name(assembly: Assembly) -> None:
    dashboard = assembly.one("watch", "AWS::CloudWatch::Dashboard")
    assert dashboard["DashboardName"] == f"{assembly.stage.resource_prefix}-{assembly.stage.region}"
    document = json.loads(resolved(dashboard["DashboardBody"]))
    assert len(document["widgets"]) > 8
    assert {w["properties"]["region"] for w in document["widgets"] if w["type"] == "metric"} == {assembly.stage.region}


def test_what_is_turned_off_is_not_made(alone: Alone) -> None:
    without = alone(watch__alarms="false")
    assert kinds(without) == {"AWS::CloudWatch::Dashboard"}
    budget_only = {"watch__email": "ops@example.com", "watch__monthly_budget_usd": 9, "watch__dashboard": "false"}
    assert kinds(alone(watch__alarms="false", **budget_only)) == {"AWS::Budgets::Budget"}


def test_a_stage_that_watches_nothing_has_no_such_stack(synthesize: Synthesize) -> None:
    nothing = synthesize(watch__alarms="false", watch__dashboard="false")
    assert not (nothing.directory / "crossover-dev-watch.template.json").exists()


def test_group_publishes_the_metrics_that_are_read(default: Assembly) -> None:
    assert default.one("container", "AWS::AutoScaling::AutoScalingGroup")["MetricsCollection"] == [{"Granularity": "1Minute"}]


def test_cfn_lint_finds_nothing_with_one_lane(lambda_alone: Assembly, containers_alone: Assembly) -> None:
    for each in (lambda_alone, containers_alone):
        assert unexplained_findings(each, stack="watch") == []


def test_runbooks_name_outputs_that_the_stacks_have(default: Assembly) -> None:
    named = re.findall(r"\$\(out (\w+) (\w+)\)", (ROOT / "docs" / "runbooks" / "README.md").read_text())
    assert len(named) == 6
    for stack, output in named:
        assert output in default.template(stack)["Outputs"], (stack, output)
