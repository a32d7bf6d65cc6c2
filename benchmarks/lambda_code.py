"""What the Lambda lane runs in a benchmark: the bundle of these sources for this machine, beside the real runtime client."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from benchmarks.command import say
from infra.bundle import Bundle, ensure_bundle, find_interpreter, local_target
from infra.errors import KitError
from infra.lab.lambda_lane import runtime_folder
from infra.lab.runtime_api import Code
from infra.lab.target_events import target_event


def local_code() -> tuple[Bundle, Code]:
    """The bundle, built where there is none of these sources, and how to run it; raises `KitError`."""
    target = local_target()
    interpreter = find_interpreter(target.python)
    if interpreter is None:
        raise KitError(f"no Python {target.python} on this machine")
    bundle = ensure_bundle(target, progress=say)
    return bundle, Code(bundle.tree, interpreter, {"CROSSOVER_LANE": "lambda"}, runtime_folder(target.python, interpreter))


def alb_event(path: str) -> bytes:
    """A GET as a load balancer with multi-value headers, which our stacks switch on, sends it."""
    parts = urlsplit(path)
    forwarded = {"x-forwarded-for": "192.0.2.1", "x-forwarded-port": "443", "x-forwarded-proto": "https"}
    headers = {name: [value] for name, value in {"host": "bench", "accept": "*/*", **forwarded}.items()}
    return json.dumps(target_event("GET", parts.path, parts.query, headers, b"", text=False, multi_value=True)).encode()
