"""Cost Explorer: what is asked, page by page, and what moto's replayed answers become."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from infra.cost.actuals.cost_explorer import read_cost_explorer
from infra.errors import InputError, KitError

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 2)


def group(keys: tuple[str, str], cost: str, amortized: str, quantity: str, unit: str = "USD") -> dict[str, Any]:
    return {
        "Keys": list(keys),
        "Metrics": {
            "UnblendedCost": {"Amount": cost, "Unit": unit},
            "AmortizedCost": {"Amount": amortized, "Unit": unit},
            "UsageQuantity": {"Amount": quantity, "Unit": "N/A"},
        },
    }


def answer(*groups: dict[str, Any], day: str = "2026-11-01", token: str | None = None) -> dict[str, Any]:
    period = {"TimePeriod": {"Start": day, "End": "2026-11-02"}, "Total": {}, "Groups": list(groups), "Estimated": True}
    return {"ResultsByTime": [period], "DimensionValueAttributes": [], **({"NextPageToken": token} if token else {})}


class Replay:
    """Answers in turn, and keeps what was asked."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers, self.asked = list(answers), list[dict[str, Any]]()

    def get_cost_and_usage(self, **request: Any) -> Mapping[str, Any]:
        self.asked.append(dict(request))
        return self.answers.pop(0)


LAMBDA = group(("AWS Lambda", "Lambda-GB-Second-ARM"), "1.5", "1.25", "100000")
BALANCER = group(("Amazon Elastic Load Balancing", "LCUUsage"), "0.8", "0.8", "100")
CREDIT = group(("AWS Lambda", "Credit"), "-0.5", "-0.5", "7")


def test_each_lane_is_asked_by_its_tag_and_pages_are_followed() -> None:
    client = Replay(answer(BALANCER), answer(LAMBDA, token="more"), answer(LAMBDA, day="2026-11-02"), answer(), answer(CREDIT))
    bill = read_cost_explorer(client, "dev", FIRST, LAST)
    assert [(each.lane, each.kind, each.day.day, each.cash) for each in bill.charges] == [
        (None, "usage", 1, Decimal("0.8")),
        ("lambda", "usage", 1, Decimal("1.5")),
        ("lambda", "usage", 2, Decimal("1.5")),
        (None, "credit", 1, Decimal("-0.5")),
    ]
    assert bill.charges[1].amortized == Decimal("1.25")
    assert bill.charges[3].quantity == 0
    assert client.asked[0]["TimePeriod"] == {"Start": "2026-11-01", "End": "2026-11-03"}
    assert client.asked[2]["NextPageToken"] == "more"
    lanes = [each["Filter"]["And"][1] for each in client.asked[:2]]
    assert lanes == [
        {"Tags": {"Key": "crossover:lane", "MatchOptions": ["ABSENT"]}},
        {"Tags": {"Key": "crossover:lane", "Values": ["lambda"]}},
    ]


def test_replies_of_the_service_as_moto_replays_them(monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3
    import requests
    from moto import mock_aws

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        queued = {"results": [answer(BALANCER), answer(LAMBDA), answer(), answer(CREDIT)]}
        url = "http://motoapi.amazonaws.com/moto-api/static/ce/cost-and-usage-results"
        assert requests.post(url, json=queued, timeout=10).status_code == 201
        bill = read_cost_explorer(boto3.client("ce", region_name="us-east-1"), "dev", FIRST, LAST)
    assert bill.usd("cash") == Decimal("1.8")
    assert bill.usd("amortized", usage=True) == Decimal("2.05")


def test_no_charge_with_the_tag_is_said() -> None:
    with pytest.raises(KitError, match="no charge from 2026-11-01 to 2026-11-02 has the tag crossover:stage = 'dev'"):
        read_cost_explorer(Replay(*[answer()] * 4), "dev", FIRST, LAST)


def test_another_currency_and_an_amount_that_is_none_are_refused() -> None:
    with pytest.raises(InputError, match="Cost Explorer: UnblendedCost: 'EUR', must be USD"):
        read_cost_explorer(Replay(answer(group(("AWS Lambda", "Request"), "1", "1", "1", "EUR"))), "dev", FIRST, LAST)
    with pytest.raises(InputError, match=r"Cost Explorer: AmortizedCost: .* has no amount"):
        read_cost_explorer(Replay(answer(group(("AWS Lambda", "Request"), "1", "much", "1"))), "dev", FIRST, LAST)
