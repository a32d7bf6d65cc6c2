"""A stage's traffic from CloudWatch: silence and gaps told apart, every period that is kept, and a series to make it again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.aws_calls import AwsClients
from infra.cost.live.metrics import Window
from infra.cost.live.stage import LiveStage
from infra.cost.live.traffic import Counts, profile_of, read_address, read_counts, series_csv, told_counts
from infra.cost.traffic.file import load_traffic
from infra.errors import InputError, KitError
from tests.infra.cost.live.doubles import Metrics
from tests.infra.switching.aws.moto_stage import REGION, aws_in_moto

NOW = 1_800_000_000.0
MINUTE = 60.0
BALANCER = {"LoadBalancer": "app/x/1"}


def clients(metrics: Metrics) -> AwsClients:
    return AwsClients("us-east-1", {"cloudwatch": metrics})


def balanced(requests: dict[float, float], silent: set[float]) -> Metrics:
    metrics = Metrics(now=NOW)
    metrics.publish("AWS/ApplicationELB", "RequestCount", "Sum", BALANCER, requests)
    metrics.publish("AWS/ApplicationELB", "ConsumedLCUs", "Sum", BALANCER, dict.fromkeys(silent | set(requests), 0.02))
    return metrics


def test_a_silent_minute_is_zero_and_a_missing_one_is_filled() -> None:
    start = NOW - 3_600
    metrics = balanced({start: 60, start + 60: 120, start + 240: 600}, silent={start + 120})
    counts = read_counts(clients(metrics), LiveStage(stage="prod", region="r", balancer="app/x/1"), days=1, now=NOW)
    profile = profile_of(counts, "prod")
    assert profile.step_s == 60
    assert profile.rates == (1.0, 2.0, 0.0, 5.0, 10.0)  # the fourth minute is unknown
    assert "1 periods in which the load balancer told no request" in profile.notes
    assert "1 missing period, filled on the line between their neighbours" in profile.notes
    assert profile.parameters == {"stage": "prod", "period_s": 60, "gaps": 1, "requests": 780}


def test_the_series_makes_the_same_traffic_again(tmp_path: Path) -> None:
    start = NOW - 7_200
    requests = {start + 60 * n: float(n * 3 + 1) for n in range(60) if n not in (7, 8, 31)}
    counts = Counts(requests, Window(start, NOW, 60), ())
    path = tmp_path / "requests.csv"
    path.write_text(series_csv(counts))
    assert load_traffic(path).rates == pytest.approx(profile_of(counts, "prod").rates)
    assert load_traffic(path).start == profile_of(counts, "prod").start


def test_behind_a_function_alone_silence_is_no_request_between_the_first_and_the_last() -> None:
    metrics = Metrics(now=NOW)
    start = NOW - 20 * 86_400
    metrics.publish("AWS/Lambda", "Invocations", "Sum", {"FunctionName": "f"}, {start: 300.0, start + 900: 600.0})
    counts = read_counts(clients(metrics), LiveStage(stage="dev", region="r", function="f"), days=30, now=NOW)
    profile = profile_of(counts, "dev")
    assert (profile.step_s, profile.rates) == (300, (1.0, 0.0, 0.0, 2.0))
    assert "2 periods without an invocation, taken as no requests" in profile.notes


def test_what_is_mostly_missing_or_absurd_is_refused() -> None:
    of = Window(NOW - 6_000, NOW, 60)
    with pytest.raises(InputError, match="CloudWatch: 98 of 100 periods are missing; more than half cannot be filled"):
        profile_of(told_counts({NOW - 6_000: 1.0, NOW - 60: 1.0}, {}, of), "prod")
    with pytest.raises(InputError, match=r"CloudWatch: requests at 2027-01-15 07:58: .* is beyond 1e\+07"):
        profile_of(told_counts({NOW - 120: 1e12, NOW - 60: 1.0}, {}, of), "prod")


def test_no_request_at_all_and_nothing_to_read_are_said() -> None:
    with pytest.raises(KitError, match="CloudWatch has no request of stage 'prod' in 3 days"):
        read_counts(clients(Metrics(now=NOW)), LiveStage(stage="prod", region="r", balancer="app/x/1"), days=3, now=NOW)
    with pytest.raises(KitError, match="neither a load balancer nor a function"):
        read_counts(clients(Metrics(now=NOW)), LiveStage(stage="prod", region="r", group="g"), days=3, now=NOW)


@pytest.mark.parametrize(
    ("text", "told"), [("cloudwatch:prod", ("prod", 14)), ("cloudwatch:qa_2:455", ("qa_2", 455)), ("cloudwatch:a:1", ("a", 1))]
)
def test_an_address_names_stage_and_days(text: str, told: tuple[str, int]) -> None:
    assert read_address(text) == told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cloudwatch:", "must be cloudwatch:STAGE or cloudwatch:STAGE:DAYS, as cloudwatch:prod:14"),
        ("cloudwatch:prod:", "must be cloudwatch:STAGE"),
        ("cloudwatch:prod:soon", "must be cloudwatch:STAGE"),
        ("cloudwatch:prod:-1", "must be cloudwatch:STAGE"),
        ("cloudwatch:prod:0", "0 days: must be 1 to 455"),
        ("cloudwatch:prod:456", "456 days: must be 1 to 455"),
    ],
)
def test_another_address_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read_address(text)
    assert said in str(refused.value)


def test_moto_answers_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request as boto3 sends it, against moto's CloudWatch, which knows sums."""
    with aws_in_moto():
        client = boto3.Session().client("cloudwatch", REGION)
        now = time.time() // 60 * 60
        stamps = [now - 600 + 60 * n for n in (0, 1, 3)]
        data: list[dict[str, Any]] = [
            {"MetricName": name, "Dimensions": [{"Name": "LoadBalancer", "Value": "app/x/1"}], "Timestamp": at, "Value": value}
            for at, value in zip(stamps, (60.0, 120.0, 240.0), strict=True)
            for name in ("RequestCount", "ConsumedLCUs")
        ]
        client.put_metric_data(Namespace="AWS/ApplicationELB", MetricData=data)
        aws = AwsClients(REGION)
        monkeypatch.setattr("infra.cost.live.metrics.DAY_S", 1_200)  # moto walks every period of the window
        counts = read_counts(aws, LiveStage(stage="prod", region=REGION, balancer="app/x/1"), days=1, now=now + 200)
    assert profile_of(counts, "prod").rates[:4] == (1.0, 2.0, 3.0, 4.0)
