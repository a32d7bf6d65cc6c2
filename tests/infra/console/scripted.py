"""A stage in memory for the watch page: that of tests/infra/switching/world.py, with what is asked beside the ports,
CloudWatch's minutes, and a clock that waits where it is told to; and a console that serves it from a thread of its own."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from infra.console.server import Console, Options
from infra.console.watch import Pace
from infra.switching.aws.figures import Timeline, known_minutes, window
from infra.switching.aws.resources import Resources
from infra.switching.aws.schedules import ON, Entry, Listed
from infra.switching.doctor import Places
from infra.switching.need import Load, Machines
from infra.switching.observe import World
from infra.switching.plan import Limits, Need
from infra.switching.ports import NoHooks, Said
from infra.switching.preflight import Facts, Quota, Smoke
from infra.switching.verdict import Figures
from infra.switching.weights import LANES, Weights
from tests.infra.switching.world import FakeClock, FakeLanes, FakeStore, FakeTraffic, Mishaps, T

T0 = 1_800_000_000.0
QUICK = Pace(look_s=0.2, figures_s=0.2, stacks_s=0.4)
DIGEST = "ab" * 32
RULE = "arn:aws:elasticloadbalancing:us-east-1:111122223333:listener-rule/app/prod/1/2/3"
GROUPS = {lane: f"arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/{lane}/1" for lane in LANES}


@dataclass
class HeldClock(FakeClock):
    """Jumps, but not beyond `until`: whoever sleeps there waits in real time, and time stands still."""

    at: float = T0
    until: float = math.inf

    def sleep(self, seconds: float) -> None:
        if self.at + seconds > self.until:
            time.sleep(0.01)
            return
        super().sleep(seconds)


@dataclass
class Locked(Mishaps):
    """The driver, the page and its buttons ask from threads of their own."""

    lock: threading.RLock = field(default_factory=threading.RLock)

    def around(self, name: str, do: Callable[[], T]) -> T:
        with self.lock:
            return super().around(name, do)


class ScriptedLanes(FakeLanes):
    """Each minute that passes is published as the rule then splits it, and known as late as CloudWatch knows it. `wobble` is
    the factor by which a minute's figure differs."""

    series: dict[str, dict[float, float]]
    wobble: Callable[[float, str], float] = staticmethod(lambda minute, name: 1.0)

    def begin(self) -> None:
        self.series, self._published = {}, T0 - 3_600
        self._clock.on_sleep.append(self.publish)
        self.publish(self._clock.now())

    def publish(self, now: float) -> None:
        while self._published + 60 <= now:
            minute, self._published = self._published, self._published + 60
            self._tell(minute)

    def _tell(self, minute: float) -> None:
        def tell(name: str, value: float) -> None:
            self.series.setdefault(name, {})[minute] = value

        requests = 60 * self.rps * self.wobble(minute, "requests")
        tell("balancer_requests", round(requests))
        tell("container_hosts", self.lanes["container"].ready)
        tell("loop_lag_ms", self.lanes["container"].lag_ms * self.wobble(minute, "lag"))
        for lane in LANES:
            its, split = self.lanes[lane], self._traffic.in_rule
            share = 0.0 if split is None else split.share(lane)
            if share and its.told:
                tell(f"{lane}_requests", round(requests * share))
                tell(f"{lane}_p99_s", its.p99_ms * self.wobble(minute, lane) / 1000)
                tell(f"{lane}_5xx", round(requests * share * its.error_share))

    def figures(self, lane: str, since: float) -> Figures:
        healthy = self.lanes[lane].ready if lane == "container" else None
        return self.timeline(self._clock.now() - since).over(lane, since, healthy)

    def timeline(self, over_s: float = 3_600.0) -> Timeline:
        def tell() -> Timeline:
            start, end = window(self._clock.now() - over_s, self._clock.now())
            names = [f"{lane}_{name}" for lane in LANES for name in ("requests", "p99_s", "5xx")]
            names += ["balancer_requests", "container_hosts", "loop_lag_ms"]
            series = {name: {at: v for at, v in self.series.get(name, {}).items() if start <= at < end} for name in names}
            return Timeline(series, known_minutes(series, start, end))

        return self._mishaps.around("timeline", tell)

    def most(self, lane: str) -> int:
        return 10 if lane == "container" else 1_000


