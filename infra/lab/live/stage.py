"""One deployed stage, alive: its instances, its load balancer and functions, the suppliers they ask, and the lab's faults."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.lab.lab_time import LabTime
from infra.lab.live.front.front import FrontSettings, LiveFront
from infra.lab.live.front.function_code import Versions
from infra.lab.live.instances.boots import BootDelay
from infra.lab.live.instances.faults import Faults
from infra.lab.live.instances.fleet import Fleet, FleetOptions
from infra.lab.live.instances.group import AwsGroup
from infra.lab.live.scheduled.invocations import LiveInvocations
from infra.lab.live.scheduled.scheduler import LiveScheduler
from infra.lab.parts import Parts
from infra.lab.suppliers import start_suppliers
from infra.switching.aws.resources import Resources

log = logging.getLogger("crossover.lab")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """`port` is where the stage's load balancer listens, which its stack's output must say too. `suppliers` starts a simulator
    of them; a service of the user's own needs none. `boot_s` are lab seconds from an instance's launch to its user data.
    `schedules`: what is due is invoked from the beginning on."""

    port: int = 0
    suppliers: bool = True
    latency: str = "fixed:5"
    boot_s: BootDelay = field(default_factory=BootDelay)
    seed: int = 7
    schedules: bool = True


class LiveStage(Parts):
    """An async context manager. `client` makes boto3's clients of the local AWS at `aws_url`."""

    simulator_url: str | None = None
    fleet: Fleet
    front: LiveFront
    faults: Faults
    invocations: LiveInvocations
    scheduler: LiveScheduler

    def __init__(
        self,
        resources: Resources,
        *,
        client: Callable[[str], Any],
        aws_url: str,
        lab_time: LabTime,
        options: LiveOptions | None = None,
    ) -> None:
        super().__init__()
        self.resources, self.lab_time = resources, lab_time
        self._client, self._aws_url = client, aws_url
        self._options = options or LiveOptions()

    async def _start(self) -> None:
        enter, options = self._stack.enter_async_context, self._options
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="crossover-live-")))
        additions: dict[str, str] = {}
        if options.suppliers:
            child, self.simulator_url = await start_suppliers(
                folder / "simulator.log", seed=options.seed, latency=options.latency
            )
            self._stack.push_async_callback(child.kill)
            additions["CROSSOVER_SUPPLIERS_URL"] = self.simulator_url
        group = AwsGroup(self.resources.group, self._client, self._aws_url)
        fleet_options = FleetOptions(delay=options.boot_s, environment=additions, seed=options.seed)
        self.fleet = await enter(Fleet(group, self._client, self._aws_url, self.lab_time, fleet_options))
        self.faults = Faults(self.fleet)
        settings = FrontSettings(
            load_balancer=_load_balancer(self.resources), folder=folder, port=options.port, additions=additions
        )
        self.front = await enter(
            LiveFront(
                settings,
                client=self._client,
                aws_url=self._aws_url,
                addresses=self.fleet,
                lab_time=self.lab_time,
                problem=lambda text: log.warning("%s", text),
            )
        )
        versions = Versions(self._client("lambda"), folder / "invoked", {})
        self.invocations = await enter(
            LiveInvocations(client=self._client, aws_url=self._aws_url, versions=versions, lab_time=self.lab_time)
        )
        self.scheduler = await enter(
            LiveScheduler(
                client=self._client, lab_time=self.lab_time, accepted=self.invocations.accepted.set, on=options.schedules
            )
        )

    def told(self) -> dict[str, Any]:
        """What the stage is now, for a page or a person."""
        instances = {
            each.instance_id: {"state": str(each.state), "address": each.address, "lifecycle": _lifecycle(self.fleet, each)}
            for each in self.fleet.instances.values()
        }
        functions = {
            alias.named.resource: {"version": alias.version, "environments": alias.environments, "at_once": alias.at_once}
            for alias in self.front.functions.aliases.values()
        }
        return {
            "stage": self.resources.stage,
            "url": self.front.url,
            "suppliers": self.simulator_url,
            "lab_time": self.lab_time.now(),
            "instances": instances,
            "functions": functions,
            "schedules": self.scheduler.told(),
            "invoked": self.invocations.told(),
        }


def _lifecycle(fleet: Fleet, instance: Any) -> dict[str, Any] | None:
    launched = fleet.launched.get(instance.instance_id)
    if launched is None:
        return None
    return {
        "state": launched.lifecycle_state,
        "type": launched.instance_type,
        "zone": launched.zone,
        "spot": launched.spot,
    }


def _load_balancer(resources: Resources) -> str:
    """Its ARN, which the rule's begins with."""
    return f"{resources.rule.partition(':listener-rule/')[0]}:loadbalancer/{resources.load_balancer}"
