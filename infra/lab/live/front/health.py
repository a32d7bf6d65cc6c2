"""When a target is healthy: a pure state machine over the results of its health checks.

Source: Elastic Load Balancing, "Health checks for Application Load Balancer target groups". A target that has just been
registered must pass one check; one that is unhealthy as many in a row as its group says; one that is healthy, or new, is
unhealthy after so many failures in a row. States, reason codes and descriptions are those of `TargetHealth` (API reference).
"""

from __future__ import annotations

from dataclasses import dataclass

from infra.lab.live.front.groups import HealthCheck

INITIAL, HEALTHY, UNHEALTHY, UNAVAILABLE = "initial", "healthy", "unhealthy", "unavailable"


@dataclass(frozen=True, slots=True)
class Result:
    """How one check ended: the status that was answered, or None with whether the time was over."""

    status: int | None = None
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """`passed` and `failed` count the last results in a row; `since` is when the state began, in lab seconds since 1970."""

    state: str
    reason: str | None = None
    description: str | None = None
    passed: int = 0
    failed: int = 0
    since: float = 0.0

    def told(self) -> dict[str, str]:
        """As elbv2 has it."""
        told = {"State": self.state, "Reason": self.reason, "Description": self.description}
        return {name: text for name, text in told.items() if text is not None}


REGISTERED = Status(INITIAL, "Elb.RegistrationInProgress", "Target registration is in progress")
NOT_CHECKED = Status(UNAVAILABLE, "Target.HealthCheckDisabled", "Health checks are not enabled for this target")


def after(status: Status, result: Result, check: HealthCheck, now: float) -> Status:
    """What a target is once this result is known."""
    if result.status is not None and check.accepts(result.status):
        passed = status.passed + 1
        if status.state == HEALTHY or status.state == INITIAL or passed >= check.healthy_after:
            since = status.since if status.state == HEALTHY else now
            return Status(HEALTHY, passed=passed, since=since)
        return Status(status.state, status.reason, status.description, passed=passed, since=status.since)
    failed = status.failed + 1
    if failed >= check.unhealthy_after:
        reason, description = _why(result)
        since = status.since if status.state == UNHEALTHY else now
        return Status(UNHEALTHY, reason, description, failed=failed, since=since)
    if status.state == INITIAL:
        return Status(INITIAL, "Elb.InitialHealthChecking", "Initial health checks in progress", failed=failed)
    return Status(status.state, status.reason, status.description, failed=failed, since=status.since)


def _why(result: Result) -> tuple[str, str]:
    if result.status is not None:
        return "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{result.status}]"
    if result.timed_out:
        return "Target.Timeout", "Request timed out"
    return "Target.FailedHealthChecks", "Health checks failed"
