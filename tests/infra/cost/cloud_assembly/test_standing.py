"""What a stage has beside the kit's own is priced where it costs the same whatever the traffic, and else listed."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infra.cost.cloud_assembly.reading import Resource
from infra.cost.cloud_assembly.standing import STANDING, runs
from infra.cost.prices.book import PriceBook
from infra.errors import InputError
from tests.infra.cost.cloud_assembly.test_billing import priced

MONTH = Decimal(730)


def schedule(expression: str, **properties: Any) -> Resource:
    told = {"ScheduleExpression": expression, **properties}
    return Resource(stack="a", logical_id="S", type="AWS::Scheduler::Schedule", properties=told, file=Path("a.template.json"))


@pytest.mark.parametrize(
    ("expression", "times"),
    [
        ("rate(1 minute)", 43_800),
        ("rate(5 minutes)", 8_760),
        ("rate(1 day)", "30.416667"),
        ("at(2026-12-01T08:00:00)", 1),
        ("cron(0 8 * * ? *)", "30.416667"),
        ("cron(0,30 8-17 ? * MON-FRI *)", "434.523810"),
        ("cron(*/5 * * * ? *)", 8_760),
        ("cron(0 8 1,15 * ? *)", 2),
        ("cron(0/20 8 ? * 2-6 *)", "65.178571"),
    ],
)
def test_a_schedule_fires_as_often_as_its_expression_says(expression: str, times: float | str) -> None:
    assert runs(schedule(expression), MONTH).quantize(Decimal("1e-6")) == Decimal(str(times)).quantize(Decimal("1e-6"))


def test_a_schedule_that_is_off_does_not_fire() -> None:
    assert runs(schedule("rate(1 minute)", State="DISABLED"), MONTH) == 0


@pytest.mark.parametrize("expression", ["", "every day", "rate(5)", "rate(0 minutes)", "cron(0 8)", "rate(1 fortnight)"])
def test_no_schedule_is_one_line(expression: str) -> None:
    with pytest.raises(InputError, match=r"a\.template\.json: S\.ScheduleExpression: .* must be rate\(N minutes\), cron"):
        runs(schedule(expression), MONTH)


def test_what_stands_beside_the_kits_own_is_priced_with_its_logical_ids(tmp_path: Path, book: PriceBook) -> None:
    comparison = priced(
        tmp_path,
        book,
        {},
        Key={"Type": "AWS::KMS::Key"},
        One={"Type": "AWS::SecretsManager::Secret"},
        Two={"Type": "AWS::SecretsManager::Secret"},
        Advanced={"Type": "AWS::SSM::Parameter", "Tier": "Advanced"},
        Plain={"Type": "AWS::SSM::Parameter"},
        Quick={"Type": "AWS::CloudWatch::Alarm", "MetricName": "Errors", "Period": 10},
        Share={"Type": "AWS::CloudWatch::Alarm", "Metrics": [{"MetricStat": {}}, {"MetricStat": {}}, {"Expression": "a/b"}]},
        Hourly={"Type": "AWS::Scheduler::Schedule", "ScheduleExpression": "rate(1 hour)"},
        Endpoint={"Type": "AWS::EC2::VPCEndpoint", "VpcEndpointType": "Interface", "SubnetIds": ["x", "y"]},
        Zone={"Type": "AWS::Route53::HostedZone"},
    )
    expected = {
        "KMS keys, from templates": (Decimal(1), Decimal(1), ("a/Key",)),
        "Secrets, from templates": (Decimal(2), Decimal("0.8"), ("a/One", "a/Two")),
        "Advanced parameters, from templates": (Decimal(1), Decimal("0.05"), ("a/Advanced",)),
        "CloudWatch alarms of high resolution, from templates": (Decimal(1), Decimal("0.3"), ("a/Quick",)),
        "CloudWatch alarms, from templates": (Decimal(2), Decimal("0.2"), ("a/Share",)),
        "Scheduler invocations, from templates": (Decimal(730), Decimal("0.00073"), ("a/Hourly",)),
        "VPC endpoints, from templates": (Decimal(1460), Decimal("14.6"), ("a/Endpoint",)),
        "Hosted zones, from templates": (Decimal(1), Decimal("0.5"), ("a/Zone",)),
    }
    lines = {line.name: line for line in comparison.lambda_lane.lines if line.name.endswith(", from templates")}
    assert {name: (line.quantity, line.usd, line.resources) for name, line in lines.items()} == expected
    of_the_other_lane = [line for line in comparison.container_lane.lines if line.name.endswith(", from templates")]
    assert of_the_other_lane == [], "the stack is the Lambda lane's"
    assert comparison.unpriced == (
        "AWS::KMS::Key: requests to it (a/Key)",
        "AWS::EC2::VPCEndpoint: the GB that pass it (a/Endpoint)",
    )


def test_what_depends_on_use_is_listed_and_never_left_out(tmp_path: Path, book: PriceBook) -> None:
    comparison = priced(
        tmp_path,
        book,
        {},
        Queue={"Type": "AWS::SQS::Queue"},
        Machine={"Type": "AWS::StepFunctions::StateMachine"},
        Table={"Type": "AWS::DynamoDB::Table"},
        Helper={"Type": "AWS::Lambda::Function"},
        New={"Type": "AWS::Quantum::Thing"},
        Rule={"Type": "AWS::Events::Rule", "ScheduleExpression": "rate(1 hour)"},
    )
    assert comparison.unpriced == (
        "AWS::SQS::Queue: billed by the request, whose number is not known (a/Queue)",
        "AWS::StepFunctions::StateMachine: billed by the transition, whose number is not known (a/Machine)",
        "AWS::DynamoDB::Table: requests and storage, of which the templates tell nothing (a/Table)",
        "AWS::Lambda::Function: a function beside the lane: its requests and their duration are not known (a/Helper)",
        "AWS::Quantum::Thing: a type that this estimate does not know (a/New)",
    )


def test_the_curve_and_the_crossover_have_what_stands_beside(tmp_path: Path, book: PriceBook) -> None:
    for folder in ("plain", "dear"):
        (tmp_path / folder).mkdir()
    keys = {f"Key{n}": {"Type": "AWS::KMS::Key"} for n in range(40)}
    plain = priced(tmp_path / "plain", book, {})
    dear = priced(tmp_path / "dear", book, {}, **keys)
    assert dear.lambda_lane.usd_per_month == plain.lambda_lane.usd_per_month + 40
    (before,) = [each for each in plain.curve if each.rps == plain.curve[0].rps]
    assert dear.curve[0].lambda_usd - before.lambda_usd == 40
    assert json.dumps(dear.lambda_lane.capacity) == json.dumps(plain.lambda_lane.capacity)


def test_volumes_that_are_provisioned_beyond_the_model_are_listed(tmp_path: Path, book: PriceBook) -> None:
    group = {
        "Type": "AWS::AutoScaling::AutoScalingGroup",
        "Tags": [{"Key": "crossover:lane", "Value": "container"}],
        "MinSize": "2",
        "MaxSize": "4",
        "LaunchTemplate": {"LaunchTemplateId": {"Ref": "Template"}},
    }
    volume = {"VolumeSize": 8, "VolumeType": "gp3", "Iops": 3000}
    for name, ebs, listed in (
        ("plain", volume, False),
        ("fast", {**volume, "Iops": 6000}, True),
        ("old", {"VolumeSize": 8}, True),
    ):
        (tmp_path / name).mkdir()
        data = {"InstanceType": "c7g.large", "BlockDeviceMappings": [{"Ebs": ebs}], "Monitoring": {"Enabled": True}}
        template = {"Type": "AWS::EC2::LaunchTemplate", "LaunchTemplateData": data}
        found = priced(tmp_path / name, book, {}, Group=dict(group), Template=template).unpriced
        assert any("volumes of another kind than gp3" in each for each in found) is listed, (name, found)


def test_every_price_that_stands_is_in_the_book(book: PriceBook) -> None:
    for kind in STANDING.values():
        assert book.price(kind.service, kind.dimension).usd > 0
