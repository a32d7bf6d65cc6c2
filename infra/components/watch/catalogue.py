"""Every alarm of a stage as plain data: what it reads, from which figure on it fires, and what missing data mean.

Each has a page of its key's name in docs/runbooks/. Imports no `aws_cdk`, so that prices and documentation can be told from it.
"""

from __future__ import annotations

from collections.abc import Iterator

from infra.components.watch.alarm import FEWEST_REQUESTS, LESS_THAN, Alarm, LaneAlarm, Share
from infra.components.watch.metrics import agent, balancer, dead_letters, function, group, lambda_target, target
from infra.config import Stage

RESERVED_SHARE = 0.8
NO_TRAFFIC = "no data is no traffic, which fails nobody"
# By whom the answers of the Lambda lane are counted; an HTTP API counts by its own id, which is not read here.
ANSWERS = {
    "load_balancer": Share(target("lambda", "HTTPCode_Target_5XX_Count"), target("lambda", "RequestCount")),
    "function_url": Share(function("Url5xxCount"), function("UrlRequestCount")),
}


def alarms(stage: Stage) -> tuple[Alarm, ...]:
    """The alarms of a stage, none where it has them turned off."""
    return tuple(_alarms(stage)) if stage.watch.alarms else ()


def lane_alarms(stage: Stage) -> tuple[LaneAlarm, ...]:
    """One for each lane. The load balancer's own answers count for the only lane; with two, those that the Lambda lane's
    502 does not explain are the container lane's: a function is always there and is killed before the balancer gives up."""
    found = alarms(stage)
    lanes = {lane: tuple(a.key for a in found if a.lane == lane and not a.early) for lane in stage.lanes} if found else {}
    shared = tuple(alarm.key for alarm in found if alarm.lane is None)
    made = []
    for lane, own in lanes.items():
        if len(lanes) == 1:
            made.append(LaneAlarm(lane, own + shared))
        elif lane == "container":
            unless = tuple((key, "lambda-502") for key in shared if key == "elb-502")
            made.append(LaneAlarm(lane, own + tuple(key for key in shared if key != "elb-502"), unless))
        else:
            made.append(LaneAlarm(lane, own))
    return tuple(made)


def _alarms(stage: Stage) -> Iterator[Alarm]:
    if "lambda" in stage.lanes:
        yield from _lambda(stage)
        if stage.lambda_lane.front == "load_balancer":
            yield _lambda_502(stage)
        if stage.lambda_lane.front in ANSWERS:
            yield _lambda_5xx(stage)
    if "container" in stage.lanes:
        yield from _container(stage)
        yield from _instances(stage)
    if stage.has_load_balancer:
        yield from _balancer(stage)
    if stage.switch.scheduled:
        yield _schedule()


def _lambda(stage: Stage) -> Iterator[Alarm]:
    lane, percent = stage.lambda_lane, stage.watch.error_percent
    yield Alarm(
        key="lambda-errors",
        lane="lambda",
        means=f"{percent:g}% or more of the function's invocations ended in an error: a raised exception, a timeout, a dead "
        "process. Each was a failed request.",
        reads=Share(function("Errors"), function("Invocations")),
        threshold=percent,
        because=NO_TRAFFIC,
    )
    yield Alarm(
        key="lambda-throttles",
        lane="lambda",
        means="Lambda refuses invocations for want of concurrency. Each was a failed request: 502 behind the load balancer.",
        reads=function("Throttles"),
        threshold=1,
        because=NO_TRAFFIC,
    )
    behind = lane.front == "load_balancer"
    yield Alarm(
        key="lambda-p99",
        lane="lambda",
        means=f"One in a hundred requests to the Lambda lane takes {stage.watch.p99_ms:,} ms or more.",
        reads=target("lambda", "TargetResponseTime", "p99") if behind else function("Duration", "p99"),
        threshold=stage.watch.p99_ms / 1000 if behind else stage.watch.p99_ms,  # the load balancer tells seconds
        because=NO_TRAFFIC,
    )
    if lane.reserved_concurrency:
        yield Alarm(
            key="lambda-concurrency",
            lane="lambda",
            means=f"The function uses {RESERVED_SHARE:.0%} of its reserved concurrency of {lane.reserved_concurrency}; "
            "beyond it requests are throttled.",
            reads=function("ConcurrentExecutions", "Maximum"),
            threshold=RESERVED_SHARE * lane.reserved_concurrency,
            because=NO_TRAFFIC,
            early=True,
        )


def _lambda_502(stage: Stage) -> Alarm:
    percent = stage.watch.error_percent
    return Alarm(
        key="lambda-502",
        lane="lambda",
        means=f"The load balancer answered 502 in the function's place to {percent:g}% or more of the Lambda lane's requests: "
        "errors, timeouts, throttles, answers that are over 1 MB or malformed.",
        reads=Share(lambda_target("LambdaUserError"), target("lambda", "RequestCount")),
        threshold=percent,
        because=NO_TRAFFIC,
    )


