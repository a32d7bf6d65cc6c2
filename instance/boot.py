"""`python -m instance.boot`: the rest of an instance's first boot, run as root by user data from the bundle it has verified.

    settings -> environment and units -> service and agent started -> /readyz -> the group is told -> CloudFormation is told
    -> CloudWatch's own agent, where the stage wants it

A failure before the last step ends the program with 1: user data tells of it, as of its own failures, for it must be told even
where no program of the bundle can run.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from instance.cloud import NAMESPACE, Cloud
from instance.errors import CloudError, InstanceError, NothingWaits
from instance.metadata import Metadata
from instance.service import LOOPBACK, is_ready
from instance.settings import ENVIRONMENT_PATH, Settings, read_settings, service_host
from instance.units import AGENT, DRAIN_PATH, SERVICE, render_units

READY_TIMEOUT_S = 120.0
LOOK_S = 0.1
LOOKS_PER_STATE = 10
"""Systemd's opinion is asked for more rarely: it takes a process."""

WAITS = 5
"""How often the launching hook is looked for, 2 s apart: the group may be a little slower than the boot."""

WAIT_S = 2.0
WORKERS = "CROSSOVER_WORKERS="
CLOUDWATCH_AGENT = "amazon-cloudwatch-agent"
CLOUDWATCH_CONTROL = "/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl"

log = logging.getLogger("crossover.boot")

Run = Callable[[Sequence[str]], None]
"""Runs a program of the system; raises `InstanceError` when it fails."""


class Identity(NamedTuple):
    """`group` is `None` where no autoscaling group launched the instance."""

    instance: str
    group: str | None


class Boot:
    """The steps, each of which may raise `InstanceError`. `root` is where files go, `/` on an instance."""

    def __init__(
        self,
        settings: Settings,
        root: Path,
        metadata: Metadata,
        cloud: Cloud,
        run: Run,
        *,
        pause: Callable[[float], None],
        host: str = LOOPBACK,
    ) -> None:
        self._settings = settings
        self._root = root
        self._metadata = metadata
        self._cloud = cloud
        self._run = run
        self._pause = pause
        self._host = host

    def serve(self, *, cpus: int, ready_timeout_s: float) -> None:
        """Up to the point where the service answers that it is ready. The watchers start first: nothing waits for them."""
        self._write_files(cpus)
        self._run(["systemctl", "daemon-reload"])
        self._run(["systemctl", "enable", "--now", "--no-block", DRAIN_PATH, AGENT])
        self._run(["systemctl", "enable", "--now", SERVICE])
        self._await_ready(ready_timeout_s)

    def identify(self) -> Identity:
        return Identity(self._metadata.instance_id(), self._metadata.group())

    def tell_group(self, identity: Identity) -> None:
        """Complete the launching hook, where the group has one: from now on it sends requests."""
        if identity.group is None:
            log.info("no autoscaling group is named in this instance's tags; it serves alone")
            return
        hook = self._settings.boot_hook
        for attempt in range(WAITS):
            try:
                self._cloud.complete(hook, group=identity.group, instance=identity.instance, result="CONTINUE")
            except NothingWaits:
                if attempt + 1 < WAITS:
                    self._pause(WAIT_S)
            else:
                log.info("told %s: CONTINUE", identity.group)
                return
        log.info("no action of hook %r waits for this instance", hook)

    def tell_cloudformation(self, identity: Identity) -> None:
        """Whatever comes of it, the service serves: a group that grows by itself has nobody who waits."""
        settings = self._settings
        try:
            self._cloud.signal(stack=settings.stack, resource=settings.resource, instance=identity.instance, status="SUCCESS")
        except CloudError as error:
            log.info("no stack update is waiting for this instance (%s)", error)

    def start_cloudwatch_agent(self, identity: Identity) -> None:
        """Memory and disk of the group. Never worth a failed boot."""
        if not self._settings.cloudwatch_agent or identity.group is None:
            return
        path = self._write("etc/crossover/cloudwatch-agent.json", json.dumps(_cloudwatch_config(identity.group), indent=2))
        try:
            self._run(["dnf", "install", "--assumeyes", "--quiet", CLOUDWATCH_AGENT])
            self._run([CLOUDWATCH_CONTROL, "-a", "fetch-config", "-m", "ec2", "-s", "-c", f"file:{path}"])
        except InstanceError as error:
            log.warning("no memory and disk metrics: %s", error)

    def _write_files(self, cpus: int) -> None:
        given = [line for line in self._settings.environment if not line.startswith(WORKERS)]
        lines = [*given, f"{WORKERS}{cpus * self._settings.workers_per_vcpu}"]
        self._write(ENVIRONMENT_PATH, "\n".join(lines))
        for name, text in render_units(self._settings).items():
            self._write(f"etc/systemd/system/{name}", text.strip())

    def _write(self, name: str, text: str) -> Path:
        path = self._root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n")
        except OSError as error:
            raise InstanceError(f"{path}: cannot be written ({error.strerror})") from None
        return path

    def _await_ready(self, timeout_s: float) -> None:
        end, looks = time.monotonic() + timeout_s, 0
        while time.monotonic() < end:
            if is_ready(self._settings.port, self._host):
                return
            looks += 1
            if looks % LOOKS_PER_STATE == 0 and self._has_given_up():
                raise InstanceError("the service refuses its settings; journalctl -u crossover says which")
            self._pause(LOOK_S)
        raise InstanceError(f"the service was not ready within {timeout_s:g} s; journalctl -u crossover says why")

    def _has_given_up(self) -> bool:
        """A wrong setting ends the service for good (`RestartPreventExitStatus=`); nothing else does."""
        try:
            self._run(["systemctl", "is-failed", "--quiet", SERVICE])
        except InstanceError:
            return False
        return True


