"""The instance's own units are understood, and what of systemd is not known is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.errors import KitError
from infra.lab.live.instances.unit_file import put_in, read_environment_file, read_unit
from instance.units import AGENT, DRAIN, DRAIN_FILE, DRAIN_PATH, SECRETS, SERVICE, STOP_TIMEOUT_S, render_units
from secret_values.environment_file import render
from tests.instance.doubles import WITH_SECRET, settings_in
from tests.secret_values.test_environment_file import AWKWARD


def test_the_instances_units_say_what_runs_and_how(tmp_path: Path) -> None:
    for name, text in render_units(settings_in(tmp_path, WITH_SECRET)).items():
        (tmp_path / name).write_text(text)
    units = {name: read_unit(tmp_path / name) for name in (SERVICE, AGENT, SECRETS, DRAIN_PATH, DRAIN)}
    service = units[SERVICE]
    assert service.command[:3] == ("/usr/bin/python3.13", "-m", "app.serve")
    assert service.command[service.command.index("--workers") + 1] == "${CROSSOVER_WORKERS}"
    assert (service.restart_s, service.final_codes, service.stop_s) == (1, frozenset({2}), STOP_TIMEOUT_S)
    assert service.environment_files == ("/run/crossover/secrets", "/etc/crossover/environment")
    assert service.requires == (SECRETS,)
    assert (units[AGENT].restart_s, units[AGENT].runtime_directories) == (2, ("crossover-agent",))
    assert (units[SECRETS].oneshot, units[SECRETS].restart_s) == (True, None)
    assert units[DRAIN_PATH].path == DRAIN_FILE
    assert units[DRAIN].command == ("/usr/bin/systemctl", "stop", "--no-block", "crossover.service")


@pytest.mark.parametrize("line", ["Type=notify", "Restart=on-failure", "KillMode=process"])
def test_what_would_be_done_otherwise_here_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "odd.service"
    file.write_text(f"[Service]\nExecStart=/usr/bin/true\n{line}\n")
    with pytest.raises(KitError, match=f"^odd.service: {line} is not known to the lab, only "):
        read_unit(file)


def test_a_variable_is_put_in_and_one_that_is_not_set_leaves_nothing() -> None:
    assert put_in("--workers=${A}${B}", {"A": "2"}) == "--workers=2"


@pytest.mark.parametrize("name", AWKWARD)
def test_a_secrets_values_are_read_to_the_letter(name: str) -> None:
    assert read_environment_file(render({"BEFORE": "1", name: AWKWARD[name], "AFTER": "2"})) == {
        "BEFORE": "1",
        name: AWKWARD[name],
        "AFTER": "2",
    }


def test_an_environment_file_keeps_values_as_they_are() -> None:
    text = "# a remark\nURL=https://s.example.com/it's?a=$b\n\nEMPTY=\n"
    assert read_environment_file(text) == {"URL": "https://s.example.com/it's?a=$b", "EMPTY": ""}
