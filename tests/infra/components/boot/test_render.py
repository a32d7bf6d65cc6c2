"""The instances' boot program, run for real in a directory of its own with stand-ins for the system's programs."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from app.serving import supervisor, worker
from infra.components.boot.render import (
    SECRETS_PATH,
    STOP_TIMEOUT_S,
    USER_DATA_LIMIT_BYTES,
    Boot,
    render_secrets_unit,
    render_unit,
    render_user_data,
)
from tests.conftest import require_program

BOOT = Boot(
    bundle_uri="s3://assets/key.zip",
    sha256="0" * 64,
    python="3.13",
    region="eu-west-1",
    stack="crossover-dev-container",
    group="InstanceGroup",
    port=8123,
    workers_per_vcpu=2,
    environment={"CROSSOVER_LANE": "container", "CROSSOVER_SUPPLIERS_URL": "https://s.example.com/it's?a=$b"},
)
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/suppliers-AbCdEf"
WITH_SECRET = replace(BOOT, environment={**BOOT.environment, "CROSSOVER_SECRET": SECRET})
INSTANCE = "i-0123456789abcdef0"
# Each stand-in notes how it was called; `aws s3 cp` copies the file that stands for the asset.
FAKES = {
    "dnf": 'exit "${DNF_EXIT:-0}"',
    "systemctl": 'exit "${SYSTEMCTL_EXIT:-0}"',
    "nproc": "echo 4",
    "curl": 'exit "${CURL_EXIT:-0}"',
    "aws": 'if [ "$1" = s3 ]; then cp "$ASSET" "${@: -1}"; else exit "${SIGNAL_EXIT:-0}"; fi',
    "python3.13": f'exec {sys.executable} "$@"',
}


@dataclass
class Instance:
    root: Path
    asset: Path
    calls: Path

    def boot(self, boot: Boot, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", render_user_data(boot)],
            env={
                "PATH": f"{self.root}/fakes:/usr/bin:/bin",
                "CROSSOVER_ROOT": str(self.root),
                "CROSSOVER_RETRY_PAUSE_S": "0",
                "ASSET": str(self.asset),
                "CALLS": str(self.calls),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.asset.read_bytes()).hexdigest()

    def called(self, program: str) -> list[str]:
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [line.removeprefix(f"{program} ") for line in lines if line.startswith(f"{program} ")]


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    (tmp_path / "fakes").mkdir()
    for name, body in FAKES.items():
        fake = tmp_path / "fakes" / name
        fake.write_text(f'#!/bin/bash\necho "{name} $*" >> "$CALLS"\n{body}\n')
        fake.chmod(0o755)
    identity = tmp_path / "var/lib/cloud/data/instance-id"
    identity.parent.mkdir(parents=True)
    identity.write_text(f"{INSTANCE}\n")
    asset = tmp_path / "asset.zip"
    with zipfile.ZipFile(asset, "w") as archive:
        archive.writestr("app/serve.py", "print('serving')\n")
    return Instance(tmp_path, asset, tmp_path / "calls")


def signals(instance: Instance) -> list[str]:
    return [call.partition("--status ")[2].split()[0] for call in instance.called("aws") if "signal-resource" in call]


def test_right_digest_is_unpacked_started_and_reported(instance: Instance) -> None:
    done = instance.boot(replace(BOOT, sha256=instance.sha256))
    assert done.returncode == 0, done.stderr
    directory = instance.root / "opt/crossover" / instance.sha256
    assert (directory / "app/serve.py").read_text() == "print('serving')\n"
    assert sorted(path.name for path in directory.parent.iterdir()) == [instance.sha256]
    assert instance.called("dnf") == ["install --assumeyes --quiet python3.13"]
    assert instance.called("systemctl") == ["daemon-reload", "enable --now crossover.service"]
    assert instance.called("curl")[0].endswith("http://127.0.0.1:8123/readyz")
    assert signals(instance) == ["SUCCESS"]
    assert f"--unique-id {INSTANCE}" in instance.called("aws")[-1]
    assert "--stack-name crossover-dev-container --logical-resource-id InstanceGroup" in instance.called("aws")[-1]


def test_wrong_digest_is_refused_before_anything_starts(instance: Instance) -> None:
    done = instance.boot(BOOT)
    assert done.returncode == 1
    assert f"refused: s3://assets/key.zip has SHA-256 {instance.sha256}, deployed is {BOOT.sha256}" in done.stderr
    assert instance.called("systemctl") == []
    assert list((instance.root / "opt/crossover").iterdir()) == []
    assert signals(instance) == ["FAILURE"]


def test_truncated_download_is_refused(instance: Instance) -> None:
    whole = instance.sha256
    instance.asset.write_bytes(instance.asset.read_bytes()[:-10])
    assert instance.boot(replace(BOOT, sha256=whole)).returncode == 1
    assert signals(instance) == ["FAILURE"]


def test_zip_that_does_not_unpack_is_told_with_its_step(instance: Instance) -> None:
    instance.asset.write_bytes(b"not a zip")
    done = instance.boot(replace(BOOT, sha256=instance.sha256))
    assert done.returncode == 1
    assert "-m zipfile" in done.stderr
    assert instance.called("systemctl") == []
    assert signals(instance) == ["FAILURE"]


def test_missing_asset_is_tried_again_then_refused(instance: Instance) -> None:
    instance.asset.unlink()
    done = instance.boot(BOOT)
    assert done.returncode == 1
    assert "s3://assets/key.zip cannot be fetched" in done.stderr
    assert len([call for call in instance.called("aws") if call.startswith("s3 cp")]) == 5


def test_python_that_cannot_be_installed_is_refused(instance: Instance) -> None:
    done = instance.boot(replace(BOOT, sha256=instance.sha256), DNF_EXIT="1")
    assert done.returncode == 1
    assert "python3.13 cannot be installed" in done.stderr
    assert signals(instance) == ["FAILURE"]


def test_service_that_never_gets_ready_is_told(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.components.boot.render.READY_TIMEOUT_S", 1)
    done = instance.boot(replace(BOOT, sha256=instance.sha256), CURL_EXIT="7")
    assert done.returncode == 1
    assert "not ready within 1 s" in done.stderr
    assert signals(instance) == ["FAILURE"]


def test_instance_launched_by_scaling_serves_though_nobody_waits_for_its_signal(instance: Instance) -> None:
    done = instance.boot(replace(BOOT, sha256=instance.sha256), SIGNAL_EXIT="255")
    assert done.returncode == 0
    assert "no stack update is waiting" in done.stderr


def test_service_gets_the_environment_as_given_and_a_worker_per_cpu_times_the_setting(instance: Instance) -> None:
    instance.boot(replace(BOOT, sha256=instance.sha256))
    assert (instance.root / "etc/crossover/environment").read_text().splitlines() == [
        "CROSSOVER_LANE=container",
        "CROSSOVER_SUPPLIERS_URL=https://s.example.com/it's?a=$b",
        "CROSSOVER_WORKERS=8",
    ]


def test_unit_runs_the_bundle_it_verified(instance: Instance) -> None:
    boot = replace(BOOT, sha256=instance.sha256)
    instance.boot(boot)
    unit = (instance.root / "etc/systemd/system/crossover.service").read_text()
    assert unit.strip() == render_unit(boot).strip()
    assert f"WorkingDirectory=/opt/crossover/{instance.sha256}\n" in unit
    assert "ExecStart=/usr/bin/python3.13 -m app.serve --host 0.0.0.0 --port 8123 --workers ${CROSSOVER_WORKERS}\n" in unit


def test_systemd_kills_only_after_the_service_had_its_graceful_stop() -> None:
    assert worker.MOVE_ON_S + worker.GRACEFUL_STOP_S < supervisor.STOP_LIMIT_S < STOP_TIMEOUT_S
    assert f"TimeoutStopSec={STOP_TIMEOUT_S}\n" in render_unit(BOOT)


def test_without_a_secret_there_is_one_unit(instance: Instance) -> None:
    instance.boot(replace(BOOT, sha256=instance.sha256))
    assert [path.name for path in (instance.root / "etc/systemd/system").iterdir()] == ["crossover.service"]
    assert "secret" not in render_user_data(BOOT).lower()


def test_with_a_secret_a_unit_of_its_own_reads_it_before_the_service_starts(instance: Instance) -> None:
    boot = replace(WITH_SECRET, sha256=instance.sha256)
    done = instance.boot(boot)
    assert done.returncode == 0, done.stderr
    reads = (instance.root / "etc/systemd/system/crossover-secrets.service").read_text()
    assert reads.strip() == render_secrets_unit(boot).strip()
    assert f"WorkingDirectory=/opt/crossover/{instance.sha256}\n" in reads
    assert f"ExecStart=/usr/bin/python3.13 -m secret_values --write {SECRETS_PATH}\n" in reads
    assert "Environment=AWS_REGION=eu-west-1\n" in reads
    serves = (instance.root / "etc/systemd/system/crossover.service").read_text()
    assert "Requires=crossover-secrets.service\nAfter=crossover-secrets.service\n" in serves
    assert f"CROSSOVER_SECRET={SECRET}\n" in (instance.root / "etc/crossover/environment").read_text()
    assert instance.called("systemctl") == ["daemon-reload", "enable --now crossover.service"]


def test_what_the_environment_sets_is_read_last_and_so_wins() -> None:
    files = [line for line in render_unit(WITH_SECRET).splitlines() if line.startswith("EnvironmentFile=")]
    assert files == [f"EnvironmentFile={SECRETS_PATH}", "EnvironmentFile=/etc/crossover/environment"]


def test_only_the_unit_that_reads_the_secret_reaches_the_instances_credentials() -> None:
    assert "IPAddressDeny=169.254.169.254" in render_unit(WITH_SECRET)
    assert "IPAddressDeny" not in render_secrets_unit(WITH_SECRET)


def test_a_service_that_systemd_does_not_start_is_told(instance: Instance) -> None:
    done = instance.boot(replace(WITH_SECRET, sha256=instance.sha256), SYSTEMCTL_EXIT="1")
    assert done.returncode == 1
    assert signals(instance) == ["FAILURE"]


@pytest.mark.parametrize("boot", [BOOT, WITH_SECRET])
def test_user_data_fits(boot: Boot) -> None:
    assert len(render_user_data(boot).encode()) < USER_DATA_LIMIT_BYTES - 2_000  # room for names CDK puts in


@pytest.mark.parametrize("boot", [BOOT, WITH_SECRET])
def test_systemd_accepts_the_units_and_calls_them_well_sandboxed(boot: Boot, tmp_path: Path) -> None:
    analyze = require_program("systemd-analyze")
    units = {"crossover.service": render_unit(boot)}
    if boot.reads_secret:
        units["crossover-secrets.service"] = render_secrets_unit(boot)
    for name, text in units.items():
        here = text.replace("/usr/bin/python3.13", sys.executable).replace(f"/opt/crossover/{BOOT.sha256}", str(tmp_path))
        (tmp_path / name).write_text(here)
    environment = {**os.environ, "SYSTEMD_LOG_LEVEL": "warning"}
    paths = [str(tmp_path / name) for name in units]
    verified = subprocess.run([analyze, "verify", "--man=no", *paths], capture_output=True, text=True, env=environment)
    assert [line for line in verified.stderr.splitlines() if "crossover" in line] == []
    for path in paths:
        # Exposure runs from 0 (safe) to 100; a unit without sandboxing has 96.
        rated = subprocess.run(
            [analyze, "security", "--offline=yes", "--threshold=25", "--no-pager", path],
            capture_output=True,
            text=True,
            env=environment,
        )
        assert rated.returncode == 0, rated.stdout[-500:]


def test_aws_cli_is_told_of_dual_stack_endpoints_where_only_ipv6_leads_out() -> None:
    over_ipv6 = replace(BOOT, environment={**BOOT.environment, "AWS_USE_DUALSTACK_ENDPOINT": "true"})
    settings, _, program = render_user_data(over_ipv6).partition("\nexport AWS_USE_DUALSTACK_ENDPOINT=true\n")
    assert "BUNDLE_URI=" in settings
    assert "aws s3 cp" in program
    assert "DUALSTACK" not in render_user_data(BOOT)
