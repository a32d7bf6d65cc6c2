"""The whole deployment in one place: the stacks of a stage, wired, tagged and checked against AwsSolutions."""

from __future__ import annotations

from aws_cdk import App, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from infra.components.release import Release
from infra.config import Stage
from infra.stacks.foundation import FoundationStack
from infra.stacks.lanes import ContainerStack, LambdaStack
from infra.stacks.traffic import TrafficStack
from infra.stacks.watch import Watched, WatchStack, is_watched


def assemble(app: App, stage: Stage, release: Release) -> None:
    """Add the stage's stacks to `app`; synthesis then refuses any AwsSolutions finding that has no recorded reason."""
    prefix = stage.resource_prefix
    foundation = FoundationStack(app, f"{prefix}-foundation", stage=stage)
    function = LambdaStack(app, f"{prefix}-lambda", stage=stage, release=release, network=foundation.network)
    container = ContainerStack(app, f"{prefix}-container", stage=stage, release=release, network=foundation.network)
    assert function.lane.target_group is not None
    traffic = TrafficStack(
        app,
        f"{prefix}-traffic",
        stage=stage,
        network=foundation.network,
        target_groups={"lambda": function.lane.target_group.ref, "container": container.lane.target_group.ref},
    )
    traffic.add_stack_dependency(foundation)  # reads its parameter by name, which CDK cannot see
    if is_watched(stage):
        watched = Watched(
            function_name=function.lane.function.function_name,
            lambda_target_group=function.lane.target_group.ref,
            group_name=container.lane.group.auto_scaling_group_name,
            container_target_group=container.lane.target_group.ref,
            load_balancer=traffic.balancing.load_balancer.load_balancer_arn,
        )
        WatchStack(app, f"{prefix}-watch", stage=stage, watched=watched)
    # Tags are for the bill, on which a parameter never stands.
    Tags.of(app).add("crossover:stage", stage.name, exclude_resource_types=["AWS::SSM::Parameter"])
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
