"""What the Lambda lane runs in a benchmark: the bundle of these sources for this machine, beside the real runtime client."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec

from benchmarks.command import say
from infra.bundle import Bundle, ensure_bundle, find_interpreter, local_target
from infra.errors import KitError
from infra.lab.lambda_lane import runtime_folder
from infra.lab.runtime_api import Code

_ALB = {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/bench/1"}}


def local_code(environment: Mapping[str, str] | None = None) -> tuple[Bundle, Code]:
    """The bundle, built where there is none of these sources, and how to run it; raises `KitError`."""
    target = local_target()
    interpreter = find_interpreter(target.python)
    if interpreter is None:
        raise KitError(f"no Python {target.python} on this machine")
    bundle = ensure_bundle(target, progress=say)
    env = {"CROSSOVER_LANE": "lambda", **(environment or {})}
    return bundle, Code(bundle.tree, interpreter, env, runtime_folder(target.python, interpreter))


def alb_event(path: str) -> bytes:
    """A GET as a load balancer with multi-value headers, which our stacks switch on, sends it; query values stay encoded."""
    parts = urlsplit(path)
    forwarded = {"x-forwarded-for": "192.0.2.1", "x-forwarded-port": "443", "x-forwarded-proto": "https"}
    return msgspec.json.encode(
        {
            "requestContext": _ALB,
            "httpMethod": "GET",
            "path": parts.path,
            "multiValueQueryStringParameters": {name: [quote(value)] for name, value in parse_qsl(parts.query)},
            "multiValueHeaders": {name: [value] for name, value in {"host": "bench", "accept": "*/*", **forwarded}.items()},
            "body": "",
            "isBase64Encoded": False,
        }
    )