class ScriptedHooks(NoHooks):
    """Gates answer by `answers`, by target; what is not there passes."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, Said] = {}

    def ask(self, target: str, told: dict[str, Any], timeout_s: float) -> Said:
        return self.answers.get(target, Said(passes=True))

    def problems(self, targets: Sequence[str]) -> list[str]:
        return []


class ScriptedSchedules:
    """What `infra.switching.aws.schedules.Schedules` is to a stage with its switcher."""

    def __init__(self, *entries: Listed) -> None:
        self.entries = {each.name: each for each in entries}

    def all(self) -> tuple[Listed, ...]:
        return tuple(self.entries.values())

    def set_state(self, listed: Listed, state: str) -> None:
        self.entries[listed.name] = replace(listed, state=state)


def weekday(to: str, minute: int, saves_usd: str | None = None) -> Listed:
    """One at so many minutes of each weekday in Berlin."""
    hour, left = divmod(minute, 60)
    name = f"mon-fri-{hour:02}{left:02}-{to}"
    entry = Entry(name=name, to=to, days=(0, 1, 2, 3, 4), minute=minute, saves_usd=saves_usd)
    return Listed(name=name, expression=f"cron({left} {hour} ? * MON-FRI *)", timezone="Europe/Berlin", state=ON, entry=entry)


class ScriptedControl:
    """What `infra.switching.aws.control.Control` is to a stage on AWS."""

    def __init__(self, stage: Scripted) -> None:
        self._stage = stage
        self.resources = Resources(
            stage=stage.name,
            region="us-east-1",
            url="http://prod.example.com",
            rule=RULE,
            target_groups=GROUPS,
            group="group",
            function="function",
            table="table",
            parameter=f"/crossover/{stage.name}/traffic-weights",
            changing=stage.changing,
        )
        self.lanes, self.traffic, self.store = stage.lanes, stage.traffic, stage.store
        self.hooks = stage.hooks
        self.world = World(clock=stage.clock, store=stage.store, traffic=stage.traffic, lanes=stage.lanes, hooks=stage.hooks)

    def load(self) -> Load:
        requests: dict[str, int | None] = dict.fromkeys(LANES, self._stage.requests_last_hour)
        return Load(rps=self.lanes.rps, requests=requests, cpu_share=0.3, instances=4, seconds=0.4, lag_told=True)

    def machines(self, lane: str) -> Machines:
        return Machines(vcpu=2, target_cpu=0.6, memory_mb=1_769)

    def quotas_for(self, lane: str, need: Need | str) -> tuple[Quota, ...]:
        return self._stage.quotas

    def alarm(self, lane: str) -> str | None:
        return self._stage.mishaps.around("alarm", lambda: self._stage.alarms[lane])

    def template_floor(self) -> int | None:
        return 2

    def schedules(self) -> Any:
        return self._stage.mishaps.around("schedules", lambda: self._stage.schedules)

    def facts(
        self, rising: str, *, need: Need | str, load: Load, limits: Limits, smoke_path: str | None, blind: bool = False
    ) -> Facts:
        answered = self._stage.smokes
        return Facts(
            now=self.world.clock.now(),
            rising=rising,
            parameter=self.traffic.parameter(),
            rule=self.traffic.rule(),
            last=self.store.load(),
            digests=dict.fromkeys(LANES, DIGEST),
            need=need,
            most=self.lanes.most(rising),
            alarm=self.alarm(rising),
            smoke=Smoke(answered=answered, of=3, wrong="" if answered == 3 else "HTTP 500"),
            quotas=self._stage.quotas,
            limits=limits,
        )

    def places(self, asked_weights: str | None = None) -> Places:
        return Places(
            stage=self._stage.name,
            parameter=str(self.traffic.parameter()),
            parameter_weights=self.traffic.parameter(),
            rule=self.traffic.rule(),
            record=self.store.load(),
            now=self.world.clock.now(),
            floor=self.lanes.floor("container"),
            template_floor=2,
        )


class Scripted:
    """One stage, at these weights, with all its handles."""

    def __init__(self, name: str = "prod", weights: str = "100:0", rps: float = 100.0) -> None:
        self.name, self.changing, self.smokes, self.requests_last_hour = name, (), 3, 100_000
        self.quotas: tuple[Quota, ...] = ()
        self.alarms: dict[str, str | None] = dict.fromkeys(LANES, "OK")
        self.clock, self.mishaps = HeldClock(), Locked()
        on_lambda, _, on_container = weights.partition(":")
        self.traffic = FakeTraffic(self.mishaps, Weights(int(on_lambda), int(on_container)))
        self.traffic.clock = self.clock
        self.store = FakeStore(self.mishaps)
        self.lanes = ScriptedLanes(self.mishaps, self.clock, self.traffic, rps)
        self.lanes.begin()
        self.hooks = ScriptedHooks()
        self.schedules: ScriptedSchedules | None = None

    def connect(self, stage: str = "", region: str | None = None) -> Any:
        return ScriptedControl(self)

    def let_pass(self, seconds: float) -> None:
        """Time goes on though nobody sleeps."""
        for _ in range(round(seconds)):
            FakeClock.sleep(self.clock, 1.0)


@dataclass
class Served:
    """`said` is what the console said at its end, which `end` brings about."""

    url: str
    said: str = ""
    end: threading.Event = field(default_factory=threading.Event)
    loop: asyncio.AbstractEventLoop | None = None

    @property
    def base(self) -> str:
        return self.url.partition("/#")[0]

    @property
    def key(self) -> str:
        return self.url.partition("#key=")[2]

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It says nothing, though its connections stay open."""
        assert self.loop is not None
        thaw = threading.Event()
        self.loop.call_soon_threadsafe(thaw.wait, 30)
        try:
            yield
        finally:
            thaw.set()

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port


@contextmanager
def serving(stage: Scripted, *, port: int = 0, pace: Pace = QUICK, **options: Any) -> Iterator[Served]:
    """Until the block ends, or whoever is in it sets `end`."""
    served, up = Served(""), threading.Event()
    failed: list[BaseException] = []

    async def run() -> None:
        console = Console(stage.connect(), stage.connect, Options(port=port, pace=pace, **options))
        served.url, served.loop = await console.start(), asyncio.get_running_loop()
        up.set()
        await asyncio.to_thread(served.end.wait)
        served.said = await console.stop()

    def work() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            failed.append(error)
        up.set()

    thread = threading.Thread(target=work, name="console")
    thread.start()
    up.wait(30)
    try:
        if failed:
            raise failed[0]
        yield served
    finally:
        served.end.set()
        thread.join(30)
        assert not thread.is_alive()