def _lambda_5xx(stage: Stage) -> Alarm:
    percent = stage.watch.error_percent
    return Alarm(
        key="lambda-5xx",
        lane="lambda",
        means=f"The service on the Lambda lane answered {percent:g}% or more of its requests with 5xx.",
        reads=ANSWERS[stage.lambda_lane.front],
        threshold=percent,
        because=NO_TRAFFIC,
    )


def _container(stage: Stage) -> Iterator[Alarm]:
    watch = stage.watch
    yield Alarm(
        key="container-5xx",
        lane="container",
        means=f"The service on the container lane answered {watch.error_percent:g}% or more of its requests with 5xx, "
        "searches refused under overload among them.",
        reads=Share(target("container", "HTTPCode_Target_5XX_Count"), target("container", "RequestCount")),
        threshold=watch.error_percent,
        because=NO_TRAFFIC,
    )
    yield Alarm(
        key="container-p99",
        lane="container",
        means=f"One in a hundred requests to the container lane takes {watch.p99_ms:,} ms or more.",
        reads=target("container", "TargetResponseTime", "p99"),
        threshold=watch.p99_ms / 1000,
        because=NO_TRAFFIC,
    )
    yield Alarm(
        key="container-loop-lag",
        lane="container",
        means=f"The event loops of the instances run {watch.loop_lag_ms} ms or more late at the 99th percentile, in the mean "
        "of the instances: something blocks them or they have too much to do.",
        reads=agent("EventLoopLagP99"),
        threshold=watch.loop_lag_ms,
        missing="missing",
        because="the instances publish each minute; without data the lag is unknown, neither good nor bad",
    )


def _instances(stage: Stage) -> Iterator[Alarm]:
    fleet = stage.container_lane
    yield Alarm(
        key="container-healthy-hosts",
        lane="container",
        means=f"Fewer than {fleet.min_instances} instances are healthy, the fewest that the group may have.",
        reads=target("container", "HealthyHostCount", "Minimum"),
        threshold=fleet.min_instances,
        comparison=LESS_THAN,
        missing="breaching",
        because="health checks report without traffic too; nothing to count means that no instance is registered",
        points=(5, 5),
    )
    yield Alarm(
        key="container-unhealthy-hosts",
        lane="container",
        means="At least one instance has failed its health checks through ten minutes, longer than booting or replacing takes.",
        reads=target("container", "UnHealthyHostCount", "Minimum"),
        threshold=1,
        because="nothing to count means that no instance is registered, of which container-healthy-hosts tells",
        points=(10, 10),
        early=True,
    )
    if fleet.max_instances > fleet.min_instances:
        yield Alarm(
            key="container-at-maximum",
            lane="container",
            means=f"All {fleet.max_instances} instances that the group may have are in service, for a quarter of an hour.",
            reads=group("GroupInServiceInstances"),
            threshold=fleet.max_instances,
            missing="missing",
            because="the group reports each minute; without data its size is unknown",
            points=(15, 15),
            early=True,
        )


def _balancer(stage: Stage) -> Iterator[Alarm]:
    percent, whole = stage.watch.error_percent, balancer("RequestCount")
    yield Alarm(
        key="elb-502",
        lane=None,
        means=f"The load balancer answered 502 to {percent:g}% or more of all requests: a function that failed or was "
        "throttled, or an instance that closed the connection.",
        reads=Share(balancer("HTTPCode_ELB_502_Count"), whole),
        threshold=percent,
        because=NO_TRAFFIC,
    )
    yield Alarm(
        key="elb-503",
        lane=None,
        means="The load balancer had no target to send requests to and answered 503.",
        # Counted, not a share: a request for which no target could be chosen is not in RequestCount.
        reads=balancer("HTTPCode_ELB_503_Count"),
        threshold=FEWEST_REQUESTS,
        because=NO_TRAFFIC,
    )
    yield Alarm(
        key="elb-504",
        lane=None,
        means=f"The load balancer waited in vain and answered 504 to {percent:g}% or more of all requests: an instance took no "
        "connection within 10 s, or gave no answer within the idle timeout.",
        reads=Share(balancer("HTTPCode_ELB_504_Count"), whole),
        threshold=percent,
        because=NO_TRAFFIC,
    )


def _schedule() -> Alarm:
    return Alarm(
        key="switch-schedule",
        lane="switch",  # neither lane is unwell for it
        means="A scheduled switch was not made, was refused or was rolled back: traffic is not where the schedule has it.",
        reads=dead_letters("ApproximateNumberOfMessagesVisible"),
        threshold=1,
        because="CloudWatch hears nothing of a queue that has been empty for six hours",
        points=(1, 1),
    )
