"""The boot program's steps in a folder of its own, against doubles of the group, CloudFormation and the metadata service."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from infra.components.boot.render import Boot as Deployed
from infra.lab.metadata_service import MetadataService
from instance.boot import WAITS, Boot, boot, run_program
from instance.cloud import Cloud
from instance.errors import CloudError, InstanceError
from instance.metadata import Metadata
from tests.conftest import free_port
from tests.instance.doubles import BOOT, GROUP, INSTANCE, NO_ACTION, REGION, WITH_SECRET, Aws, aws, settings_in
from tests.secret_values.doubles import Asked, Told, serving

READY = ["systemctl daemon-reload", "systemctl enable --now --no-block crossover-drain.path crossover-agent.service"]


class Instance:
    def __init__(self, root: Path, cloud: Aws, metadata: MetadataService) -> None:
        self.root = root
        self.cloud = cloud
        self.metadata = metadata
        self.commands: list[str] = []
        self.failing = "is-failed"
        self.readiness: Callable[[Asked], Told] = lambda _: Told(200)

    def run(self, command: Sequence[str]) -> None:
        self.commands.append(" ".join(command))
        if self.failing in self.commands[-1]:
            raise InstanceError(f"{self.commands[-1]} ended with 1")

    def boot(self, deployed: Deployed = BOOT, **changes: Any) -> None:
        with serving(self.readiness) as service:
            port = int(service.url.rpartition(":")[2])
            settings = settings_in(self.root, deployed, **{"port": port, **changes})
            metadata, cloud = Metadata(self.metadata.url), Cloud(REGION, self.cloud.environment(), pause=lambda _: None)
            program = Boot(settings, self.root, metadata, cloud, self.run, pause=lambda _: None)
            boot(program, cpus=4, ready_timeout_s=1)

    def told_group(self) -> list[str]:
        return [call["LifecycleActionResult"] for call in self.cloud.called("CompleteLifecycleAction")]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    with aws() as cloud, MetadataService(INSTANCE, group=GROUP) as metadata:
        yield Instance(tmp_path, cloud, metadata)


def test_it_serves_then_tells_the_group_then_cloudformation(instance: Instance) -> None:
    instance.boot()
    assert instance.commands == [*READY, "systemctl enable --now crossover.service"]
    assert [call.action for call in instance.cloud.calls] == ["CompleteLifecycleAction", "SignalResource"]
    (completed,) = instance.cloud.called("CompleteLifecycleAction")
    assert (completed["LifecycleHookName"], completed["LifecycleActionResult"]) == ("boot", "CONTINUE")
    assert (completed["AutoScalingGroupName"], completed["InstanceId"]) == (GROUP, INSTANCE)


def test_the_service_gets_the_environment_as_given_and_a_worker_per_cpu_times_the_setting(instance: Instance) -> None:
    instance.boot(workers_per_vcpu=2)
    assert (instance.root / "etc/crossover/environment").read_text().splitlines() == [
        "CROSSOVER_LANE=container",
        "CROSSOVER_SUPPLIERS_URL=https://s.example.com/it's?a=$b",
        "CROSSOVER_WORKERS=8",
    ]


def test_the_secret_has_a_unit_where_there_is_one(instance: Instance) -> None:
    names = {"crossover.service", "crossover-agent.service", "crossover-drain.path", "crossover-drain.service"}
    instance.boot()
    assert {path.name for path in (instance.root / "etc/systemd/system").iterdir()} == names
    instance.boot(WITH_SECRET)
    assert {path.name for path in (instance.root / "etc/systemd/system").iterdir()} == {*names, "crossover-secrets.service"}


def test_the_group_is_told_nothing_before_the_service_is_ready(instance: Instance) -> None:
    asked = 0

    def readiness(asks: Asked) -> Told:
        nonlocal asked
        asked += 1
        assert asks.path == "/readyz"
        assert instance.cloud.calls == []
        return Told(200 if asked == 4 else 503)

    instance.readiness = readiness
    instance.boot()
    assert asked == 4
    assert instance.told_group() == ["CONTINUE"]


@pytest.mark.parametrize("failing", ["daemon-reload", "enable --now crossover.service"])
def test_what_systemd_refuses_ends_the_boot(instance: Instance, failing: str) -> None:
    instance.failing = failing
    with pytest.raises(InstanceError, match=f"{failing} ended with 1"):
        instance.boot()
    assert instance.cloud.calls == [], "telling of it is user data's, when this program has ended"


def test_a_service_that_never_gets_ready_ends_the_boot(instance: Instance) -> None:
    instance.readiness = lambda _: Told(503)
    with pytest.raises(InstanceError, match="was not ready within 1 s; journalctl -u crossover says why"):
        instance.boot()
    assert instance.cloud.calls == []


def test_a_service_that_refuses_its_settings_is_not_waited_for(instance: Instance) -> None:
    instance.readiness = lambda _: Told(503)
    instance.failing = "(nothing: systemd says that it has failed)"
    with pytest.raises(InstanceError, match="refuses its settings; journalctl -u crossover says which"):
        instance.boot()
    assert instance.commands.count("systemctl is-failed --quiet crossover.service") == 1
    assert instance.cloud.calls == []


def test_a_service_that_does_not_listen_is_waited_for(instance: Instance) -> None:
    with pytest.raises(InstanceError, match="not ready"):
        instance.boot(port=free_port())


def test_an_instance_launched_by_scaling_serves_though_cloudformation_waits_for_no_signal(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    instance.cloud.refusals["SignalResource"] = ("ValidationError", "Stack is in UPDATE_COMPLETE state")
    instance.boot()
    assert "no stack update is waiting for this instance" in caplog.text


def test_a_group_without_the_hook_is_looked_at_for_a_while_and_no_more(instance: Instance) -> None:
    instance.cloud.refusals["CompleteLifecycleAction"] = NO_ACTION
    instance.boot()
    assert len(instance.told_group()) == WAITS
    assert len(instance.cloud.called("SignalResource")) == 1


def test_a_group_that_cannot_be_told_is_no_success(instance: Instance) -> None:
    """It would never send it a request: the hook ends with the group's own default."""
    instance.cloud.refusals["CompleteLifecycleAction"] = ("AccessDenied", "no")
    with pytest.raises(CloudError, match="AccessDenied"):
        instance.boot()
    assert instance.cloud.called("SignalResource") == []