def _cloudwatch_config(group: str) -> dict[str, object]:
    """Two metrics by group, beside the agent's own figures. Without the host's name each instance adds to the same metric;
    with it each would be a metric of its own, paid by the month."""
    dimension = {"AutoScalingGroupName": group}
    return {
        "agent": {"metrics_collection_interval": 60, "omit_hostname": True},
        "metrics": {
            "namespace": NAMESPACE,
            "aggregation_dimensions": [["AutoScalingGroupName"]],
            "metrics_collected": {
                "mem": {"measurement": ["used_percent"], "append_dimensions": dimension},
                "disk": {
                    "measurement": ["used_percent"],
                    "resources": ["/"],
                    "drop_device": True,
                    "append_dimensions": dimension,
                },
            },
        },
    }


def run_program(command: Sequence[str]) -> None:
    """Raises `InstanceError` with the last line that the program said."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise InstanceError(f"{command[0]}: {error.strerror}") from None
    if done.returncode:
        said = (done.stderr + done.stdout).strip().splitlines()
        raise InstanceError(f"{' '.join(command)} ended with {done.returncode}: {said[-1] if said else 'no reason given'}")


def boot(program: Boot, *, cpus: int, ready_timeout_s: float = READY_TIMEOUT_S) -> None:
    """Raises `InstanceError` when the instance does not serve, or its group cannot be told that it does."""
    identity = program.identify()
    program.serve(cpus=cpus, ready_timeout_s=ready_timeout_s)
    log.info("serving, %.1f s after the machine started", uptime_s())
    program.tell_group(identity)
    program.tell_cloudformation(identity)
    program.start_cloudwatch_agent(identity)


def uptime_s() -> float:
    """Seconds since the kernel started (proc_uptime(5))."""
    return float(Path("/proc/uptime").read_text().split()[0])


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 serving, 1 not; a failure is one line."""
    parser = argparse.ArgumentParser(prog="python -m instance.boot", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path("/"), help="folder to write into instead of / (for tests)")
    parser.add_argument("--ready-timeout-s", type=float, default=READY_TIMEOUT_S, metavar="SECONDS")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="crossover-boot: %(message)s")
    log.info("boot program started, %.1f s after the machine started", uptime_s())
    try:
        settings = read_settings(options.root)
        metadata, cloud = Metadata.of(os.environ), Cloud(settings.region, os.environ)
        host = service_host(os.environ)
        program = Boot(settings, options.root, metadata, cloud, run_program, pause=time.sleep, host=host)
        boot(program, cpus=len(os.sched_getaffinity(0)), ready_timeout_s=options.ready_timeout_s)
    except InstanceError as error:
        log.error("refused: %s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
