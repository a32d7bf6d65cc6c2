"""`python -m infra.lab.aws.server PORT [--fail TYPE] [--live] [--speed N --origin S]`: moto's server with what it lacks, on
loopback.

Ends with the process that started it. moto logs each resource type of a template that it leaves out.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time

# Where this package is at hand, jsonschema, which moto imports, builds a grammar of IRIs from it: seconds of CPU at each start,
# for a format that nothing here checks.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

from moto.server import main  # noqa: E402

from infra.lab.aws import (  # noqa: E402
    balancing,
    calls,
    front_name,
    group_calls,
    group_templates,
    instance_pages,
    invocations,
    lambda_functions,
    lambda_resources,
    provisioned,
    quotas,
    secrets,
    signals,
    signing_time,
    stack_life,
    targets,
    watching,
)
from infra.lab.aws.groups import Groups  # noqa: E402
from infra.lab.aws.lab_pages import LabPages  # noqa: E402
from infra.lab.aws.scheduler import resources as scheduler_resources  # noqa: E402
from infra.lab.lab_time import LabTime  # noqa: E402


def serve(port: int, faults: list[str], lab_time: LabTime, *, live: bool, front: str) -> None:
    """`live`: instances take their time, and others tell what becomes of them (`infra.lab.live`). `front` is where the lab's
    load balancer listens, `host:port`."""
    pages = LabPages()
    pages.install()
    front_name.install(front, pages)
    signing_time.install()
    calls.install()
    balancing.install()
    known_targets = targets.install(pages, lab_time)
    lambda_resources.install(provisioned.install(pages, lab_time, quotas.install(pages)))
    lambda_functions.install(f"http://localhost:{port}")
    scheduler_resources.install()
    secrets.install()
    signals.install()
    group_templates.install()
    if live:
        groups = Groups(lab_time, known_targets)
        group_calls.install(groups)
        instance_pages.install(pages, groups)
        invocations.install(pages)
    watching.install(pages, lab_time, live=live)
    stack_life.install(stack_life.Faults(faults))
    logging.basicConfig(level=logging.INFO)
    main(["--host", "127.0.0.1", "--port", str(port)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--fail", action="append", default=[])
    parser.add_argument("--live", action="store_true", help="instances boot, wait for their hooks and drain")
    parser.add_argument("--front", default="", metavar="HOST:PORT", help="what load balancers are called")
    parser.add_argument("--speed", type=float, default=1.0, help="lab seconds in a real one")
    parser.add_argument("--origin", type=float, default=time.time(), help="when both clocks agree, in seconds since 1970")
    arguments = parser.parse_args()
    serve(
        arguments.port, arguments.fail, LabTime(arguments.speed, arguments.origin), live=arguments.live, front=arguments.front
    )
