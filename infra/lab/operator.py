"""`python -m infra.lab.operator COMMAND …`: a `crossover` command against the lab, with a clock that keeps lab time.

    python -m infra.lab.operator switch container --stage dev --yes

The lab is the one at `AWS_ENDPOINT_URL`. A switch waits for whole minutes of CloudWatch; in a lab whose minutes pass in a
second, so does the switch. In one of speed 1 a plain `crossover` does the same.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from collections.abc import Sequence
from typing import TYPE_CHECKING

from infra.errors import InputError, KitError
from infra.lab.lab_time import LabTime

if TYPE_CHECKING:
    from infra.switching.aws.control import Control
    from infra.switching.ports import Clock

ENDPOINT = "AWS_ENDPOINT_URL"
ASKED_S = 5.0


class LabClock:
    """The switch's clock in lab time. `real` is the clock that a switch on AWS has, which goes by AWS's time whatever this
    machine's clock says; without it this machine's is right."""

    def __init__(self, lab_time: LabTime, real: Clock | None = None) -> None:
        self._lab_time, self._real = lab_time, real

    def now(self) -> float:
        return self._lab_time.now() if self._real is None else self._lab_time.at(self._real.now())

    def sleep(self, seconds: float) -> None:
        time.sleep(self._lab_time.real_s(seconds))


def lab_time_at(url: str) -> LabTime:
    """As the lab's AWS tells it."""
    page = f"{url.rstrip('/')}/_lab/time"
    try:
        with urllib.request.urlopen(page, timeout=ASKED_S) as answer:  # noqa: S310 - the user's own endpoint
            told = json.load(answer)
        return LabTime(float(told["speed"]), float(told["origin"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = getattr(error, "reason", None) or error
        raise KitError(f"{page} does not tell the lab's time ({why}); {ENDPOINT} must name a lab that is up") from None


def connect(stage: str, region: str | None) -> Control:
    """As `infra.switching.aws.control.connect`, but for the clock."""
    from infra.commands.at_stage import settings_of
    from infra.switching.aws.calls import Aws
    from infra.switching.aws.clock import AwsClock
    from infra.switching.aws.control import Control
    from infra.switching.aws.resources import find

    url = os.environ.get(ENDPOINT)
    if not url:
        raise InputError(f"{ENDPOINT}: not set; `crossover lab` shows what to export")
    settings = settings_of(stage)
    aws = Aws(region or (settings.region if settings else None) or os.environ.get("AWS_REGION"))
    resources = find(aws, stage)
    lab_time, served_at = lab_time_at(url), resources.served_at
    real = AwsClock(None if served_at is None else lab_time.real_at(served_at))
    return Control(aws, resources, LabClock(lab_time, real))


def main(arguments: Sequence[str] | None = None) -> None:
    from infra.cli import main as crossover

    crossover(list(sys.argv[1:] if arguments is None else arguments), connect)


if __name__ == "__main__":
    main()
