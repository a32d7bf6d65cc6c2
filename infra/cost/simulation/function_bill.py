"""What the Lambda lane's compute costs in each draw, as the stage buys it: on demand, with provisioned concurrency, with
SnapStart, with more disk. The same quantities as the bill's (`infra.cost.model`), in floats."""

from __future__ import annotations

import numpy as np

from infra.config import Stage
from infra.cost.capacity import cpu_share
from infra.cost.lines.lambda_ import INCLUDED_MB, SERVICE
from infra.cost.prices.book import Price, PriceBook
from infra.cost.simulation.arrivals import Arrivals, Floats
from infra.cost.simulation.draws import LaneDraws
from infra.cost.simulation.functions import FunctionOutcome
from infra.cost.simulation.plans import Plan, paid_seconds


class FunctionBill:
    """`search_s` are the seconds of a warm search, `usd_per_search` and `usd_per_start` what it and a cold start cost at the
    first tier of each price, on demand. Amounts of a whole month, of `month_hours`, go through the tiers."""

    def __init__(
        self, figures: LaneDraws, book: PriceBook, stage: Stage, plan: Plan, *, month_hours: float, free_tier: bool
    ) -> None:
        self.book, self.stage, self.plan, self.month_hours = book, stage, plan, month_hours
        settings = stage.lambda_lane
        share = cpu_share(settings.memory_mb)
        self.gigabytes, self.provisioned = settings.memory_mb / 1024, settings.provisioned_concurrency or 0
        self.search_s = figures.cpu_s / share + figures.wait_s + 0.0005
        self._start_s = np.zeros_like(self.search_s) if settings.snap_start else figures.cold_s / share
        self._duration = book.price(SERVICE, f"duration_{stage.architecture}")
        self._free = 0.0
        if free_tier and not self.provisioned:
            self._free = float(book.free_tier(SERVICE, "duration").quantity)
        self._request_usd, self._disk_s_usd, restored = self._usd("requests"), 0.0, 0.0
        if settings.ephemeral_mb > INCLUDED_MB:
            self._disk_s_usd = self._usd("ephemeral_storage_over_512_mb") * (settings.ephemeral_mb - INCLUDED_MB) / 1024
        if settings.snap_start:
            restored = self.gigabytes * self._usd("snapstart_restore")
        self._restore_usd = restored
        a_second = float(self._duration.usd) * self.gigabytes
        self.usd_per_search = self._request_usd + self.search_s * (a_second + self._disk_s_usd)
        self.usd_per_start = a_second * self._start_s + restored

    def usd(self, arrivals: Arrivals, run: FunctionOutcome) -> Floats:
        """Dollars a month of the profile repeated; a month has at least the starts of its busiest step."""
        month = self.month_hours / arrivals.hours
        starts = np.maximum(run.cold_starts * month, run.most - self.provisioned)
        served = (arrivals.requests - run.throttled) * month
        running = paid_seconds(arrivals, self.search_s, 0.0, above=self.provisioned)
        gb_s = (running * month - run.throttled * month * self.search_s + starts * self._start_s) * self.gigabytes
        usd = tiered(self._duration, np.maximum(0.0, gb_s - self._free))
        if off := self._discount("duration"):
            paid = paid_seconds(arrivals, self.search_s, off, above=self.provisioned)
            usd = usd * np.divide(paid, running, out=np.ones_like(paid), where=running > 0)
        usd = usd + served * (self._request_usd + self.search_s * self._disk_s_usd) + starts * self._restore_usd
        if self.stage.lambda_lane.snap_start:
            usd = usd + self.gigabytes * self.month_hours * 3600 * self._usd("snapstart_cache")
        return usd + self._provisioned_usd(arrivals, month) if self.provisioned else usd

    def _provisioned_usd(self, arrivals: Arrivals, month: float) -> Floats:
        """What is kept warm all month, and the cheaper seconds that run on it."""
        kept = self.provisioned * self.month_hours * 3600 * (1 - self._discount("provisioned_concurrency"))
        off = self._discount("provisioned_duration")
        used = paid_seconds(arrivals, self.search_s, off, up_to=self.provisioned) * month
        prices = (
            self._usd(f"{name}_{self.stage.architecture}") for name in ("provisioned_concurrency", "provisioned_duration")
        )
        kept_usd, used_usd = (price * self.gigabytes for price in prices)
        return kept * kept_usd + used * used_usd

    def _discount(self, name: str) -> float:
        if not self.plan.covers("lambda"):
            return 0.0
        return self.plan.rate(SERVICE, f"{name}_{self.stage.architecture}") or 0.0

    def _usd(self, dimension: str) -> float:
        return float(self.book.price(SERVICE, dimension).usd)


def tiered(price: Price, amount: Floats) -> Floats:
    """Dollars of amounts through a price's tiers."""
    usd = np.zeros_like(np.asarray(amount, dtype=np.float64))
    for tier in price.tiers:
        end = np.inf if tier.end is None else float(tier.end)
        usd = usd + np.clip(amount - float(tier.start), 0.0, end - float(tier.start)) * float(tier.usd)
    return usd
