"""Starts the local AWS and runs the pinned CDK CLI against it. Gone on leaving, and when its owner dies."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from infra.deploying.cdk_cli import installed_cli, require_node
from infra.errors import KitError
from infra.lab.lab_time import LabTime
from infra.lab.processes import die_with
from infra.wheels import ROOT

ACCOUNT = "123456789012"  # moto's own
START_TIMEOUT_S = 60.0
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
# Synthesis may have to fetch the bundle's wheels, through a proxy or under an authority of the network's own.
KEPT_BEGINNINGS = ("SSL_CERT_", "UV_", "HTTPS_PROXY", "https_proxy")


class LocalAws:
    """A context manager. `port` 0 takes a free one; `faults` are resource types of which the next one made fails. `live`: its
    instances boot, wait for their hooks and drain (groups.py). `front` is `host:port` of the lab's load
    balancer. `time` is its clock, `speed` lab seconds in each real one."""

    log: Path

    def __init__(
        self,
        region: str,
        *,
        account: str = ACCOUNT,
        port: int = 0,
        log: Path | None = None,
        faults: Sequence[str] = (),
        live: bool = False,
        front: str = "",
        speed: float = 1.0,
    ) -> None:
        self.region = region
        self.account = account
        self._log = log
        self.port = port or _free_port()
        self._faults = tuple(faults)
        self._live, self._front = live, front
        self.time = LabTime(speed)

    @property
    def url(self) -> str:
        """Spelled `localhost`: the CDK CLI puts bucket names before any other host."""
        return f"http://localhost:{self.port}"

    @property
    def credentials(self) -> tuple[str, str]:
        """Any would do for moto; the CDK CLI remembers whose an access key is (`~/.cdk/cache`), so each account has its own."""
        return f"local{self.account}", "local"

    @property
    def environment(self) -> dict[str, str]:
        """For every program that shall see this AWS and no other: nothing of the caller's credentials gets in."""
        kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith(KEPT_BEGINNINGS)}
        return {
            **kept,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.credentials[0],
            "AWS_SECRET_ACCESS_KEY": self.credentials[1],
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "CI": "true",
            "NO_COLOR": "1",
            "NODE_NO_WARNINGS": "1",
        }

    def __enter__(self) -> LocalAws:
        require_node()
        installed_cli()
        self._require_port()
        self._folder = tempfile.TemporaryDirectory(prefix="crossover-aws-")
        self.log = self._log or Path(self._folder.name) / "moto.log"
        command = [sys.executable, "-m", "infra.lab.aws.server", str(self.port)]
        command += ["--speed", str(self.time.speed), "--origin", str(self.time.origin)]
        command += ["--live"] if self._live else []
        command += ["--front", self._front] if self._front else []
        command += [part for kind in self._faults for part in ("--fail", kind)]
        with self.log.open("wb") as output:
            self._server = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "MOTO_ACCOUNT_ID": self.account},
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=partial(die_with, os.getpid(), None),
            )
        try:
            self._await_port()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.terminate()
        try:
            self._server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._folder.cleanup()

    def _require_port(self) -> None:
        try:
            with socket.create_server(("127.0.0.1", self.port)):
                return
        except OSError as error:
            raise KitError(
                f"the local AWS cannot listen on port {self.port}: {os.strerror(error.errno or 0)}; take another"
            ) from None

    def _await_port(self) -> None:
        end = time.monotonic() + START_TIMEOUT_S
        while self._server.poll() is None and time.monotonic() < end:
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        tail = " | ".join(self.log.read_text(errors="replace").splitlines()[-3:])
        raise KitError(f"the local AWS did not start on port {self.port}: {tail or 'it said nothing'}")

    def cdk(
        self, *arguments: str, output: IO[str] | int | None = None, timeout_s: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run the CLI; to the terminal, or `output=PIPE` to have what it said, both streams in one."""
        return subprocess.run(
            [installed_cli(), *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=output,
            stderr=subprocess.STDOUT if output is not None else None,
            text=True,
            timeout=timeout_s,
            check=False,
            preexec_fn=partial(die_with, os.getpid(), None),
        )

    def bootstrap(self, assembly: Path, output: IO[str] | int | None = None) -> subprocess.CompletedProcess[str]:
        return self.cdk("bootstrap", "--app", str(assembly), f"aws://{self.account}/{self.region}", output=output)

    def deploy(self, assembly: Path, *how: str, output: IO[str] | int | None = None) -> subprocess.CompletedProcess[str]:
        """What stands in `assembly`. Without change sets, which moto makes and does not carry out as AWS does."""
        always = ("--all", "--method=direct", "--require-approval=never")
        return self.cdk("deploy", "--app", str(assembly), *always, *how, output=output)

    def client(self, service: str) -> Any:
        import boto3

        return boto3.Session(*self.credentials, region_name=self.region).client(service, endpoint_url=self.url)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
