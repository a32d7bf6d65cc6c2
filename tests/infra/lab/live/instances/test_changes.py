"""What the lab changes of the units: the address and the times, by its speed; everything else is as deployed."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.lab.lab_time import LabTime
from infra.lab.live.instances.changes import Changes
from infra.lab.live.instances.unit_file import Unit, read_unit
from instance.units import AGENT, LAME_DUCK_S, SECRETS, SERVICE, STOP_TIMEOUT_S, render_units
from tests.instance.doubles import WITH_SECRET, settings_in


def changes(speed: float) -> Changes:
    made = Changes(Path("/root-of-it"), "127.9.1.2", LabTime(speed), "http://localhost:1", {"A": "lab", "B": None})
    made.metadata_url = "http://127.9.1.2:3"
    return made


@pytest.fixture
def units(tmp_path: Path) -> dict[str, Unit]:
    for name, text in render_units(settings_in(tmp_path, WITH_SECRET)).items():
        (tmp_path / name).write_text(text)
    return {file.name: read_unit(file) for file in tmp_path.iterdir() if file.is_file()}


def argument(unit: Unit, name: str) -> str:
    return unit.command[unit.command.index(name) + 1]


@pytest.mark.parametrize(("speed", "lame_duck_s"), [(1, 45), (15, 3), (20, 3), (100, 1)])
def test_a_drain_is_as_much_shorter_as_whole_seconds_allow_and_its_end_is_not(
    units: dict[str, Unit], speed: float, lame_duck_s: int
) -> None:
    service = changes(speed).of_unit(units[SERVICE])
    assert argument(service, "--host") == "127.9.1.2"
    assert argument(service, "--lame-duck-s") == str(lame_duck_s)
    assert service.stop_s - lame_duck_s == STOP_TIMEOUT_S - LAME_DUCK_S


@pytest.mark.parametrize(
    ("speed", "look", "publish", "gone_by"), [(1, "2", "60", "100"), (4, "0.5", "15", "25"), (100, "0.5", "1", "10")]
)
def test_the_agent_looks_and_tells_in_lab_time_but_not_without_pause(
    units: dict[str, Unit], speed: float, look: str, publish: str, gone_by: str
) -> None:
    agent = changes(speed).of_unit(units[AGENT])
    assert [argument(agent, name) for name in ("--look-s", "--publish-s", "--gone-by-s")] == [look, publish, gone_by]


def test_the_labs_settings_are_the_services_and_where_aws_is_is_the_agents(units: dict[str, Unit]) -> None:
    service, agent, secrets = (changes(1).for_unit(name) for name in (SERVICE, AGENT, SECRETS))
    assert (service["A"], service["B"], service["FORWARDED_ALLOW_IPS"]) == ("lab", None, "127.0.0.0/8")
    assert not any(name.startswith("AWS_") for name in service)
    assert agent == secrets
    assert agent["AWS_EC2_METADATA_SERVICE_ENDPOINT"] == "http://127.9.1.2:3"
    assert changes(1).of_unit(units[SECRETS]) == units[SECRETS]
