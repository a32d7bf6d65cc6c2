"""The whole cloud in a box, for whoever drives it from outside: the local AWS, a stage deployed into it, and its live process.

    with Lab(stage="dev", speed=60) as lab:
        lab.operator("switch", "container", "--yes")     # the real command line, in lab time
        lab.strike("kill", instance="any")

Everything in it is a process of its own, and ends with the one that made it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from infra.bundle import local_target
from infra.errors import InputError, KitError
from infra.lab.aws.local_aws import ACCOUNT, LocalAws
from infra.lab.lab_time import LabTime
from infra.lab.page_call import call
from infra.lab.processes import die_with
from infra.overrides import key_values
from infra.stage_file import DEFAULT_FILE, load_stage
from infra.wheels import ROOT

LIVE_KEY = "live-stage"
"""The live process's own, so that faults of other people's calls do not strike it."""

SERVING_S = 120.0


class Lab:
    """A context manager. `context` are settings (`key=value`) that go before the stage's in `file`; the architecture is this
    machine's. `schedules`: EventBridge Scheduler is at work from the beginning on. `url` is the stage's load balancer,
    `faults_url` where its faults are, `logs` the folder of all logs."""

    aws: LocalAws
    url: str
    faults_url: str
    logs: Path

    def __init__(
        self,
        stage: str = "dev",
        *,
        file: Path | str = DEFAULT_FILE,
        context: Sequence[str] = (),
        speed: float = 1.0,
        port: int = 0,
        aws_port: int = 0,
        boot_s: float = 40.0,
        logs: Path | None = None,
        schedules: bool = True,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        architecture = local_target().architecture
        self.stage = load_stage({"architecture": architecture, **key_values(context), "stage": stage}, Path(file))
        if set(self.stage.lanes) != {"lambda", "container"}:
            raise InputError(f"stage {stage}: a live stage has both lanes behind its load balancer, not {self.stage.lanes}")
        given = (f"stage={stage}", f"stages={file}", f"architecture={architecture}", *context)
        self.context = [part for each in given for part in ("-c", each)]
        self.port = port or _free_port()
        self._boot_s, self._logs, self._progress = boot_s, logs, progress
        self._schedules = schedules
        self._aws_port, self._speed = aws_port, speed
        self._stack = ExitStack()

    @property
    def time(self) -> LabTime:
        return self.aws.time

    def __enter__(self) -> Lab:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def _start(self) -> None:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="crossover-lab-")))
        self.logs = self._logs or folder
        self.assembly = folder / "cdk.out"
        self.aws = self._stack.enter_context(
            LocalAws(
                self.stage.region,
                account=self.stage.account or ACCOUNT,
                port=self._aws_port,
                log=self.logs / "aws.log",
                live=True,
                front=f"localhost:{self.port}",
                speed=self._speed,
            )
        )
        synth = ("synth", "--quiet", "--output", str(self.assembly), *self.context)
        self._cdk("synth", "synthesized", lambda output: self.aws.cdk(*synth, output=output))
        self._cdk("bootstrap", "bootstrapped", lambda output: self.aws.bootstrap(self.assembly, output))
        self.deploy()
        self._start_live()

    def deploy(self, assembly: Path | None = None) -> None:
        """What was synthesized at the beginning, or another assembly."""
        self._cdk("deploy", "deployed", lambda output: self.aws.deploy(assembly or self.assembly, output=output))

    def deploy_one(self, end: str, assembly: Path) -> None:
        """The one stack of it that is called so, as `lambda`, and none of those that it needs."""
        alone = (f"{self.stage.resource_prefix}-{end}", "--exclusively", "--method=direct", "--require-approval=never")
        arguments = ("deploy", "--app", str(assembly), *alone)
        self._cdk("deploy", "deployed", lambda output: self.aws.cdk(*arguments, output=output))

    def _cdk(self, what: str, done: str, run: Callable[[int], subprocess.CompletedProcess[str]]) -> None:
        self._progress(f"cdk {what}")
        ended = run(subprocess.PIPE)
        with (self.logs / "cdk.log").open("a") as log:
            log.write(ended.stdout or "")
        if ended.returncode != 0:
            tail = " | ".join(line for line in (ended.stdout or "").splitlines()[-3:] if line.strip())
            raise KitError(f"the stage could not be {done}: {tail}")

    def _start_live(self) -> None:
        self._progress("starting the stage")
        log = self._stack.enter_context((self.logs / "live.log").open("ab"))
        command = [sys.executable, "-m", "infra.lab.live.serve", self.stage.name]
        command += ["--region", self.stage.region, "--port", str(self.port), "--boot-s", str(self._boot_s)]
        command += ["--no-suppliers"] if self.stage.service else []
        command += [] if self._schedules else ["--no-schedules"]
        live = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**self.aws.environment, "AWS_ACCESS_KEY_ID": LIVE_KEY, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
            preexec_fn=partial(die_with, os.getpid(), None),
        )
        self._stack.callback(_end, live)
        assert live.stdout is not None
        line = live.stdout.readline()
        if not line:
            raise KitError(f"the live stage did not start: {_tail(self.logs / 'live.log')}")
        told = json.loads(line)
        self.url, self.faults_url = told["url"], told["faults"]

    def await_serving(self, instances: int = 1, limit_s: float = SERVING_S) -> None:
        """Until so many instances are healthy for the load balancer. Raises `KitError` after so many real seconds."""
        end = time.monotonic() + limit_s
        while self.healthy() < instances:
            if time.monotonic() > end:
                raise KitError(f"{self.healthy()} of {instances} instances serve after {limit_s:g} s; see {self.logs}")
            time.sleep(0.2)

    def healthy(self) -> int:
        balancing = self.aws.client("elbv2")
        groups = [each for each in balancing.describe_target_groups()["TargetGroups"] if each["TargetType"] == "instance"]
        return sum(
            each["TargetHealth"]["State"] == "healthy"
            for group in groups
            for each in balancing.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        )

    def operator_command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "infra.lab.operator", *arguments, "--stage", self.stage.name]

    def operator(self, *arguments: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """A `crossover` command on the stage, to its end."""
        return subprocess.run(
            self.operator_command(*arguments),
            cwd=ROOT,
            env=self.operator_environment(),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def operator_environment(self, key: str = "") -> dict[str, str]:
        """Of a person with an access key of their own, by which faults tell people apart."""
        return {**self.aws.environment, "AWS_ACCESS_KEY_ID": key or self.aws.credentials[0], "PYTHONPATH": str(ROOT)}

    def strike(self, fault: str, /, **body: Any) -> Any:
        """One of the live stage's faults (infra/lab/live/fault_pages.py)."""
        return call("POST", f"{self.faults_url}/faults/{fault}", body)["of"]

    def strike_api(self, **fault: Any) -> Any:
        """A fault of the AWS API (infra/lab/aws/api_faults.py)."""
        return call("POST", f"{self.aws.url}/_lab/faults", fault)

    def api_faults(self) -> list[dict[str, Any]]:
        """Those of the AWS API, and how many calls each has struck."""
        shown: list[dict[str, Any]] = call("GET", f"{self.aws.url}/_lab/faults")["faults"]
        return shown

    def repair(self) -> None:
        """End all faults, of the stage and of the API."""
        call("DELETE", f"{self.aws.url}/_lab/faults")
        call("POST", f"{self.faults_url}/repair")

    def reset(self) -> None:
        """End all faults, and have weights and sizes as they were deployed, with no switch that anybody remembers."""
        call("DELETE", f"{self.aws.url}/_lab/faults")
        call("POST", f"{self.faults_url}/reset")

    def told(self) -> dict[str, Any]:
        shown: dict[str, Any] = call("GET", self.faults_url)
        return shown


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _tail(log: Path) -> str:
    return " | ".join(log.read_text(errors="replace").splitlines()[-3:]) or "it said nothing"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
