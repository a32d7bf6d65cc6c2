"""What an alarm is, as plain data: one figure with its threshold, or one answer for a whole lane."""

from __future__ import annotations

from dataclasses import dataclass

from infra.components.watch.metrics import Metric

# A share of fewer requests in a minute says nothing: one failure of nine would be 11%.
FEWEST_REQUESTS = 10
PERIOD_S = 60
AT_LEAST, LESS_THAN = "GreaterThanOrEqualToThreshold", "LessThanThreshold"


@dataclass(frozen=True, slots=True)
class Share:
    """Percent of `whole` that are `part`, in minutes with at least `FEWEST_REQUESTS`; 0 in others.

    CloudWatch counts a missing value as 0 in arithmetic, so a minute without a failure is 0 (metric math documentation).
    """

    part: Metric
    whole: Metric

    @property
    def expression(self) -> str:
        return f"IF(whole >= {FEWEST_REQUESTS}, 100 * part / whole, 0)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm: fires when `points[0]` of the last `points[1]` minutes are on the wrong side of `threshold`.

    `missing` is CloudWatch's word for how minutes without data count, `because` why. An `early` one tells before callers
    notice, and is left out of its lane's alarm. `lane` None is the load balancer's.
    """

    key: str
    lane: str | None
    means: str
    reads: Metric | Share
    threshold: float
    because: str
    missing: str = "notBreaching"
    comparison: str = AT_LEAST
    points: tuple[int, int] = (3, 5)
    early: bool = False

    @property
    def metrics(self) -> int:
        """How many metrics it reads, by which it is billed."""
        return 2 if isinstance(self.reads, Share) else 1


@dataclass(frozen=True, slots=True)
class LaneAlarm:
    """One answer to "is this lane well?": in alarm while any of `members` is, or one of `unless`'s keys without its values."""

    key: str
    members: tuple[str, ...]
    unless: tuple[tuple[str, str], ...] = ()

    def rule(self, prefix: str) -> str:
        """CloudWatch's alarm rule over the stage's alarms, whose names begin with `prefix`."""
        plain = [f'ALARM("{prefix}-{key}")' for key in self.members]
        unexplained = [f'(ALARM("{prefix}-{key}") AND NOT ALARM("{prefix}-{other}"))' for key, other in self.unless]
        return " OR ".join([*plain, *unexplained])
