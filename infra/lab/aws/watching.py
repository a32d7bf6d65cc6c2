"""What watches and times the local AWS, put into moto's server in one go: lab time, faults, CloudWatch, target tracking."""

from __future__ import annotations

from infra.lab.aws import lab_clock, scaling_policies, signing_time
from infra.lab.aws.api_faults import ApiFaults
from infra.lab.aws.cloudwatch import responses
from infra.lab.aws.cloudwatch.backend import CloudWatch
from infra.lab.aws.lab_pages import LabPages
from infra.lab.aws.target_tracking import TargetTracking
from infra.lab.lab_time import LabTime


def install(pages: LabPages, lab_time: LabTime, *, live: bool) -> None:
    """After whatever else changes how autoscaling groups are made. `live`: their sizes follow their metrics."""
    cloudwatch = CloudWatch(lab_time)
    lab_clock.install(lab_time, pages)
    ApiFaults().install(pages)
    signing_time.install()
    responses.install(cloudwatch, pages)
    scaling_policies.install()
    if live:
        TargetTracking(cloudwatch).install()
