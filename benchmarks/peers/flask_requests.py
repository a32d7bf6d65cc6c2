"""Flask, a thread per call, requests: gunicorn's threaded worker, one shared pool of threads, one session per thread."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import requests
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from benchmarks.peers.search import DEADLINE_S, SUPPLIERS, availability_url, check, headers, offers_of, result

app = Flask(__name__)
app.json.sort_keys = False  # type: ignore[attr-defined]
pool = ThreadPoolExecutor(max_workers=400)
local = threading.local()


def session() -> requests.Session:
    """requests' sessions are not thread-safe, so each thread has its own."""
    if not hasattr(local, "session"):
        local.session = requests.Session()
        local.session.mount("http://", requests.adapters.HTTPAdapter(pool_connections=50))
        local.session.mount("https://", requests.adapters.HTTPAdapter(pool_connections=50))
    return local.session  # type: ignore[no-any-return]


def ask(supplier: dict[str, Any], search: dict[str, Any]) -> list[dict[str, Any]]:
    response = session().get(availability_url(supplier, search), headers=headers(), timeout=DEADLINE_S)
    response.raise_for_status()
    return offers_of(supplier["id"], response.json(), str(search["adults"]))


@app.get("/healthz")
def healthz() -> ResponseReturnValue:
    return {"status": "live"}


@app.get("/search")
def search() -> ResponseReturnValue:
    started = time.perf_counter()
    query, errors = check(request.args)
    if query is None:
        return jsonify(errors), 422
    futures = [pool.submit(ask, supplier, query) for supplier in SUPPLIERS]
    wait(futures, timeout=DEADLINE_S)
    answers: list[tuple[str, str, list[dict[str, Any]]]] = []
    for supplier, future in zip(SUPPLIERS, futures, strict=True):
        if not future.done():
            future.cancel()
            answers.append((supplier["id"], "timeout", []))
        elif future.exception() is not None:
            answers.append((supplier["id"], "error", []))
        else:
            answers.append((supplier["id"], "ok", future.result()))
    return jsonify(result(query, answers, started))
