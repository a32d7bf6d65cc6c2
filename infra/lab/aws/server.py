"""`python -m infra.lab.aws.server PORT [--fail TYPE]`: moto's server with what its CloudFormation lacks, on loopback.

Ends with the process that started it. moto logs each resource type of a template that it leaves out.
"""

from __future__ import annotations

import argparse
import ctypes
import logging
import signal

from moto.server import main

from infra.lab.aws import calls, lambda_resources, secrets, stack_life

PR_SET_PDEATHSIG = 1


def serve(port: int, faults: list[str]) -> None:
    calls.install()
    lambda_resources.install()
    secrets.install()
    stack_life.install(stack_life.Faults(faults))
    logging.basicConfig(level=logging.INFO)
    main(["--host", "127.0.0.1", "--port", str(port)])


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--fail", action="append", default=[])
    arguments = parser.parse_args()
    serve(arguments.port, arguments.fail)
