"""The metadata service's double says no where the original does, and has the documented shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from infra.lab.metadata_service import MetadataService

TTL = "X-aws-ec2-metadata-token-ttl-seconds"


@pytest.fixture
def service() -> Iterator[MetadataService]:
    with MetadataService("i-0123456789abcdef0", group="group-1") as service:
        yield service


def token(service: MetadataService) -> str:
    answer = httpx.put(f"{service.url}/latest/api/token", headers={TTL: "60"})
    assert answer.status_code == 200
    return answer.text


def get(service: MetadataService, path: str, *, session: str | None = None) -> httpx.Response:
    session = token(service) if session is None else session
    return httpx.get(f"{service.url}/latest/meta-data/{path}", headers={"X-aws-ec2-metadata-token": session})


def test_without_a_session_there_is_no_answer(service: MetadataService) -> None:
    assert get(service, "instance-id", session="").status_code == 401
    session = token(service)
    assert get(service, "instance-id", session=session).text == "i-0123456789abcdef0"
    service.end_sessions()
    assert get(service, "instance-id", session=session).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 400), ({TTL: "0"}, 400), ({TTL: "21601"}, 400), ({TTL: "60", "X-Forwarded-For": "10.0.0.1"}, 403)],
)
def test_a_session_is_not_given_for_the_asking(service: MetadataService, headers: dict[str, str], status: int) -> None:
    assert httpx.put(f"{service.url}/latest/api/token", headers=headers).status_code == status


def test_notices_are_not_found_until_they_are_given(service: MetadataService) -> None:
    at = datetime(2026, 11, 26, 8, 22, tzinfo=UTC)
    items = ("spot/instance-action", "spot/termination-time", "events/recommendations/rebalance")
    assert [get(service, item).status_code for item in items] == [404] * 3
    service.interrupt("stop", at=at)
    service.recommend_rebalance(at=at)
    assert json.loads(get(service, items[0]).text) == {"action": "stop", "time": "2026-11-26T08:22:00Z"}
    assert get(service, items[1]).text == "2026-11-26T08:22:00Z"
    assert json.loads(get(service, items[2]).text) == {"noticeTime": "2026-11-26T08:22:00Z"}


def test_the_group_and_its_wish_are_told(service: MetadataService) -> None:
    assert get(service, "tags/instance/aws:autoscaling:groupName").text == "group-1"
    assert get(service, "autoscaling/target-lifecycle-state").text == "InService"
    service.target_state = "Terminated"
    assert get(service, "autoscaling/target-lifecycle-state").text == "Terminated"
    assert get(service, "no/such/item").status_code == 404
