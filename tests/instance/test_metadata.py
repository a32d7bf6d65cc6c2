"""The metadata service: a session that is kept, renewed and regained; a notice that is not there is `None`."""

from __future__ import annotations

import socket

import pytest

from infra.lab.metadata_service import MetadataService
from instance.errors import MetadataError
from instance.metadata import RENEWED_S, Metadata
from tests.conftest import free_port
from tests.instance.doubles import GROUP, INSTANCE


def no_pause(_: float) -> None:
    pass


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_one_session_serves_many_requests_and_is_renewed_at_half_its_time() -> None:
    clock = Clock()
    with MetadataService(INSTANCE, group=GROUP) as service:
        metadata = Metadata(service.url, clock=clock)
        assert (metadata.instance_id(), metadata.group()) == (INSTANCE, GROUP)
        assert metadata.get("spot/instance-action") is None
        service.end_sessions()
        clock.now += RENEWED_S
        assert metadata.instance_id() == INSTANCE
        assert service.asked["/latest/meta-data/instance-id"] == 2, "the old session was not tried"


def test_a_session_that_ended_early_is_opened_anew() -> None:
    with MetadataService(INSTANCE) as service:
        metadata = Metadata(service.url)
        metadata.instance_id()
        service.end_sessions()
        assert metadata.instance_id() == INSTANCE
        assert service.asked["/latest/meta-data/instance-id"] == 3


def test_a_service_that_stumbles_is_asked_again_and_in_the_end_given_up() -> None:
    with MetadataService(INSTANCE) as service:
        metadata = Metadata(service.url, pause=no_pause)
        service.stumble(2)
        assert metadata.instance_id() == INSTANCE
        service.stumble(9)
        with pytest.raises(MetadataError, match="answered instance-id with 503"):
            metadata.instance_id()


def test_one_that_is_not_there_is_one_line() -> None:
    with pytest.raises(MetadataError, match=r"cannot be asked: the connection was refused$"):
        Metadata(f"http://127.0.0.1:{free_port()}", pause=no_pause).instance_id()


def test_one_that_holds_its_answer_back_is_given_up_in_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(MetadataError, match="no answer within"):
        Metadata(f"http://127.0.0.1:{silent.getsockname()[1]}", pause=no_pause).instance_id()


@pytest.mark.parametrize(("group", "allowed"), [(None, True), (GROUP, False)])
def test_without_a_group_or_without_its_tags_there_is_no_group(group: str | None, allowed: bool) -> None:
    with MetadataService(INSTANCE, group=group, tags_allowed=allowed) as service:
        assert Metadata(service.url).group() is None
