"""The whole deployment in one place: the stacks of a stage, wired, tagged and checked against AwsSolutions.

lanes                   stacks
lambda,container        foundation, lambda, container, traffic, watch
container               foundation, container, traffic, watch
lambda                  foundation, lambda, traffic, watch
lambda, its own front   lambda, watch

With `switch.scheduled` there is a stack `schedule` besides.
"""

from __future__ import annotations

from aws_cdk import App, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from infra.components.release import Release
from infra.config import Stage
from infra.stacks.foundation import FoundationStack
from infra.stacks.lanes import ContainerStack, LambdaStack
from infra.stacks.schedule import ScheduleStack
from infra.stacks.traffic import TrafficStack
from infra.stacks.watch import Watched, WatchStack, is_watched


def assemble(app: App, stage: Stage, release: Release) -> None:
    """Add the stage's stacks to `app`; synthesis then refuses any AwsSolutions finding that has no recorded reason."""
    prefix = stage.resource_prefix
    foundation = FoundationStack(app, f"{prefix}-foundation", stage=stage) if stage.has_load_balancer else None
    network = foundation.network if foundation is not None else None
    function: LambdaStack | None = None
    container: ContainerStack | None = None
    traffic: TrafficStack | None = None
    target_groups = {}
    if "lambda" in stage.lanes:
        function = LambdaStack(app, f"{prefix}-lambda", stage=stage, release=release, network=network)
        if function.target_group is not None:
            target_groups["lambda"] = function.target_group
    if foundation is not None:
        if "container" in stage.lanes:
            container = ContainerStack(app, f"{prefix}-container", stage=stage, release=release, network=foundation.network)
            target_groups["container"] = container.target_group
        traffic = TrafficStack(app, f"{prefix}-traffic", stage=stage, network=foundation.network, target_groups=target_groups)
        traffic.add_stack_dependency(foundation)  # reads its parameter by name, which CDK cannot see
    scheduled: ScheduleStack | None = None
    if release.switcher is not None:
        scheduled = ScheduleStack(app, f"{prefix}-schedule", stage=stage, code=release.switcher)
    if is_watched(stage):
        watched = Watched(
            function_name=function.lane.function.function_name if function else None,
            lambda_target_group=function.target_group if function else None,
            group_name=container.lane.group.auto_scaling_group_name if container else None,
            container_target_group=container.target_group if container else None,
            load_balancer=traffic.balancing.load_balancer.load_balancer_arn if traffic else None,
            dead_letters=scheduled.switcher.letters.queue_name if scheduled else None,
        )
        WatchStack(app, f"{prefix}-watch", stage=stage, watched=watched)
    # Tags are for the bill, on which a parameter never stands.
    Tags.of(app).add("crossover:stage", stage.name, exclude_resource_types=["AWS::SSM::Parameter"])
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
