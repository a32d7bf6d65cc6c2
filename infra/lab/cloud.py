"""The whole local cloud: simulator, both lanes from one bundle, and the load balancer; up on entering, gone on leaving.

Both lanes run a snapshot of the bundle, as a deployed version is immutable: building anew while the lab runs changes nothing
in it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from infra.bundle import Bundle, find_interpreter
from infra.errors import KitError
from infra.lab.container_lane import ContainerLane
from infra.lab.lambda_lane import LambdaLane, runtime_folder
from infra.lab.load_balancer import LoadBalancer
from infra.lab.parts import Parts
from infra.lab.runtime_api import Code
from infra.lab.suppliers import start_suppliers


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudOptions:
    """How much of everything. Port 0 takes a free one."""

    latency: str = "lognormal"
    seed: int = 7
    workers: int = 2
    concurrency: int = 10
    memory_mb: int = 1_769
    weights: tuple[int, int] = (50, 50)
    port: int = 0
    simulator_port: int = 0
    deadline_ms: int = 1_500


class LocalCloud(Parts):
    """An async context manager over everything the lab runs. A bundle of the user's own service gets no simulated
    suppliers: `simulator_url` is `None`."""

    simulator_url: str | None = None
    lambda_lane: LambdaLane
    container_lane: ContainerLane
    balancer: LoadBalancer

    def __init__(self, bundle: Bundle, options: CloudOptions, progress: Callable[[str], None] = lambda _: None) -> None:
        super().__init__()
        self.bundle = bundle
        self.options = options
        self._progress = progress
        interpreter = find_interpreter(bundle.target.python)
        if interpreter is None:
            raise KitError(f"no Python {bundle.target.python} on this machine: the bundle {bundle.target} cannot run here")
        self.python = interpreter

    def code(self, lane: str = "lambda") -> Code:
        """The bundle as the Lambda lane runs it."""
        runtime = runtime_folder(self.bundle.target.python, self.python)
        return Code(self.bundle.tree, self.python, self.variables(lane), runtime)

    def variables(self, lane: str) -> dict[str, str]:
        """The service's environment on one lane."""
        service = self.bundle.service
        variables = {**service.environment, **service.lab_environment} if service else {}
        variables |= {"CROSSOVER_LANE": lane, "CROSSOVER_BUNDLE_SHA256": self.bundle.sha256}
        if self.simulator_url is not None:
            variables["CROSSOVER_SUPPLIERS_URL"] = self.simulator_url
            variables["CROSSOVER_OPS"] = "on" if lane == "container" else "off"
            variables["CROSSOVER_DEADLINE_MS"] = str(self.options.deadline_ms)
        if self.bundle.git_revision:
            variables["CROSSOVER_GIT_REVISION"] = self.bundle.git_revision
        return variables

    async def _start(self) -> None:
        options, enter = self.options, self._stack.enter_async_context
        folder = Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="crossover-lab-", ignore_cleanup_errors=True))
        )
        self.bundle = replace(self.bundle, tree=_snapshot(self.bundle.tree, folder / "bundle"))
        if self.bundle.service is None:
            self._progress("starting the suppliers' simulator")
            child, self.simulator_url = await start_suppliers(
                folder / "simulator.log", seed=options.seed, latency=options.latency, port=options.simulator_port
            )
            self._stack.push_async_callback(child.kill)
        self._progress("starting the container lane")
        self.container_lane = await enter(
            ContainerLane(self.bundle.tree, self.python, self.variables("container"), workers=options.workers)
        )
        self._progress("starting the Lambda lane")
        self.lambda_lane = await enter(LambdaLane(self.code(), memory_mb=options.memory_mb, concurrency=options.concurrency))
        self.balancer = await enter(
            LoadBalancer(self.lambda_lane, self.container_lane.url, weights=options.weights, port=options.port)
        )


def _snapshot(tree: Path, into: Path) -> Path:
    """Hard links where the file system allows, copies elsewhere (36 MB)."""
    try:
        return Path(shutil.copytree(tree, into, copy_function=_link))
    except (shutil.Error, OSError):
        raise KitError(f"the bundle in {tree} was replaced while the lab started; start it again") from None


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
