"""The way to a deployed stage for the commands that read figures of it: clients, the region's rule, the traffic it had."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from infra.operating.stage import settings_of

if TYPE_CHECKING:
    from infra.aws_calls import AwsClients
    from infra.cost.traffic.profile import TrafficProfile


def clients_of(stage: str, region: str | None) -> AwsClients:
    """Clients of the stage's region: the one given, else of stages.toml, else as AWS's own tools have it. Tests hand in others
    as the context's object."""
    given = click.get_current_context().find_root().obj
    if given is not None:
        return given(stage, region)  # type: ignore[no-any-return]
    from infra.aws_calls import AwsClients

    settings = settings_of(stage)
    return AwsClients(region or (settings.region if settings else None) or os.environ.get("AWS_REGION"))


def read_live_traffic(address: str) -> TrafficProfile:
    """Of `cloudwatch:STAGE` or `cloudwatch:STAGE:DAYS`; `InputError` for another, `KitError` where AWS does not tell."""
    from infra.cost.live.stage import find_stage
    from infra.cost.live.traffic import profile_of, read_address, read_counts

    name, days = read_address(address)
    aws = clients_of(name, None)
    return profile_of(read_counts(aws, find_stage(aws, name), days=days, now=time.time()), name)
