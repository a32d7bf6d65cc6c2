"""What must come of a drill, as data: the tests and the long run judge by the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from infra.lab.drills.figures import Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """None is not judged. `outcome` is how the switch must end, `says` what its operator must have been told. `most` and
    `least` bound a drill's own figures (`Figures.more`). `long_p99_ratio` and `long_requests` hold from `long_rounds`
    rounds on, where there are requests enough."""

    most_failed: int | None = 0
    outcome: str | None = None
    says: str | None = None
    most: Mapping[str, float] = field(default_factory=dict)
    least: Mapping[str, float] = field(default_factory=dict)
    long_rounds: int = 10
    long_p99_ratio: float | None = None
    long_requests: int | None = None

    def missed(self, figures: Figures, rounds: int = 1) -> tuple[str, ...]:
        """What is not as it must be, a line each."""
        return tuple(self._missed(figures, rounds >= self.long_rounds))

    def _missed(self, figures: Figures, long: bool) -> Iterator[str]:
        if figures.requests == 0:
            yield "no request was made"
        if self.most_failed is not None and figures.failed > self.most_failed:
            yield f"{figures.failed:,} requests failed, {self.most_failed:,} may"
        most = self.long_p99_ratio
        if long and most is not None and (figures.p99_ratio is None or figures.p99_ratio > most):
            ratio = "not known" if figures.p99_ratio is None else f"{figures.p99_ratio:.2f}"
            yield f"p99 is {ratio} of steady, {most:g} is the most"
        if long and self.long_requests is not None and figures.requests < self.long_requests:
            yield f"{figures.requests:,} requests, {self.long_requests:,} are the least"
        if self.outcome is not None and figures.outcome != self.outcome:
            yield f"the switch ended {figures.outcome or 'in no way'}, not {self.outcome}: {figures.said}"
        if self.says is not None and self.says not in figures.said:
            yield f"its operator was not told {self.says!r} but {figures.said!r}"
        for name, bound in self.most.items():
            yield from self._bounded(name, figures, bound, "most")
        for name, bound in self.least.items():
            yield from self._bounded(name, figures, bound, "least")

    @staticmethod
    def _bounded(name: str, figures: Figures, bound: float, side: str) -> Iterator[str]:
        value = figures.more.get(name)
        if value is None:
            yield f"{name} is not known"
        elif value > bound if side == "most" else value < bound:
            yield f"{name} {value:g}, {bound:g} is the {side}"
