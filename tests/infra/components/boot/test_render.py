"""User data, run for real in a directory of its own with stand-ins for the system's programs: from the shell's first line
to the boot program in the bundle that it verified."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from infra.bundle import find_interpreter
from infra.components.boot.render import USER_DATA_LIMIT_BYTES, Boot, render_user_data
from infra.lab.metadata_service import MetadataService
from infra.own_service import source_files
from tests.conftest import ROOT, free_port
from tests.instance.doubles import BOOT, GROUP, INSTANCE, WITH_SECRET, Aws, aws
from tests.secret_values.doubles import Told, serving

# Each stand-in notes how it was called; `aws s3 cp` copies the file that stands for the asset.
FAKES = {
    "dnf": 'exit "${DNF_EXIT:-0}"',
    "systemctl": 'exit "${SYSTEMCTL_EXIT:-0}"',
    "aws": 'if [ "$1" = s3 ]; then cp "$ASSET" "${@: -1}"; else exit "${SIGNAL_EXIT:-0}"; fi',
    # The interpreter itself: the boot program must find nothing but the bundle.
    "python3.13": f'exec {find_interpreter(f"{sys.version_info.major}.{sys.version_info.minor}")} -s -E "$@"',
}


TOLD = ["signal-resource", "put-metric-data", "complete-lifecycle-action"]


@dataclass
class Instance:
    root: Path
    asset: Path
    calls: Path
    port: int
    aws: Aws
    metadata: MetadataService

    def boot(self, boot: Boot = BOOT, **environment: str) -> subprocess.CompletedProcess[str]:
        """`boot` with this instance's port, and with its asset's digest unless it has one of its own."""
        sha256 = self.sha256 if boot.sha256 == BOOT.sha256 else boot.sha256
        return subprocess.run(
            ["bash", "-c", "umask 077\n" + render_user_data(replace(boot, port=self.port, sha256=sha256))],
            env={
                "PATH": f"{self.root}/fakes:/usr/bin:/bin",
                "CROSSOVER_ROOT": str(self.root),
                "CROSSOVER_RETRY_PAUSE_S": "0",
                "ASSET": str(self.asset),
                "CALLS": str(self.calls),
                **self.aws.environment(self.metadata),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.asset.read_bytes()).hexdigest() if self.asset.exists() else "f" * 64

    def called(self, program: str) -> list[str]:
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [line.removeprefix(f"{program} ") for line in lines if line.startswith(f"{program} ")]

    def failures(self) -> list[str]:
        """What was told of a failure, to whom."""
        return [call.split()[1] for call in self.called("aws") if not call.startswith("s3 ")]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
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
        for name, content in source_files(ROOT, "instance", "secret_values").items():
            archive.writestr(name, content)
    with aws() as cloud, MetadataService(INSTANCE, group=GROUP) as metadata, serving(lambda _: Told(200)) as service:
        port = int(service.url.rpartition(":")[2])
        yield Instance(tmp_path, asset, tmp_path / "calls", port, cloud, metadata)


def test_right_digest_is_unpacked_booted_and_reported(instance: Instance) -> None:
    done = instance.boot()
    assert done.returncode == 0, done.stderr
    directory = instance.root / "opt/crossover" / instance.sha256
    assert (directory / "instance/boot.py").read_bytes() == (ROOT / "instance/boot.py").read_bytes()
    assert sorted(path.name for path in directory.parent.iterdir()) == [instance.sha256]
    assert instance.called("dnf") == ["install --assumeyes --quiet python3.13"]
    assert instance.called("systemctl")[-1] == "enable --now crossover.service"
    unit = (instance.root / "etc/systemd/system/crossover.service").read_text()
    assert f"WorkingDirectory=/opt/crossover/{instance.sha256}\n" in unit
    for path in (instance.root / "etc/crossover/instance.json", directory, directory / "instance/agent.py"):
        assert path.stat().st_mode & 0o004, "a user of its own reads it"
    (signal,) = instance.aws.called("SignalResource")
    assert (signal["StackName"], signal["LogicalResourceId"]) == ("crossover-dev-container", "InstanceGroup")
    assert (signal["UniqueId"], signal["Status"]) == (INSTANCE, "SUCCESS")
    assert instance.failures() == []


def test_wrong_digest_is_refused_before_anything_of_it_runs(instance: Instance) -> None:
    done = instance.boot(replace(BOOT, sha256="1" * 64))
    assert done.returncode == 1
    assert f"refused: s3://assets/key.zip has SHA-256 {instance.sha256}, deployed is {'1' * 64}" in done.stderr
    assert instance.called("systemctl") == instance.called("python3.13") == []
    assert list((instance.root / "opt/crossover").iterdir()) == []
    assert instance.failures() == TOLD


def test_a_failure_is_told_to_cloudformation_the_alarm_and_last_the_group_which_ends_the_instance(instance: Instance) -> None:
    instance.boot(replace(BOOT, sha256="1" * 64))
    (signal, metric, hook) = [call for call in instance.called("aws") if not call.startswith("s3 ")]
    assert f"--status FAILURE --unique-id {INSTANCE}" in signal
    assert "--stack-name crossover-dev-container --logical-resource-id InstanceGroup" in signal
    assert "--namespace Crossover --metric-name BootFailures --unit Count --value 1" in metric
    assert f"--dimensions AutoScalingGroupName={GROUP}" in metric
    assert f"--lifecycle-hook-name boot --auto-scaling-group-name {GROUP} --instance-id {INSTANCE}" in hook
    assert "--lifecycle-action-result ABANDON" in hook


def test_without_a_group_cloudformation_alone_is_told(instance: Instance) -> None:
    unreachable = f"http://127.0.0.1:{free_port()}"
    done = instance.boot(replace(BOOT, sha256="1" * 64), AWS_EC2_METADATA_SERVICE_ENDPOINT=unreachable)
    assert done.returncode == 1
    assert instance.failures() == TOLD[:1]
    assert "no group is named in this instance's tags" in done.stderr


def test_zip_that_does_not_unpack_is_told_with_its_step(instance: Instance) -> None:
    instance.asset.write_bytes(b"not a zip")
    done = instance.boot()
    assert done.returncode == 1
    assert "-m zipfile" in done.stderr
    assert instance.called("systemctl") == []
    assert instance.failures() == TOLD


def test_missing_asset_is_tried_again_then_refused(instance: Instance) -> None:
    instance.asset.unlink()
    done = instance.boot()
    assert done.returncode == 1
    assert "s3://assets/key.zip cannot be fetched" in done.stderr
    assert len([call for call in instance.called("aws") if call.startswith("s3 cp")]) == 5
    assert instance.failures() == TOLD


def test_python_that_cannot_be_installed_is_refused(instance: Instance) -> None:
    done = instance.boot(DNF_EXIT="1")
    assert done.returncode == 1
    assert "refused: python3.13 cannot be installed" in done.stderr
    assert len(instance.called("dnf")) == 5
    assert instance.failures() == TOLD


def test_a_boot_program_that_fails_is_told(instance: Instance) -> None:
    done = instance.boot(WITH_SECRET, SYSTEMCTL_EXIT="1")
    assert done.returncode == 1
    assert "refused: systemctl daemon-reload ended with 1" in done.stderr
    assert "refused: the boot program ended with 1" in done.stderr
    assert instance.failures() == TOLD
    assert instance.aws.called("SignalResource") == []


def test_a_bundle_without_a_boot_program_is_told(instance: Instance) -> None:
    with zipfile.ZipFile(instance.asset, "w") as archive:
        archive.writestr("app/serve.py", "")
    done = instance.boot()
    assert done.returncode == 1
    assert "No module named 'instance'" in done.stderr
    assert instance.failures() == TOLD


def test_a_failure_that_nobody_waits_for_is_harmless(instance: Instance) -> None:
    done = instance.boot(replace(BOOT, sha256="1" * 64), SIGNAL_EXIT="255")
    assert done.returncode == 1
    assert "no stack update is waiting" in done.stderr
    assert instance.failures() == TOLD, "one that is not heard keeps nobody from telling the others"


def test_booting_again_after_a_failed_boot_is_no_trouble(instance: Instance) -> None:
    assert instance.boot(SYSTEMCTL_EXIT="1").returncode == 1
    assert instance.boot().returncode == 0


@pytest.mark.parametrize("boot", [BOOT, WITH_SECRET])
def test_user_data_fits_several_times_over(boot: Boot) -> None:
    assert len(render_user_data(boot).encode()) < USER_DATA_LIMIT_BYTES / 3


def test_aws_cli_is_told_of_dual_stack_endpoints_where_only_ipv6_leads_out() -> None:
    over_ipv6 = replace(BOOT, environment={**BOOT.environment, "AWS_USE_DUALSTACK_ENDPOINT": "true"})
    settings, _, program = render_user_data(over_ipv6).partition("\nexport AWS_USE_DUALSTACK_ENDPOINT=true\n")
    assert "BUNDLE_URI=" in settings
    assert "aws s3 cp" in program
    assert "DUALSTACK" not in render_user_data(BOOT)


def test_without_a_secret_there_is_no_word_of_it() -> None:
    assert "secret" not in render_user_data(BOOT).lower()
