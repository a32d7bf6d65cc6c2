"""Traffic made from stated parameters: day and night, weekdays and weekends, growth, and seeded bursts."""

from __future__ import annotations

import math
import random
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from infra.cost.traffic.profile import TrafficProfile, check_rate
from infra.documents import read_toml
from infra.errors import InputError

SHAPES = Path(__file__).parent / "shapes"


class BurstyShape(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The parameters; `shapes/fortnight.toml` explains each."""

    name: str
    start: date
    days: int
    step_s: int
    peak_rps: float
    night_share: float
    busiest_hour: float
    weekend_factor: float
    growth_per_month: float = 0.0
    noise: float
    bursts_per_day: float
    burst_factor: tuple[float, float]
    burst_minutes: tuple[float, float]
    seed: int

    def __post_init__(self) -> None:
        checks = (
            (1 <= self.days <= 366, "days: must be 1 to 366"),
            (60 <= self.step_s <= 3600 and 3600 % self.step_s == 0, "step_s: must divide an hour, 60 to 3600"),
            (math.isfinite(self.peak_rps) and self.peak_rps > 0, "peak_rps: must be more than 0"),
            (0 < self.night_share <= 1, "night_share: must be above 0, at most 1"),
            (0 <= self.busiest_hour < 24, "busiest_hour: must be 0 to 24"),
            (0 < self.weekend_factor <= 100, "weekend_factor: must be above 0, at most 100"),
            (-0.9 <= self.growth_per_month <= 10, "growth_per_month: must be a share of -0.9 to 10"),
            (0 <= self.noise < 0.5, "noise: must be 0 to 0.5"),
            (0 <= self.bursts_per_day <= 1000, "bursts_per_day: must be 0 to 1000"),
            (1 <= self.burst_factor[0] <= self.burst_factor[1] <= 1000, "burst_factor: must be [low, high], of 1 to 1000"),
            (0 < self.burst_minutes[0] <= self.burst_minutes[1] <= 1440, "burst_minutes: must be [low, high], up to 1440"),
        )
        for right, reason in checks:
            if not right:
                raise ValueError(reason)


def shipped_shapes() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in SHAPES.glob("*.toml")))


def load_shape(name_or_path: str) -> BurstyShape:
    """A shipped shape by its name, or a file of the same fields; `InputError` names file and field."""
    path = SHAPES / f"{name_or_path}.toml" if name_or_path in shipped_shapes() else Path(name_or_path)
    if not path.exists():
        raise InputError(f"shape {name_or_path!r}: not a file, nor one of: {', '.join(shipped_shapes())}")
    try:
        return msgspec.convert(read_toml(path), BurstyShape)
    except ValueError as error:
        raise InputError(f"{path}: not a traffic shape: {error}") from None


def generate_bursty_fortnight(shape: BurstyShape, *, peak_rps: float | None = None) -> TrafficProfile:
    """Rates of the shape, highest step at `peak_rps` (default: the shape's own). Same shape, same rates."""
    rng = random.Random(shape.seed)
    per_day = 86_400 // shape.step_s
    rates = [_curve(shape, step, per_day) * max(0.0, rng.gauss(1, shape.noise)) for step in range(shape.days * per_day)]
    for start, length, factor in _bursts(shape, rng):
        for i in range(length):
            if start + i < len(rates):
                rates[start + i] *= 1 + (factor - 1) * (1 - i / length)
    peak = check_rate(shape.peak_rps if peak_rps is None else peak_rps, "peak rps")
    scale = peak / max(rates)
    parameters = {name: getattr(shape, name) for name in shape.__struct_fields__}
    return TrafficProfile(
        step_s=shape.step_s,
        rates=tuple(round(rate * scale, 6) for rate in rates),
        source=f"generated shape {shape.name!r}, peak {peak:g}/s",
        start=datetime(shape.start.year, shape.start.month, shape.start.day, tzinfo=UTC),
        parameters={**parameters, "start": shape.start.isoformat(), "peak_rps": peak},
        notes=("made from the parameters stated in the report, not measured",),
    )


def _curve(shape: BurstyShape, step: int, per_day: int) -> float:
    """Night to evening as one wave of the day, higher on Saturday and Sunday, and growing by the same share each 30 days."""
    day, within = divmod(step, per_day)
    hour = within * 24 / per_day
    wave = (1 + math.cos((hour - shape.busiest_hour) / 24 * 2 * math.pi)) / 2
    weekday = (shape.start.weekday() + day) % 7
    grown = math.pow(1 + shape.growth_per_month, step / per_day / 30)
    return grown * (shape.night_share + (1 - shape.night_share) * wave) * (shape.weekend_factor if weekday >= 5 else 1.0)


def _bursts(shape: BurstyShape, rng: random.Random) -> list[tuple[int, int, float]]:
    """Start step, length in steps, and factor of each burst; gaps between starts are exponential."""
    bursts = []
    at_s = 0.0
    while shape.bursts_per_day > 0:
        at_s += rng.expovariate(shape.bursts_per_day / 86_400)
        if at_s >= shape.days * 86_400:
            break
        length = max(1, round(rng.uniform(*shape.burst_minutes) * 60 / shape.step_s))
        bursts.append((int(at_s // shape.step_s), length, rng.uniform(*shape.burst_factor)))
    return bursts
