"""The lab's faults over HTTP, on loopback: `GET /` says how the stage is, `GET /faults` what can be done to it, `POST
/faults/<name>` does it with a JSON body, `POST /repair` ends all of them but what cannot be undone, `POST /reset` also
brings weights and sizes back to what was deployed.

Faults of the AWS API are the local AWS's own (`/_lab/faults` there), those of the suppliers the simulator's (`/_sim/faults`).
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from infra.errors import InputError, KitError
from infra.lab.live.front.alias import LambdaFaults
from infra.lab.live.instances.boots import BootFault
from infra.lab.live.stage import LiveStage


class One(msgspec.Struct, forbid_unknown_fields=True):
    """`instance` is an id, or `any` for the first that serves."""

    instance: str = "any"


class Kill(One):
    noticed: bool = True


class Slow(One):
    share: float = 0.3


class Pool(msgspec.Struct, forbid_unknown_fields=True):
    """Without a type or zone: those of the first spot instance."""

    type: str = ""
    zone: str = ""
    warning_s: float = 0.0


class Boots(msgspec.Struct, forbid_unknown_fields=True):
    count: int = 1
    fault: BootFault = BootFault.HANGS


class Variables(msgspec.Struct, forbid_unknown_fields=True):
    variables: dict[str, str | None]


class Function(msgspec.Struct, forbid_unknown_fields=True):
    limit: int | None = None
    latency_s: float = 0.0
    errors: float = 0.0


class Schedules(msgspec.Struct, forbid_unknown_fields=True):
    on: bool


class Suppliers(msgspec.Struct, forbid_unknown_fields=True):
    """`fault` as the simulator has it: `status:500`, `hang`, …"""

    fault: str
    supplier: str = "*"


@dataclass(frozen=True, slots=True)
class Fault:
    """`about` is for a person; `body` what it takes."""

    about: str
    body: type[msgspec.Struct]
    do: Callable[[Any], Any | Awaitable[Any]]


class FaultPages:
    """An async context manager; `url` is where the pages are."""

    def __init__(self, stage: LiveStage, restore: Callable[[], None]) -> None:
        self._stage, self._restore = stage, restore
        self._runner: web.AppRunner | None = None
        self.faults = _faults(stage)
        self.url = ""

    async def __aenter__(self) -> FaultPages:
        app = web.Application()
        app.router.add_get("/", self._show)
        app.router.add_get("/faults", self._list)
        app.router.add_post("/faults/{name}", self._strike)
        app.router.add_post("/repair", self._repair)
        app.router.add_post("/reset", self._reset)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _show(self, _: web.Request) -> web.Response:
        return _json(self._stage.told())

    async def _list(self, _: web.Request) -> web.Response:
        told = {
            name: {
                "about": fault.about,
                "takes": {field: _default(fault.body, field) for field in fault.body.__struct_fields__},
            }
            for name, fault in self.faults.items()
        }
        return _json(told)

    async def _strike(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        fault = self.faults.get(name)
        if fault is None:
            return _json({"error": f"no fault {name!r}; there are {', '.join(self.faults)}"}, 404)
        try:
            body = msgspec.json.decode(await request.read() or b"{}", type=fault.body)
            done = fault.do(body)
            told = await done if inspect.isawaitable(done) else done
        except (msgspec.ValidationError, msgspec.DecodeError, InputError, KitError) as error:
            return _json({"error": f"{name}: {error}"}, 400)
        return _json({"done": name, "of": told})

    async def _reset(self, request: web.Request) -> web.Response:
        await self._repair(request)
        try:
            await asyncio.to_thread(self._restore)
        except KitError as error:
            return _json({"error": f"reset: {error}"}, 500)
        return _json({"done": "reset"})

    async def _repair(self, _: web.Request) -> web.Response:
        """Instances that were frozen or slowed go on; what was killed stays dead, EC2 notices, and the group replaces it."""
        stage = self._stage
        await stage.faults.repair()
        for instance in stage.fleet.instances.values():
            if not instance.machine.off:
                instance.machine.thaw()
                instance.machine.slow_down(1.0)
        stage.front.functions.set_faults(LambdaFaults())
        if stage.simulator_url is not None:
            await _simulator(stage, "DELETE", "*", "")
        return _json({"done": "repair"})


def _faults(stage: LiveStage) -> dict[str, Fault]:
    def named(one: One) -> str:
        return one.instance if one.instance != "any" else _any_instance(stage)

    async def kill(body: Kill) -> str:
        await stage.faults.kill(instance := named(body), noticed=body.noticed)
        return instance

    def to_one(act: Callable[[str], Awaitable[None] | None]) -> Callable[[One], Awaitable[str]]:
        async def do(body: One) -> str:
            done = act(instance := named(body))
            if done is not None:
                await done
            return instance

        return do

    def slow(body: Slow) -> str:
        stage.faults.slow_down(instance := named(body), body.share)
        return instance

    async def reclaim(body: Pool) -> list[str]:
        kind, zone = (body.type, body.zone) if body.type and body.zone else _any_pool(stage)
        return await stage.faults.reclaim_pool(kind, zone, warning_s=body.warning_s)

    async def suppliers(body: Suppliers) -> str:
        await _simulator(stage, "PUT", body.supplier, body.fault)
        return body.supplier

    faults = stage.faults
    return {
        "kill": Fault("the instance's machine fails; EC2 notices, or does not", Kill, kill),
        "crash": Fault("the service's supervisor is killed; systemd starts it anew", One, to_one(faults.crash)),
        "freeze": Fault("every process of the instance stands still", One, to_one(faults.freeze)),
        "thaw": Fault("a frozen instance goes on", One, to_one(faults.thaw)),
        "slow": Fault("the instance has a share of its CPU", Slow, slow),
        "interrupt": Fault("two-minute notice, then the instance is gone", One, to_one(faults.interrupt)),
        "reclaim": Fault("all spot instances of a type and zone are interrupted", Pool, reclaim),
        "boots": Fault("the next instances do not boot", Boots, lambda body: faults.fail_boots(body.count, body.fault)),
        "misconfigure": Fault(
            "the next instances' service has other variables", Variables, lambda body: faults.misconfigure(body.variables)
        ),
        "lambda": Fault("the function is throttled, slow, or fails", Function, lambda body: _function(stage, body)),
        "schedules": Fault("EventBridge Scheduler stands still, or goes on", Schedules, lambda body: _schedules(stage, body)),
        "suppliers": Fault("the simulated suppliers misbehave", Suppliers, suppliers),
    }


def _function(stage: LiveStage, body: Function) -> None:
    if not 0 <= body.errors <= 1 or body.latency_s < 0 or (body.limit is not None and body.limit < 0):
        raise InputError("errors must be 0 to 1, latency_s and limit 0 or more")
    stage.front.functions.set_faults(LambdaFaults(body.limit, body.latency_s, body.errors))


def _schedules(stage: LiveStage, body: Schedules) -> bool:
    stage.scheduler.on = body.on
    return body.on


def _any_instance(stage: LiveStage) -> str:
    serving = [each.instance_id for each in stage.fleet.instances.values() if each.state == "serving"]
    if not serving:
        raise KitError("no instance serves")
    return serving[0]


def _any_pool(stage: LiveStage) -> tuple[str, str]:
    spot = [each for each in stage.fleet.launched.values() if each.spot and each.instance_id in stage.fleet.instances]
    if not spot:
        raise KitError("no spot instance runs")
    return spot[0].instance_type, spot[0].zone


async def _simulator(stage: LiveStage, method: str, supplier: str, fault: str) -> None:
    if stage.simulator_url is None:
        raise KitError("a service of your own has no simulated suppliers")
    url = f"{stage.simulator_url}/_sim/faults/{supplier}"
    async with aiohttp.ClientSession() as session, asyncio.timeout(5), session.request(method, url, data=fault) as answer:
        if answer.status >= 300:
            raise InputError((await answer.text()).strip())


def _default(body: type[msgspec.Struct], field: str) -> Any:
    found = next(each.default for each in msgspec.structs.fields(body) if each.name == field)
    return "(needed)" if found is msgspec.NODEFAULT else found


def _json(told: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(told), status=status, content_type="application/json")
