"""What user data says is what the instance reads; anything else is one clear line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from instance.errors import InstanceError
from instance.settings import ENVIRONMENT_PATH, PATH, SERVICE_HOST, read_settings, service_host
from tests.instance.doubles import BOOT, SECRET, TARGET_GROUP, WITH_SECRET, settings_in


def test_the_instance_reads_what_the_stack_wrote(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, WITH_SECRET, cloudwatch_agent=True)
    assert (settings.sha256, settings.python, settings.port) == (BOOT.sha256, "3.13", 8123)
    assert (settings.stack, settings.resource) == ("crossover-dev-container", "InstanceGroup")
    assert (settings.boot_hook, settings.drain_hook, settings.target_group) == ("boot", "drain", TARGET_GROUP)
    assert settings.environment == (
        "CROSSOVER_LANE=container",
        f"CROSSOVER_SECRET={SECRET}",
        "CROSSOVER_SUPPLIERS_URL=https://s.example.com/it's?a=$b",
    )
    assert settings.reads_secret and settings.cloudwatch_agent
    assert not settings_in(tmp_path).reads_secret


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"port": "8000"}, "port: must be a number"),
        ({"port": True}, "port: must be a number"),
        ({"cloudwatch_agent": 1}, "cloudwatch_agent: must be true or false"),
        ({"region": None}, "region: must be text"),
        ({"colour": "red"}, "must be an object of boot_hook, cloudwatch_agent, "),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    settings_in(tmp_path)
    path = tmp_path / PATH
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InstanceError) as refused:
        read_settings(tmp_path)
    assert str(refused.value).startswith(f"{path}: {said}")


def test_a_missing_environment_is_named(tmp_path: Path) -> None:
    settings_in(tmp_path)
    (tmp_path / ENVIRONMENT_PATH).unlink()
    with pytest.raises(InstanceError, match=r"/etc/crossover/environment: cannot be read \(No such file"):
        read_settings(tmp_path)


@pytest.mark.parametrize(("text", "said"), [(None, "cannot be read (No such file"), ("{", "is not JSON")])
def test_a_file_that_is_none_is_one_line(tmp_path: Path, text: str | None, said: str) -> None:
    (tmp_path / "etc/crossover").mkdir(parents=True)
    if text is not None:
        (tmp_path / PATH).write_text(text)
    with pytest.raises(InstanceError) as refused:
        read_settings(tmp_path)
    assert said in str(refused.value)


def test_the_service_is_asked_on_loopback_unless_told_where() -> None:
    assert service_host({}) == service_host({SERVICE_HOST: ""}) == "127.0.0.1"
    assert service_host({SERVICE_HOST: "127.9.1.2"}) == "127.9.1.2"
