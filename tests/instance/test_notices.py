"""What the metadata service says, and which of it means that the end has come."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from infra.lab.metadata_service import MetadataService
from instance.metadata import Metadata
from instance.notices import Seen, look
from tests.instance.doubles import GROUP, INSTANCE

AT = datetime(2026, 11, 26, 8, 22, tzinfo=UTC)
IN_SERVICE = Seen(None, None, "InService")


def test_in_service_nothing_is_to_be_done() -> None:
    with MetadataService(INSTANCE, group=GROUP) as service:
        seen = look(Metadata(service.url))
    assert seen == IN_SERVICE
    assert seen.end is None and seen.remark(None) is None


@pytest.mark.parametrize("action", ["terminate", "stop", "hibernate"])
def test_a_spot_notice_of_any_kind_is_the_end(action: str) -> None:
    with MetadataService(INSTANCE, group=GROUP) as service:
        service.interrupt(action, at=AT)
        seen = look(Metadata(service.url))
    assert seen.end == f"spot interruption ({action} at 2026-11-26T08:22:00Z)"


@pytest.mark.parametrize("text", ["", "<html>", "[]", '{"action": 1}'])
def test_a_spot_notice_is_believed_whatever_it_holds(text: str) -> None:
    assert Seen(text, None, "InService").end == "spot interruption (unknown action at an unknown time)"


def test_a_group_that_terminates_the_instance_is_the_end() -> None:
    with MetadataService(INSTANCE, group=GROUP) as service:
        service.target_state = "Terminated"
        assert look(Metadata(service.url)).end == "its group terminates it"


@pytest.mark.parametrize("state", ["Detached", "Standby", "InService", None])
def test_an_instance_that_its_group_only_puts_aside_serves_on(state: str | None) -> None:
    assert Seen(None, None, state).end is None
    if state != "InService":
        assert Seen(None, None, state).remark(IN_SERVICE) == f"the group's target state is {state}, was InService"


def test_a_rebalance_recommendation_is_noted_once_and_no_reason_to_leave() -> None:
    with MetadataService(INSTANCE, group=GROUP) as service:
        service.recommend_rebalance(at=AT)
        seen = look(Metadata(service.url))
    assert seen.end is None
    remark = "rebalance recommendation of 2026-11-26T08:22:00Z: staying until the group has a replacement"
    assert seen.remark(IN_SERVICE) == seen.remark(None) == remark
    assert seen.remark(seen) is None
