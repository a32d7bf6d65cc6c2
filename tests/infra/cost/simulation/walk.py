"""The same fleet walked minute by minute, instance by instance: what the sorted minutes must agree with."""

from __future__ import annotations

import math

from infra.cost.simulation.fleet import METRIC_DELAY_S, FleetRule, spot_among


def walk(
    rates: list[float], step_s: int, rule: FleetRule, rps: float, ceiling: float = 1.0, minimums: list[int] | None = None
) -> dict[str, float]:
    """Instance-hours by way of paying, seconds missed and requests beyond, of the second of two rounds of the profile.
    `minimums` are the fewest instances of each step, which the clock launches without a metric's minute."""
    least = minimums or [rule.minimum] * len(rates)
    boot = math.ceil(rule.boot_s / step_s)
    delay = math.ceil((rule.boot_s + METRIC_DELAY_S) / step_s)
    kept = math.ceil(rule.scale_in_s / step_s)
    needed = [-(10**9)] * (rule.maximum + 1)  # when the instance of that number was last asked for
    serves = [0] * (rule.maximum + 1)
    running = [number <= least[0] for number in range(rule.maximum + 1)]
    told = {"on_demand_hours": 0.0, "spot_hours": 0.0, "missed_s": 0.0, "beyond": 0.0}
    for now in range(2 * len(rates)):
        rate = rates[now % len(rates)]
        want = math.ceil(rate * (1 + rule.headroom) / (rps * rule.target) - 1e-9)
        for number in range(1, rule.maximum + 1):
            if number <= want:
                needed[number] = now
            if number <= least[now % len(rates)]:
                if not running[number]:
                    serves[number] = now + boot
                running[number], serves[number] = True, min(serves[number], now + boot)
            elif number <= want and not running[number]:
                running[number], serves[number] = True, now + delay
            elif now - needed[number] > kept:
                running[number] = False
        if now < len(rates):
            continue
        billed = sum(running[1:])
        serving = sum(on and now >= since for on, since in zip(running[1:], serves[1:], strict=True))
        spot = spot_among(billed, rule)
        told["on_demand_hours"] += (billed - spot) * step_s / 3600
        told["spot_hours"] += spot * step_s / 3600
        lacking = rate - serving * rps * ceiling
        if lacking > 1e-9:
            told["missed_s"] += step_s
            told["beyond"] += lacking * step_s
    return told