def test_outside_a_group_it_serves(tmp_path: Path) -> None:
    with aws() as cloud, MetadataService(INSTANCE) as metadata:
        instance = Instance(tmp_path, cloud, metadata)
        instance.boot(cloudwatch_agent=True)
        assert [call.action for call in cloud.calls] == ["SignalResource"]


def test_cloudwatchs_agent_comes_last_and_only_where_it_is_wanted(instance: Instance) -> None:
    instance.boot(cloudwatch_agent=True)
    path = instance.root / "etc/crossover/cloudwatch-agent.json"
    assert instance.commands[3:] == [
        "dnf install --assumeyes --quiet amazon-cloudwatch-agent",
        f"/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c file:{path}",
    ]
    metrics = json.loads(path.read_text())["metrics"]
    assert metrics["namespace"] == "Crossover"
    for kind in ("mem", "disk"):
        assert metrics["metrics_collected"][kind]["append_dimensions"] == {"AutoScalingGroupName": GROUP}


def test_cloudwatchs_agent_is_never_worth_a_failed_boot(instance: Instance, caplog: pytest.LogCaptureFixture) -> None:
    instance.failing = "amazon-cloudwatch-agent"
    instance.boot(cloudwatch_agent=True)
    assert "no memory and disk metrics" in caplog.text
    assert len(instance.cloud.called("SignalResource")) == 1


def test_a_program_that_fails_is_told_with_its_last_line() -> None:
    run_program(["true"])
    with pytest.raises(InstanceError, match=r"^bash -c .* ended with 3: second$"):
        run_program(["bash", "-c", "echo first >&2; echo second >&2; exit 3"])
    with pytest.raises(InstanceError, match=r"^no-such-program: No such file or directory$"):
        run_program(["no-such-program"])
