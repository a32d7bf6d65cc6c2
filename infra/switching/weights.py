"""How traffic is split: two weights, as the load balancer's rule and the stage's parameter hold them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from infra.errors import InputError

LANES = ("lambda", "container")
UNITS = {"lambda": "environments", "container": "instances"}
"""What a lane has more or fewer of."""
WHOLE = 100
MOST = 999
"""The largest weight of a target group (Elastic Load Balancing API, TargetGroupTuple)."""

PATTERN = r"^[0-9]{1,3}:[0-9]{1,3}$"
"""What the parameter lets in (`infra.components.traffic_weights`), given again with each value, or it would be lost."""


def other(lane: str) -> str:
    return LANES[1 - LANES.index(lane)]


@dataclass(frozen=True, slots=True)
class Weights:
    """`on_lambda` and `on_container`, 0 to 999 each and not both 0."""

    on_lambda: int
    on_container: int

    def __post_init__(self) -> None:
        if (
            not all(0 <= weight <= MOST for weight in (self.on_lambda, self.on_container))
            or self.on_lambda + self.on_container == 0
        ):
            raise InputError(f"weights {self}: each must be 0 to {MOST}, and not both 0")

    def __str__(self) -> str:
        return f"{self.on_lambda}:{self.on_container}"

    def of(self, lane: str) -> int:
        return self.on_lambda if lane == "lambda" else self.on_container

    def share(self, lane: str) -> float:
        """Share of the requests that the lane gets, 0 to 1."""
        return self.of(lane) / (self.on_lambda + self.on_container)

    def same_split(self, as_: Weights) -> bool:
        """50:50 and 100:100 split alike."""
        return self.on_lambda * as_.on_container == as_.on_lambda * self.on_container

    @property
    def words(self) -> str:
        """As an operator says it: `container 100%`, or `lambda 30%, container 70%`."""
        alone = [lane for lane in LANES if self.share(lane) == 1]
        return f"{alone[0]} 100%" if alone else ", ".join(f"{lane} {self.share(lane):.0%}" for lane in LANES)


def parse_weights(text: str) -> Weights:
    """`<lambda>:<container>`, as the parameter holds it."""
    found = re.fullmatch(r"(\d{1,3}):(\d{1,3})", text.strip())
    if found is None:
        raise InputError(f"weights {text!r}: must be <lambda>:<container>, 0 to {MOST} each, as 30:70")
    return Weights(int(found[1]), int(found[2]))


def parse_goal(words: tuple[str, ...]) -> Weights:
    """What an operator asks for: `container`, `lambda`, or `split 70/30` (lambda/container)."""
    if words in (("lambda",), ("container",)):
        return all_on(words[0])
    found = re.fullmatch(r"split (\d{1,3})/(\d{1,3})", " ".join(words))
    if found is None or int(found[1]) + int(found[2]) != WHOLE:
        raise InputError(
            f"{' '.join(words)!r}: must be lambda, container, or split LAMBDA/CONTAINER, together 100, as split 70/30"
        )
    return Weights(int(found[1]), int(found[2]))


def all_on(lane: str) -> Weights:
    return Weights(WHOLE, 0) if lane == "lambda" else Weights(0, WHOLE)


def between(start: Weights, goal: Weights, percent: int) -> Weights:
    """The split when `percent` of the way has been gone, in whole percent of the traffic, and never back of the start."""
    share = start.share("lambda") + (goal.share("lambda") - start.share("lambda")) * percent / 100
    rising_lambda = goal.share("lambda") > start.share("lambda")
    # Rounded towards the goal: a first step of 1% of the way must move something.
    on_lambda = -(-share * WHOLE // 1) if rising_lambda else share * WHOLE // 1
    return goal if percent == 100 else Weights(int(on_lambda), WHOLE - int(on_lambda))
