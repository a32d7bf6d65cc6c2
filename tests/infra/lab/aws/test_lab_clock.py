"""The local AWS tells lab time, and an operator keeps in step with it."""

from __future__ import annotations

import time
import urllib.request
from email.utils import parsedate_to_datetime

import pytest

from infra.errors import InputError, KitError
from infra.lab.operator import LabClock, connect, lab_time_at
from infra.switching.aws.calls import served_at
from tests.infra.lab.fast_lab import FastLab

pytestmark = pytest.mark.slow


def test_every_answer_is_dated_in_lab_time(fast_lab: FastLab) -> None:
    before = fast_lab.aws.time.now()
    answer = fast_lab.client("ssm").describe_parameters()
    after = fast_lab.aws.time.now()
    dated = served_at(answer)
    assert dated is not None
    assert before - 1 <= dated <= after
    assert parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).tzname() == "UTC"


def test_an_sdk_that_would_correct_its_clock_is_told_the_time_of_life(fast_lab: FastLab) -> None:
    request = urllib.request.Request(f"{fast_lab.aws.url}/_lab/time", headers={"User-Agent": "aws-sdk-js/3.9 ua/2.1"})
    fast_lab.until(lambda: fast_lab.aws.time.now() - time.time() > 3_600, "an hour has passed")
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert abs(parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()) < 60


def test_an_operator_s_clock_is_the_lab_s(fast_lab: FastLab) -> None:
    lab_time = lab_time_at(fast_lab.aws.url)
    assert lab_time == fast_lab.aws.time
    clock, began, before = LabClock(lab_time), time.monotonic(), fast_lab.aws.time.now()
    clock.sleep(60)
    assert 0.1 <= time.monotonic() - began < 5
    assert clock.now() - before >= 60


def test_an_operator_without_a_lab_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with pytest.raises(InputError, match="AWS_ENDPOINT_URL: not set"):
        connect("dev", None)
    with pytest.raises(KitError, match=r"http://127\.0\.0\.1:9/_lab/time does not tell the lab's time \(.*refused\)"):
        lab_time_at("http://127.0.0.1:9")
