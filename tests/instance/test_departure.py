"""Leaving, turn by turn: what happens at once, what waits for what, and that nothing which fails stops the rest."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from instance.departure import GONE_BY_S, Departure, Place
from instance.errors import CloudError, NothingWaits
from instance.service import is_listening
from tests.conftest import free_port
from tests.instance.doubles import GROUP, INSTANCE, TARGET_GROUP

PLACE = Place(INSTANCE, GROUP, TARGET_GROUP, "drain", 8000)


class Cloud:
    """`failing` holds what each method raises."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.failing: dict[str, CloudError] = {}

    def deregister(self, target_group: str, instance: str) -> None:
        self._called("deregister", target_group, instance)

    def complete(self, hook: str, *, group: str, instance: str, result: str) -> None:
        self._called("complete", hook, group, instance, result)

    def _called(self, *call: str) -> None:
        self.calls.append(call)
        if call[0] in self.failing:
            raise self.failing[call[0]]


class Machine:
    def __init__(self, folder: Path, place: Place = PLACE) -> None:
        self.file = folder / "drain"
        self.place = place
        self.cloud = Cloud()
        self.now = 1_000.0
        self.serves = True
        self.departure = self.agent()

    def agent(self) -> Departure:
        """An agent that has just been started."""
        return Departure(self.file, self.place, self.cloud, clock=lambda: self.now, answers=lambda _: self.serves)

    def turn(self, after_s: float = 2.0, state: str | None = "Terminated") -> None:
        self.now += after_s
        self.departure.turn(state)

    def called(self) -> list[str]:
        return [call[0] for call in self.cloud.calls]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.departure.begin("test")
    return machine


def test_the_first_turn_deregisters_and_tells_the_service(machine: Machine) -> None:
    machine.turn(0)
    assert machine.cloud.calls == [("deregister", TARGET_GROUP, INSTANCE)]
    assert json.loads(machine.file.read_text()) == {"began": 1_000.0}


def test_the_group_goes_on_when_the_service_has_gone(machine: Machine) -> None:
    for _ in range(10):
        machine.turn()
    assert machine.called() == ["deregister"]
    machine.serves = False
    for _ in range(3):
        machine.turn()
    assert machine.cloud.calls[1:] == [("complete", "drain", GROUP, INSTANCE, "CONTINUE")], "once"


def test_a_service_that_does_not_end_is_given_up(machine: Machine) -> None:
    machine.turn(0)
    machine.turn(GONE_BY_S - 1)
    assert machine.called() == ["deregister"]
    machine.turn(1)
    assert machine.called() == ["deregister", "complete"]


def test_a_lab_whose_time_passes_faster_gives_up_sooner(tmp_path: Path) -> None:
    cloud, passed = Cloud(), [0.0]
    departure = Departure(tmp_path / "drain", PLACE, cloud, clock=lambda: passed[-1], answers=lambda _: True, gone_by_s=5)
    departure.begin("test")
    for moment in (0.0, 4.0, 5.0):
        passed.append(moment)
        departure.turn("Terminated")
    assert [call[0] for call in cloud.calls] == ["deregister", "complete"]


def test_without_the_load_balancers_api_the_service_drains_all_the_same(machine: Machine) -> None:
    machine.cloud.failing["deregister"] = CloudError("away")
    machine.turn(0)
    assert machine.file.exists()
    machine.turn()
    del machine.cloud.failing["deregister"]
    machine.turn()
    machine.turn()
    assert machine.called() == ["deregister"] * 3, "until it is done"


def test_a_hook_that_does_not_wait_yet_is_completed_when_it_does(machine: Machine) -> None:
    """As after a spot notice, which the group hears of later than the instance."""
    machine.serves = False
    machine.cloud.failing["complete"] = NothingWaits("not yet")
    for _ in range(3):
        machine.turn(state="InService")
    assert machine.called() == ["deregister"]
    machine.turn()
    del machine.cloud.failing["complete"]
    machine.turn()
    machine.turn()
    assert machine.called() == ["deregister", "complete", "complete"]


def test_a_group_that_cannot_be_told_is_told_later(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    machine.serves = False
    machine.cloud.failing["complete"] = CloudError("away")
    for _ in range(4):
        machine.turn()
    del machine.cloud.failing["complete"]
    machine.turn()
    machine.turn()
    assert machine.called().count("complete") == 4
    assert caplog.text.count("the group is not told: away") == 1


def test_an_agent_that_dies_is_followed_by_one_that_goes_on(machine: Machine) -> None:
    machine.turn(0)
    machine.now += 60
    machine.departure = machine.agent()
    machine.departure.resume()
    assert machine.departure.begun
    machine.turn(GONE_BY_S - 60)
    assert machine.called() == ["deregister", "deregister", "complete"], "counted from the first agent's T+0"


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"began": null}'])
def test_a_torn_file_still_means_that_the_service_drains(machine: Machine, text: str) -> None:
    machine.file.write_text(text)
    machine.departure = machine.agent()
    machine.departure.resume()
    assert machine.departure.begun


def test_nothing_begun_is_nothing_to_resume(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.departure.resume()
    assert not machine.departure.begun


def test_a_file_that_cannot_be_written_is_told_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine(tmp_path / "not-there")
    machine.departure.begin("test")
    machine.turn(0)
    machine.turn()
    assert caplog.text.count("the service cannot be told to drain") == 1
    (tmp_path / "not-there").mkdir()
    machine.turn()
    assert machine.file.exists()


def test_outside_a_group_nobody_is_told(tmp_path: Path) -> None:
    machine = Machine(tmp_path, PLACE._replace(group=None))
    machine.departure.begin("test")
    machine.serves = False
    for _ in range(3):
        machine.turn()
    assert machine.called() == ["deregister"]


def test_a_port_is_listened_on_until_its_socket_is_closed() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        assert is_listening(port)
        assert not is_listening(port, "127.0.0.2"), "another instance's"
    assert not is_listening(port)
