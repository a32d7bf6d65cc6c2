"""A world for the switch in memory: a clock that jumps, two lanes that answer traffic by weight, a store that is conditional.

`Mishaps` makes any call fail, be lost on the way back, or kill the driver: before it, or after it had its effect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from msgspec.structs import replace

from infra.switching.observe import World
from infra.switching.ports import Said, Superseded, Unreachable
from infra.switching.record import Event, Record, decode, encode
from infra.switching.verdict import Figures
from infra.switching.weights import LANES, Weights

RPS = 100.0
T = TypeVar("T")


class Killed(BaseException):
    """kill -9: nothing of the driver runs any more."""


@dataclass
class Mishaps:
    """`at` maps the number of a call (over all ports, from 1) to what happens: `kill-before`, `kill-after`, `lose-before`,
    `lose-after` (done, but the answer is lost). `calls` are the names of those that were made."""

    at: dict[int, str] = field(default_factory=dict)
    always: Callable[[str], bool] = lambda name: False
    calls: list[str] = field(default_factory=list)

    def around(self, name: str, do: Callable[[], T]) -> T:
        self.calls.append(name)
        what = self.at.get(len(self.calls), "")
        if what == "kill-before":
            raise Killed(name)
        if what == "lose-before" or self.always(name):
            raise Unreachable(f"{name}: no answer")
        done = do()
        if what == "kill-after":
            raise Killed(name)
        if what == "lose-after":
            raise Unreachable(f"{name}: no answer")
        return done


@dataclass
class FakeClock:
    at: float = 1_000_000.0
    on_sleep: list[Callable[[float], object]] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        for each in self.on_sleep:
            each(self.at)


class FakeStore:
    def __init__(self, mishaps: Mishaps) -> None:
        self._mishaps = mishaps
        self._record: bytes | None = None
        self.events: list[Event] = []

    def load(self) -> Record | None:
        return self._mishaps.around("load", lambda: None if self._record is None else decode(self._record))

    def save(self, record: Record) -> Record:
        def write() -> Record:
            stored = None if self._record is None else decode(self._record)
            if (0 if stored is None else stored.version) != record.version:
                raise Superseded("the record has another version")
            written = replace(record, version=record.version + 1)
            self._record = encode(written)
            return written

        return self._mishaps.around("save", write)

    def append(self, event: Event) -> None:
        self._mishaps.around("append", lambda: self.events.append(event))

    def history(self, last: int) -> Sequence[Event]:
        return self.events[-last:]


class FakeTraffic:
    def __init__(self, mishaps: Mishaps, weights: Weights) -> None:
        self._mishaps = mishaps
        self.in_parameter = self.in_rule = weights
        self.changes: list[tuple[float, Weights]] = []
        self.clock = FakeClock()

    def parameter(self) -> Weights | None:
        return self._mishaps.around("parameter", lambda: self.in_parameter)

    def rule(self) -> Weights | None:
        return self._mishaps.around("rule", lambda: self.in_rule)

    def write(self, weights: Weights) -> None:
        def parameter() -> None:
            self.in_parameter = weights

        def rule() -> None:
            if self.in_rule != weights:
                self.changes.append((self.clock.now(), weights))
            self.in_rule = weights

        self._mishaps.around("write parameter", parameter)
        self._mishaps.around("write rule", rule)


@dataclass
class Lane:
    """How a lane answers: a share of errors, a p99, and what its metrics say when asked."""

    error_share: float = 0.0
    p99_ms: float = 400.0
    throttle_share: float = 0.0
    lag_ms: float = 5.0
    told: bool = True
    ready: int = 2
    standing: int = 4
    floor: int = 2
    prewarms: bool = True


class FakeLanes:
    """Figures come from the weights in force, second by second."""

    def __init__(self, mishaps: Mishaps, clock: FakeClock, traffic: FakeTraffic, rps: float = RPS) -> None:
        self._mishaps, self._clock, self._traffic = mishaps, clock, traffic
        self.rps = rps
        self.lanes = {lane: Lane() for lane in LANES}

    def figures(self, lane: str, since: float) -> Figures:
        def tell() -> Figures:
            its = self.lanes[lane]
            if not its.told:
                return Figures()
            requests = round((self._clock.now() - since) * self.rps * self._traffic.in_rule.share(lane))
            return Figures(
                requests=requests,
                errors=round(requests * its.error_share),
                p99_ms=its.p99_ms if requests else None,
                throttled=round(requests * its.throttle_share) if lane == "lambda" else None,
                loop_lag_ms=its.lag_ms if lane == "container" else None,
                healthy=its.ready if lane == "container" else None,
            )

        return self._mishaps.around("figures", tell)

    def ready(self, lane: str) -> int | None:
        return self._mishaps.around("ready", lambda: self.lanes[lane].ready)

    def prewarm(self, lane: str, units: int) -> None:
        def more() -> None:
            if self.lanes[lane].prewarms:
                self.lanes[lane].ready = max(self.lanes[lane].ready, units)
            self.lanes[lane].floor = max(self.lanes[lane].floor, units)

        self._mishaps.around("prewarm", more)

    def floor(self, lane: str) -> int | None:
        return self._mishaps.around("floor", lambda: self.lanes[lane].floor)

    def release(self, lane: str, units: int) -> None:
        def let() -> None:
            self.lanes[lane].floor = units

        self._mishaps.around("release", let)

    def standing(self, lane: str) -> int | None:
        return self._mishaps.around("standing", lambda: self.lanes[lane].standing)

    def scale_down(self, lane: str, units: int) -> None:
        def less() -> None:
            self.lanes[lane].standing = units

        self._mishaps.around("scale down", less)


class FakeHooks:
    """Gates answer by `gate`, from the target and what it is told; what is sent is kept, unless its receiver is `down`."""

    def __init__(self, mishaps: Mishaps) -> None:
        self._mishaps = mishaps
        self.gate: Callable[[str, dict[str, Any]], Said] = lambda target, told: Said(passes=True)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.down: set[str] = set()
        self._failed: list[str] = []

    def ask(self, target: str, told: dict[str, Any], timeout_s: float) -> Said:
        def answer() -> Said:
            self.asked.append((target, told))
            return self.gate(target, told)

        try:
            return self._mishaps.around("ask gate", answer)
        except Unreachable as error:
            return Said(passes=False, words=str(error))

    def send(self, target: str, told: dict[str, Any], timeout_s: float) -> None:
        if target in self.down:
            self._failed.append(f"{target} could not be told of {told['event']}")
        else:
            self.sent.append((target, told))

    def failures(self) -> Sequence[str]:
        failed, self._failed = self._failed, []
        return failed

    def close(self, wait_s: float) -> None:
        pass


@dataclass
class Stage:
    """One stage's world, with all its handles."""

    clock: FakeClock
    mishaps: Mishaps
    store: FakeStore
    traffic: FakeTraffic
    lanes: FakeLanes
    hooks: FakeHooks

    @property
    def world(self) -> World:
        return World(clock=self.clock, store=self.store, traffic=self.traffic, lanes=self.lanes, hooks=self.hooks)


def stage_at(weights: str = "100:0", rps: float = RPS) -> Stage:
    clock, mishaps = FakeClock(), Mishaps()
    on_lambda, _, on_container = weights.partition(":")
    traffic = FakeTraffic(mishaps, Weights(int(on_lambda), int(on_container)))
    traffic.clock = clock
    return Stage(clock, mishaps, FakeStore(mishaps), traffic, FakeLanes(mishaps, clock, traffic, rps), FakeHooks(mishaps))
