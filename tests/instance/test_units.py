"""The systemd units: accepted, sandboxed, and with times that fit into each other."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.serving import supervisor, worker
from infra.components.boot.render import Boot
from instance.cloud import LIMIT_S
from instance.departure import GONE_BY_S
from instance.units import DRAIN_FILE, LAME_DUCK_S, SECRETS_PATH, STOP_TIMEOUT_S, render_units
from tests.conftest import require_program
from tests.instance.doubles import BOOT, WITH_SECRET, settings_in

LEAKS_S = 17
"""How long a load balancer may go on sending (kubernetes-sigs/aws-load-balancer-controller, issue 2366)."""


def units(tmp_path: Path, boot: Boot = BOOT) -> dict[str, str]:
    return render_units(settings_in(tmp_path, boot))


def test_a_drain_ends_in_time_and_nothing_is_killed_that_ends_by_itself(tmp_path: Path) -> None:
    assert LAME_DUCK_S > 2 * LEAKS_S
    assert LAME_DUCK_S > 3 * 10 + 5, "the health check's way to find an instance unready: docs/instances.md"
    drained = LAME_DUCK_S + worker.MOVE_ON_S + worker.GRACEFUL_STOP_S
    assert drained < LAME_DUCK_S + supervisor.STOP_LIMIT_S < STOP_TIMEOUT_S
    assert STOP_TIMEOUT_S + 2 * LIMIT_S < GONE_BY_S, "deregistering may take its time before"
    unit = units(tmp_path)["crossover.service"]
    assert f"TimeoutStopSec={STOP_TIMEOUT_S}\n" in unit
    assert f"--lame-duck-s {LAME_DUCK_S}\n" in unit
    assert "KillMode=control-group\n" in unit


def test_each_unit_runs_from_the_bundle_that_was_verified(tmp_path: Path) -> None:
    rendered = units(tmp_path, WITH_SECRET)
    programs = {"crossover.service": "app.serve", "crossover-agent.service": "instance.agent"}
    for name, program in {**programs, "crossover-secrets.service": "secret_values"}.items():
        assert f"WorkingDirectory=/opt/crossover/{BOOT.sha256}\n" in rendered[name]
        assert f"ExecStart=/usr/bin/python3.13 -m {program}" in rendered[name]
    serves = rendered["crossover.service"]
    assert "-m app.serve --host 0.0.0.0 --port 8123 --workers ${CROSSOVER_WORKERS} " in serves


def test_the_service_needs_the_secrets_unit_only_where_there_is_a_secret(tmp_path: Path) -> None:
    assert "secret" not in " ".join(units(tmp_path).values())
    rendered = units(tmp_path, WITH_SECRET)
    assert "Requires=crossover-secrets.service\nAfter=crossover-secrets.service\n" in rendered["crossover.service"]
    assert f"-m secret_values --write {SECRETS_PATH}\n" in rendered["crossover-secrets.service"]
    assert "Environment=AWS_REGION=eu-west-1\n" in rendered["crossover-secrets.service"]


def test_what_the_environment_sets_is_read_last_and_so_wins(tmp_path: Path) -> None:
    unit = units(tmp_path, WITH_SECRET)["crossover.service"]
    files = [line for line in unit.splitlines() if line.startswith("EnvironmentFile=")]
    assert files == [f"EnvironmentFile={SECRETS_PATH}", "EnvironmentFile=/etc/crossover/environment"]


def test_the_service_alone_is_kept_from_the_instances_credentials(tmp_path: Path) -> None:
    denies = [name for name, text in units(tmp_path, WITH_SECRET).items() if "IPAddressDeny=169.254.169.254" in text]
    assert denies == ["crossover.service"]


def test_the_agent_is_told_of_dual_stack_endpoints_where_only_ipv6_leads_out(tmp_path: Path) -> None:
    over_ipv6 = replace(BOOT, environment={**BOOT.environment, "AWS_USE_DUALSTACK_ENDPOINT": "true"})
    line = "\nEnvironment=AWS_USE_DUALSTACK_ENDPOINT=true\n"
    assert line in units(tmp_path, over_ipv6)["crossover-agent.service"]
    assert "DUALSTACK" not in " ".join(units(tmp_path).values())


def test_the_agents_word_stops_the_service_once(tmp_path: Path) -> None:
    rendered = units(tmp_path)
    assert f"PathExists={DRAIN_FILE}\n" in rendered["crossover-drain.path"]
    assert "ExecStart=/usr/bin/systemctl stop --no-block crossover.service\n" in rendered["crossover-drain.service"]
    assert "RemainAfterExit=yes\n" in rendered["crossover-drain.service"]
    assert f"RuntimeDirectory={Path(DRAIN_FILE).parent.name}\n" in rendered["crossover-agent.service"]
    assert "RuntimeDirectoryPreserve=yes\n" in rendered["crossover-agent.service"], "it outlives the agent"


@pytest.mark.parametrize("boot", [BOOT, WITH_SECRET])
def test_systemd_accepts_the_units_and_calls_them_well_sandboxed(boot: Boot, tmp_path: Path) -> None:
    analyze = require_program("systemd-analyze")
    for name, text in units(tmp_path, boot).items():
        here = text.replace("/usr/bin/python3.13", sys.executable).replace(f"/opt/crossover/{BOOT.sha256}", str(tmp_path))
        (tmp_path / name).write_text(here)
    environment = {**os.environ, "SYSTEMD_LOG_LEVEL": "warning"}
    paths = sorted(str(path) for path in tmp_path.glob("crossover*"))
    assert len(paths) >= 4
    verified = subprocess.run([analyze, "verify", "--man=no", *paths], capture_output=True, text=True, env=environment)
    assert [line for line in verified.stderr.splitlines() if "crossover" in line] == []
    for path in paths:
        if path.endswith(".path"):
            continue
        # Exposure runs from 0 (safe) to 100; a unit without sandboxing has 96.
        rated = subprocess.run(
            [analyze, "security", "--offline=yes", "--threshold=25", "--no-pager", path],
            capture_output=True,
            text=True,
            env=environment,
        )
        assert rated.returncode == 0, rated.stdout[-500:]
