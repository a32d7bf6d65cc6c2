"""Who is told when something is wrong, and from which figures on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from infra.settings.setting import Checks, setting

# What the agent on each instance of the container lane sends to the namespace `Crossover`: the lane is scaled by them.
AGENT_METRICS = ("EventLoopBusy", "EventLoopLagP99", "SearchesInFlight", "SuppliersHeldBack")
AGENT_METRICS_EVERY_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """The stage's dashboard, alarms and budget."""

    dashboard: bool = setting(True, "a CloudWatch dashboard with both lanes side by side")
    alarms: bool = setting(True, "CloudWatch alarms, each with a page in docs/runbooks/")
    email: str | None = setting(
        None, "address that is written to when an alarm fires or the budget is passed; confirm AWS's first message"
    )
    error_percent: float = setting(1.0, "share of failed requests from which a lane's alarm fires")
    p99_ms: int = setting(2_500, "99th percentile of the response time from which a lane's alarm fires")
    loop_lag_ms: int = setting(100, "99th percentile of event-loop lag from which the container lane's alarm fires")
    runbooks_url: str = setting(
        "docs/runbooks", "where the alarms' pages are read, the folder's URL in your repository; stands in each alarm"
    )
    monthly_budget_usd: int | None = setting(
        None, "budget of the stage, a month; a message at 80% spent and at 100% forecast; needs `email`"
    )

    def checks(self) -> Checks:
        return (
            (
                self.email is None or re.fullmatch(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+", self.email) is not None,
                f"watch.email: {self.email!r} must be one e-mail address",
            ),
            (0 < self.error_percent <= 100, "watch.error_percent: must be more than 0 and at most 100"),
            (1 <= self.p99_ms <= 60_000, "watch.p99_ms: must be 1 to 60000"),
            (1 <= self.loop_lag_ms <= 60_000, "watch.loop_lag_ms: must be 1 to 60000"),
            (
                re.fullmatch(r"(https?://[^/\s]+|docs)(/[^\s/]+)*", self.runbooks_url) is not None
                and len(self.runbooks_url) <= 300,
                f"watch.runbooks_url: {self.runbooks_url!r} must be an http:// or https:// URL without a slash at its end, "
                "or docs/runbooks",
            ),
            (
                self.monthly_budget_usd is None or self.monthly_budget_usd >= 1,
                "watch.monthly_budget_usd: must be 1 or more, or none",
            ),
            (
                self.monthly_budget_usd is None or self.email is not None,
                "watch.monthly_budget_usd: needs watch.email, to which AWS writes",
            ),
        )
