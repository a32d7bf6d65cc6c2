"""What a load balancer and its functions have done since the last time somebody took the count."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from infra.lab.forwarding import ElbError, Forwarded
from infra.lab.lambda_lane import InvokeResult


def rounded(value: float) -> float:
    """To three significant digits: CloudWatch takes distinct values with how often each was."""
    return float(f"{value:.3g}")


@dataclass(slots=True)
class GroupCounts:
    """One target group: `size` bytes of bodies, `statuses` by hundreds (2 for 2xx), `waited_s` the target response times and
    how often each was."""

    requests: int = 0
    size: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    waited_s: Counter[float] = field(default_factory=Counter)
    connection_errors: int = 0
    function_errors: int = 0
    service_errors: int = 0
    healthy: Counter[float] = field(default_factory=Counter)
    unhealthy: Counter[float] = field(default_factory=Counter)


@dataclass(slots=True)
class FunctionCounts:
    """One function behind one alias or version; `at_once` samples how many events were under way, one for each event. Of the
    events, `on_provisioned` found an environment that was started ahead, `spilled` came when all of those had one."""

    invocations: int = 0
    on_provisioned: int = 0
    spilled: int = 0
    errors: int = 0
    throttles: int = 0
    duration_ms: Counter[float] = field(default_factory=Counter)
    at_once: Counter[float] = field(default_factory=Counter)

    def ended(self, result: InvokeResult) -> None:
        """A throttled or refused event is no invocation."""
        if result.status == 429:
            self.throttles += 1
        elif result.status == 200:
            self.invocations += 1
            self.errors += result.error_type is not None
            self.duration_ms[rounded(result.duration_ms)] += 1


@dataclass(slots=True)
class Counts:
    """A minute's worth. `groups` are by ARN, `functions` by what was invoked (`name` or `name:alias`), `elb_statuses` the
    statuses that no target gave; `functions_size` is what of the bodies went to functions and came from them."""

    groups: dict[str, GroupCounts] = field(default_factory=dict)
    functions: dict[str, FunctionCounts] = field(default_factory=dict)
    elb_statuses: Counter[int] = field(default_factory=Counter)
    fixed_responses: int = 0
    redirects: int = 0
    new_connections: int = 0
    most_connections: int = 0
    functions_size: int = 0

    def group(self, arn: str) -> GroupCounts:
        found = self.groups.get(arn)
        if found is None:
            found = self.groups[arn] = GroupCounts()
        return found

    def function(self, resource: str) -> FunctionCounts:
        found = self.functions.get(resource)
        if found is None:
            found = self.functions[resource] = FunctionCounts()
        return found

    def answered(self, arn: str, forwarded: Forwarded) -> None:
        """A request for which a target was chosen."""
        group, response = self.group(arn), forwarded.response
        group.requests += 1
        group.size += forwarded.size
        if isinstance(response, ElbError):
            self.elb_statuses[response.status] += 1
            group.connection_errors += response.because == "connect"
            group.function_errors += response.because == "function"
            group.service_errors += response.because == "service"
            return
        group.statuses[response.status // 100] += 1
        if forwarded.waited_s is not None:
            group.waited_s[rounded(forwarded.waited_s)] += 1


class Tally:
    """Counts into `now` until it is taken."""

    def __init__(self) -> None:
        self.now = Counts()

    def take(self) -> Counts:
        taken, self.now = self.now, Counts()
        return taken
