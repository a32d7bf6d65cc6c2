"""`python -m infra.lab.aws.server PORT [--fail TYPE] [--live] [--speed N --origin S]`: moto's server with what it lacks, on
loopback.

Ends with the process that started it. moto logs each resource type of a template that it leaves out.
"""

from __future__ import annotations

import argparse
import ctypes
import logging
import signal
import time

from moto.server import main

from infra.lab.aws import calls, lambda_resources, secrets, stack_life, watching
from infra.lab.aws.lab_pages import LabPages
from infra.lab.lab_time import LabTime

PR_SET_PDEATHSIG = 1


def serve(port: int, faults: list[str], lab_time: LabTime, *, live: bool) -> None:
    """`pages` and `lab_time` are for whoever installs something that has pages or a clock."""
    pages = LabPages()
    pages.install()
    calls.install()
    lambda_resources.install()
    secrets.install()
    watching.install(pages, lab_time, live=live)
    stack_life.install(stack_life.Faults(faults))
    logging.basicConfig(level=logging.INFO)
    main(["--host", "127.0.0.1", "--port", str(port)])


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--fail", action="append", default=[])
    parser.add_argument("--live", action="store_true", help="groups follow their load")
    parser.add_argument("--speed", type=float, default=1.0, help="lab seconds in a real one")
    parser.add_argument("--origin", type=float, default=time.time(), help="when both clocks agree, in seconds since 1970")
    arguments = parser.parse_args()
    serve(arguments.port, arguments.fail, LabTime(arguments.speed, arguments.origin), live=arguments.live)
