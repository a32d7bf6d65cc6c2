"""What the preflight asks of AWS and of the lanes themselves."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from infra.switching.aws.calls import Aws
from infra.switching.aws.control import Control
from infra.switching.aws.probe import Answer, digest, get, lane_headers
from infra.switching.need import Load
from infra.switching.plan import Limits, Need
from infra.switching.preflight import Facts
from tests.infra.switching.aws.live_stage import name_lanes
from tests.infra.switching.aws.moto_stage import REGION, MotoStage
from tests.infra.switching.world import FakeClock


@pytest.fixture(scope="module", autouse=True)
def named(cloud: MotoStage) -> Iterator[None]:
    """Rules by which a request chooses its lane, for this module."""
    name_lanes(cloud)
    yield
    balancing = boto3.client("elbv2", REGION)
    for rule in balancing.describe_rules(ListenerArn=cloud.resources.listener)["Rules"]:
        if rule["Priority"] in ("1", "2"):
            balancing.delete_rule(RuleArn=rule["RuleArn"])


def test_a_lane_is_asked_with_the_headers_of_its_rule(stage: MotoStage) -> None:
    assert lane_headers(stage.aws, stage.resources) == {
        lane: {"x-crossover-lane": lane, "x-crossover-token": "secret"} for lane in ("lambda", "container")
    }


def facts(stage: MotoStage, **clients: Any) -> Facts:
    aws = Aws(REGION, {"cloudwatch": stage.metrics, "lambda": stage.functions, **clients})
    control = Control(aws, stage.resources, FakeClock(), lambda url, headers: Answer(200, b"{}"))
    need, load = Need(units=1, why="x"), Load(rps=None, requests={})
    return control.facts("container", need=need, load=load, limits=Limits(), smoke_path="/healthz")


def test_the_lanes_composite_alarm_is_asked_and_none_is_none(stage: MotoStage) -> None:
    assert facts(stage).alarm is None
    stage.metrics.alarms = {"crossover-prod-container": "ALARM", "crossover-prod-lambda": "OK"}
    assert facts(stage).alarm == "ALARM"


def test_templates_say_with_which_weights_and_how_many_instances_a_stage_was_deployed(stage: MotoStage) -> None:
    control = Control(stage.aws, stage.resources, FakeClock(), lambda url, headers: Answer(200))
    places = control.places("30:70")
    assert (places.template_weights, places.template_floor, places.asked_weights) == ("0:100", 2, "30:70")


class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        told = {"lane": self.headers.get("x-crossover-lane"), "bundle_sha256": "ab" * 32}
        body = json.dumps(told).encode() if self.path == "/version" else b"no"
        self.send_response(200 if self.path == "/version" else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_the_bundle_is_known_by_the_lane_that_was_asked(url: str) -> None:
    assert digest(get, url, "lambda", {"x-crossover-lane": "lambda"}) == "ab" * 32
    assert digest(get, url, "lambda", {"x-crossover-lane": "container"}) is None  # another lane answered
    assert digest(get, url, "lambda", {}) is None


@pytest.mark.parametrize("body", [b"", b"[]", b"no json", b'{"lane": "lambda"}', b'{"lane": "lambda", "bundle_sha256": null}'])
def test_an_answer_that_does_not_say_is_not_known(body: bytes) -> None:
    assert digest(lambda url, headers: Answer(200, body), "http://x", "lambda", {}) is None


def test_a_get_tells_the_status_or_why_there_was_none(url: str) -> None:
    assert get(f"{url}/search", {}).status == 503
    unreachable = get("http://127.0.0.1:9", {})
    assert unreachable.status is None
    assert "refused" in unreachable.wrong
