"""What a report rests on beside measurements and prices, each with its value and its reason, and what is not priced."""

from __future__ import annotations

from dataclasses import dataclass

from infra.config import Stage
from infra.cost.capacity import MANAGED_LEAST, OS_MEMORY_MIB, cpu_share
from infra.cost.compare import Comparison
from infra.cost.minimums import is_scheduled, minimums
from infra.cost.surroundings import ACCESS_LOG_ENTRY_BYTES

ALARMS_KEY = "the KMS key of the alarms' topic"
NOT_PRICED = (
    "the suppliers' own fees for searches",
    "discounts agreed with AWS; Savings Plans and reserved instances unless chosen (--savings-plan)",
    "AWS Support, taxes, currency exchange",
    ALARMS_KEY,
    "storage of bundles, hosted zones, deployment pipelines",
    "the work of building and running either lane",
)


@dataclass(frozen=True, slots=True)
class Assumption:
    """One assumption: what, its value, and why or whence."""

    name: str
    value: str
    why: str


def assumptions(comparison: Comparison) -> tuple[Assumption, ...]:
    """All assumptions of one comparison, in the order a reader meets them."""
    stated = (Assumption(*each) for each in comparison.stated)
    return (*stated, *_shared(comparison), *_lambda(comparison), *_container(comparison))


def not_priced(comparison: Comparison) -> tuple[str, ...]:
    """What the totals leave out: always, and for want of a measurement."""
    own = (*comparison.lambda_lane.not_priced, *comparison.container_lane.not_priced)
    lines = {line.service for bill in comparison.bills for line in bill.lines}
    always = tuple(each for each in NOT_PRICED if each != ALARMS_KEY or "awskms" not in lines)
    return (*own, *comparison.unpriced, *always)


def _shared(comparison: Comparison) -> tuple[Assumption, ...]:
    options, traffic = comparison.options, comparison.traffic
    stretch = float(options.month_hours) / traffic.hours
    return (
        Assumption(
            "Month",
            f"{options.month_hours:f} hours",
            f"the traffic profile of {traffic.hours:,.1f} hours is repeated {stretch:,.3f} times",
        ),
        Assumption("Each lane", "serves all of the traffic", "behind a load balancer of its own, so that totals compare"),
        Assumption(
            "CPU scale",
            f"{options.cpu_scale:g}",
            f"CPU time on {comparison.stage.architecture} in AWS over CPU time on the measuring machine "
            f"({comparison.profile.machine}); 1 takes them as equal",
        ),
        _workload(comparison),
        Assumption(
            "Connections",
            f"{options.requests_per_connection:g} searches each",
            f"kept {comparison.stage.traffic.idle_timeout_s} s, the load balancer's idle timeout",
        ),
        Assumption(
            "Free tiers",
            "used, those that never expire" if options.free_tier else "not used",
            "they belong to the account: nothing else in it is taken to use them; those of its first 12 months are left out"
            if options.free_tier
            else "they belong to the account, which other workloads may have used up",
        ),
        Assumption("Gigabyte", "10^9 bytes", "for transfer and logs; counting 2^30 bytes would be 7% less"),
        Assumption("Data transfer in", "free", "answers of suppliers cost nothing to receive without a NAT gateway"),
        *_bought(comparison),
        *_around(comparison.stage),
    )


def _bought(comparison: Comparison) -> tuple[Assumption, ...]:
    plan = comparison.options.savings_plan
    if plan is None:
        return ()
    rates = {
        f"{rate.service} {rate.discount:.0%}": rate.source for rate in comparison.prices.savings_plans if rate.plan == plan
    }
    why = "the cheapest commitment for each lane's hours; not for requests, spot or fees; rates: "
    return (Assumption("Savings plan", f"{plan}: {', '.join(rates)}", why + "; ".join(dict.fromkeys(rates.values()))),)


def _around(stage: Stage) -> tuple[Assumption, ...]:
    """What stands around the lanes, where the stage has it."""
    found = []
    if stage.traffic.access_log_days is not None:
        found.append(
            Assumption(
                "Access logs",
                f"{ACCESS_LOG_ENTRY_BYTES} bytes a search",
                "an entry before compression; AWS stores files compressed, so this is an upper bound",
            )
        )
    if stage.traffic.domain is not None:
        found.append(
            Assumption(
                "Domain",
                "queries are free",
                "Route 53 does not charge for queries of an alias to a load balancer; the hosted zone is there already",
            )
        )
    if stage.cache.kind == "serverless":
        found.append(
            Assumption("Shared cache", "full, and asked for every answer", "an upper bound: how much is kept was not measured")
        )
    return tuple(found)


def _workload(comparison: Comparison) -> Assumption:
    conditions = comparison.profile.conditions
    if conditions is None:
        return Assumption("Workload", "not measured", comparison.profile.machine)
    return Assumption(
        "Load of the measurement",
        f"{conditions.searches_per_second:g} searches/s",
        "CPU a search depends on the rate; it is taken to be the same at every rate",
    )


def _lambda(comparison: Comparison) -> tuple[Assumption, ...]:
    memory = comparison.stage.lambda_lane.memory_mb
    if comparison.stage.lambda_lane.managed_concurrency is not None:
        return (
            Assumption(
                "Lambda Managed Instances",
                f"{comparison.stage.container_lane.target_utilization:.0%} CPU, {MANAGED_LEAST} instances at least",
                "sized as the container lane is and on demand, at the price of its first type: AWS chooses the instances",
            ),
        )
    return (
        Assumption(
            "Lambda CPU",
            f"{cpu_share(memory):.2f} vCPU at {memory} MB",
            "memory / 1,769 MB, at most one vCPU for a single-threaded handler; waiting does not shrink with memory",
        ),
        Assumption(
            "Lambda cold starts",
            f"{comparison.lambda_lane.capacity['cold_starts_per_month']:,.0f} a month",
            "one for each rise in rate × duration between steps; AWS also replaces environments at times of its own",
        ),
    )


def _container(comparison: Comparison) -> tuple[Assumption, ...]:
    fleet = comparison.stage.container_lane
    least = minimums(fleet, comparison.traffic)
    return (
        Assumption(
            "Container scaling",
            f"{fleet.target_utilization:.0%} CPU, {min(least)} to {fleet.max_instances} instances",
            "the fleet follows each step at once; boot time and spot interruptions are not simulated",
        ),
        *_scheduled(comparison, least),
        Assumption(
            "Container purchase",
            f"{fleet.on_demand_base} on demand, above that {fleet.spot_percent}% spot",
            f"on demand at the price of {fleet.instance_types[0]}, spot at the mean estimate of "
            f"{', '.join(fleet.instance_types)}",
        ),
        Assumption("Container logs", "stay on the instances", "in their journals, which go with them"),
        Assumption(
            "Container memory",
            f"{fleet.workers_per_vcpu} worker a vCPU, {OS_MEMORY_MIB} MiB for the system",
            "checked to fit every instance type",
        ),
    )


def _scheduled(comparison: Comparison, least: tuple[int, ...]) -> tuple[Assumption, ...]:
    fleet, traffic = comparison.stage.container_lane, comparison.traffic
    if not is_scheduled(fleet, traffic):
        return ()
    why = "each stays until the next fires, in UTC (container_lane.schedules)"
    if traffic.start is None:
        why += "; the traffic has no calendar, so it is repeated over a mean week from Monday, 0 h"
    mean = sum(least) / len(least)
    return (Assumption("Scheduled minimums", f"{min(least)} to {max(least)} instances at least, {mean:.2f} in the mean", why),)
