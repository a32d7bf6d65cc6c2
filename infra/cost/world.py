"""What a comparison is made of, as one value, so that one part can be changed and the others kept."""

from __future__ import annotations

from dataclasses import dataclass

from infra.config import Stage
from infra.cost.lane import CostOptions
from infra.cost.prices.book import PriceBook
from infra.cost.profile import WorkloadProfile
from infra.cost.traffic.profile import TrafficProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    profile: WorkloadProfile
    traffic: TrafficProfile
    book: PriceBook
    stage: Stage
    options: CostOptions
