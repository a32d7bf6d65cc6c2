"""A service of one's own that shows what a runtime client does with it; `tree` lays it over the kit's."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from infra.lab.lambda_lane import runtime_folder
from infra.lab.runtime_api import Code
from tests.conftest import ROOT

BOOTSTRAP = """
import asyncio, json, logging, os, random, time
from pathlib import Path
from urllib.parse import parse_qs

random.seed(7)
log = logging.getLogger("own")
seen = {"startups": 0, "running": 0, "most": 0, "cancelled": 0}

async def lifespan(receive, send):
    await receive()
    seen["startups"] += 1
    await send({"type": "lifespan.startup.complete"})
    await receive()
    Path(os.environ["LEFT"]).write_text("left")
    await send({"type": "lifespan.shutdown.complete"})

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    query = parse_qs(scope["query_string"].decode())
    seen["running"] += 1
    seen["most"] = max(seen["most"], seen["running"])
    try:
        answer = await answered(scope, query)
    except asyncio.CancelledError:
        seen["cancelled"] += 1
        raise
    finally:
        seen["running"] -= 1
    body = json.dumps(answer).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})

async def answered(scope, query):
    path, context = scope["path"], scope["aws.context"]
    if path == "/sleep":
        log.warning("before %s", query["name"][0])
        await asyncio.sleep(float(query["s"][0]))
        log.warning("after %s", query["name"][0])
    if path == "/raise":
        raise LookupError("nothing is here")
    if path == "/big":
        return "x" * int(query["size"][0])
    if path == "/random":
        return random.random()
    if path == "/context":
        return {"id": context.aws_request_id, "remaining": context.get_remaining_time_in_millis(),
                "name": context.function_name, "memory": context.memory_limit_in_mb,
                "trace": os.environ.get("_X_AMZN_TRACE_ID", "")[:7], "arn": context.invoked_function_arn}
    return {**seen, "pid": os.getpid()}

def create_app():
    if os.environ.get("BROKEN"):
        raise LookupError("there is no way to start")
    return app
"""


def own_code(folder: Path, **environment: str) -> Code:
    """The service under AWS's client, on this interpreter; `LEFT` is the file that leaving its lifespan writes."""
    for package in ("app", "lambda_handler", "secret_values"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "data"))
    (folder / "app" / "bootstrap.py").write_text(BOOTSTRAP)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    runtime = runtime_folder(version, Path(sys.executable))
    return Code(folder, Path(sys.executable), {"LEFT": str(folder / "left"), **environment}, runtime)
