"""Which alarms a stage has, when they fire, and that each is explained."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.components.watch.alarm import Alarm, Share
from infra.components.watch.catalogue import alarms, lane_alarms
from infra.components.watch.widgets import Formula
from infra.config import Stage
from infra.overrides import override
from tests.conftest import ROOT
from tests.infra.components.watch.metric_math import evaluate

RUNBOOKS = ROOT / "docs" / "runbooks"
# Those of the drills are held to them in tests/infra/lab/drills/test_catalogue.py.
PAGES = {path.stem for path in RUNBOOKS.glob("*.md") if not path.stem.startswith("drill-")} - {"README"}
LAMBDA = ["lambda-errors", "lambda-throttles", "lambda-p99"]
BEHIND = ["lambda-502", "lambda-5xx"]
CONTAINER = ["container-5xx", "container-p99", "container-loop-lag"]
FLEET = ["container-healthy-hosts", "container-unhealthy-hosts", "container-at-maximum"]
BALANCER = ["elb-502", "elb-503", "elb-504"]
# Every page that there is: with reserved concurrency a stage has all alarms. The budget is AWS Budgets', not CloudWatch's.
ALL = override({"lambda_lane.reserved_concurrency": "40"})


def keys(**settings: str) -> list[str]:
    return [alarm.key for alarm in alarms(override({key.replace("__", "."): value for key, value in settings.items()}))]


def alarm(key: str, stage: Stage = ALL) -> Alarm:
    (found,) = [each for each in alarms(stage) if each.key == key]
    return found


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [*LAMBDA, *BEHIND, *CONTAINER, *FLEET, *BALANCER]),
        ({"lanes": "lambda"}, [*LAMBDA, *BEHIND, *BALANCER]),
        ({"lanes": "lambda", "lambda_lane__front": "function_url"}, [*LAMBDA, "lambda-5xx"]),
        ({"lanes": "lambda", "lambda_lane__front": "http_api"}, LAMBDA),
        ({"lanes": "container"}, [*CONTAINER, *FLEET, *BALANCER]),
        ({"lanes": "container", "container_lane__max_instances": "2"}, [*CONTAINER, *FLEET[:2], *BALANCER]),
        ({"lanes": "lambda", "lambda_lane__reserved_concurrency": "40"}, [*LAMBDA, "lambda-concurrency", *BEHIND, *BALANCER]),
        ({"lanes": "lambda", "lambda_lane__reserved_concurrency": "0"}, [*LAMBDA, *BEHIND, *BALANCER]),
        ({"watch__alarms": "false"}, []),
    ],
)
def test_a_stage_has_the_alarms_of_what_it_deploys(settings: dict[str, str], expected: list[str]) -> None:
    assert keys(**settings) == expected


def test_thresholds_are_the_stages() -> None:
    stage = override(
        {
            "watch.error_percent": "0.5",
            "watch.p99_ms": "1800",
            "watch.loop_lag_ms": "40",
            "lambda_lane.reserved_concurrency": "40",
            "container_lane.min_instances": "3",
            "container_lane.max_instances": "12",
        }
    )
    assert {each.key: each.threshold for each in alarms(stage)} == {
        "lambda-errors": 0.5,
        "lambda-throttles": 1,
        "lambda-p99": 1.8,  # the load balancer tells seconds
        "lambda-concurrency": 32,
        "lambda-502": 0.5,
        "lambda-5xx": 0.5,
        "container-5xx": 0.5,
        "container-p99": 1.8,
        "container-loop-lag": 40,
        "container-healthy-hosts": 3,
        "container-unhealthy-hosts": 1,
        "container-at-maximum": 12,
        "elb-502": 0.5,
        "elb-503": 10,
        "elb-504": 0.5,
    }


def test_a_function_without_a_load_balancer_is_timed_by_lambda_in_milliseconds() -> None:
    found = alarm("lambda-p99", override({"lanes": "lambda", "lambda_lane.front": "function_url", "watch.p99_ms": "1800"}))
    assert not isinstance(found.reads, Share)
    assert (found.reads.namespace, found.reads.name, found.threshold) == ("AWS/Lambda", "Duration", 1800)


def test_a_function_urls_own_5xx_are_a_share_of_its_requests() -> None:
    found = alarm("lambda-5xx", override({"lanes": "lambda", "lambda_lane.front": "function_url"})).reads
    assert isinstance(found, Share)
    assert (found.part.name, found.whole.name, found.part.of) == ("Url5xxCount", "UrlRequestCount", "function")


@pytest.mark.parametrize(("part", "whole", "percent"), [(9, 9, 0), (1, 10, 10), (0, 5000, 0), (50, 5000, 1)])
def test_a_share_is_judged_from_ten_requests_a_minute_on(part: int, whole: int, percent: float) -> None:
    found = alarm("container-5xx").reads
    assert isinstance(found, Share)
    assert evaluate([Formula(found.expression, "", id="share")], {"part": part, "whole": whole}) == {"share": percent}


def test_missing_data_alarm_only_where_no_traffic_cannot_explain_them() -> None:
    how = {each.key: each.missing for each in alarms(ALL)}
    assert {key for key, missing in how.items() if missing == "breaching"} == {"container-healthy-hosts"}
    assert {key for key, missing in how.items() if missing == "missing"} == {"container-loop-lag", "container-at-maximum"}
    assert set(how.values()) == {"breaching", "missing", "notBreaching"}
    assert all(each.because for each in alarms(ALL))


def test_a_lane_is_unwell_when_any_of_its_alarms_fires_but_the_early_ones() -> None:
    rules = {lane.key: lane.rule("crossover-x") for lane in lane_alarms(ALL)}
    expected = [*LAMBDA, *BEHIND]
    assert rules["lambda"] == " OR ".join(f'ALARM("crossover-x-{key}")' for key in expected)
    early = {each.key for each in alarms(ALL) if each.early}
    assert early == {"lambda-concurrency", "container-unhealthy-hosts", "container-at-maximum"}


def test_the_load_balancers_502_is_the_container_lanes_where_the_lambda_lane_does_not_explain_it() -> None:
    rule = {lane.key: lane.rule("crossover-x") for lane in lane_alarms(ALL)}["container"]
    parts = [*CONTAINER, "container-healthy-hosts", "elb-503", "elb-504"]
    own = " OR ".join(f'ALARM("crossover-x-{key}")' for key in parts)
    assert rule == f'{own} OR (ALARM("crossover-x-elb-502") AND NOT ALARM("crossover-x-lambda-502"))'


@pytest.mark.parametrize("lane", ["lambda", "container"])
def test_a_lane_alone_answers_for_all_the_load_balancer_says(lane: str) -> None:
    (only,) = lane_alarms(override({"lanes": lane}))
    assert only.key == lane and only.unless == ()
    assert set(BALANCER) < set(only.members)


def test_no_alarms_means_no_lane_alarms() -> None:
    assert lane_alarms(override({"watch.alarms": "false"})) == ()


def test_every_alarm_has_its_page_and_every_page_its_alarm() -> None:
    assert {each.key for each in alarms(ALL)} | {lane.key for lane in lane_alarms(ALL)} | {"budget"} == PAGES


def test_the_index_links_every_page() -> None:
    text, names = (RUNBOOKS / "README.md").read_text(), {path.name for path in RUNBOOKS.glob("*.md")} - {"README.md"}
    assert {name for name in names if f"({name})" in text} == names


@pytest.mark.parametrize("page", sorted(PAGES))
def test_a_page_says_all_that_is_needed_at_night(page: str) -> None:
    text = (RUNBOOKS / f"{page}.md").read_text()
    headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert headings == ["What callers notice", "Look first", "Likely causes", "What to do", "When it is a false alarm"]
    assert "```console\n$ " in text


def test_observe_lists_every_alarm_with_its_figures() -> None:
    rows = {
        line.split("|")[1].strip(" `"): line for line in (ROOT / "docs" / "observe.md").read_text().splitlines() if "|" in line
    }
    for each in alarms(ALL):
        fires, of = each.points
        assert f"| {fires} of {of} |" in rows[each.key], each.key
        assert f"| {each.missing} |" in rows[each.key], each.key


def test_the_catalogue_starts_no_node() -> None:
    modules = ["alarm", "catalogue", "cost", "dashboard", "metrics", "widgets"]
    imports = "; ".join(f"import infra.components.watch.{name}" for name in modules)
    code = f"import sys; {imports}; print(*(name for name in ('aws_cdk', 'jsii') if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_what_an_alarm_costs_is_known_from_its_metrics() -> None:
    default = alarms(Stage())
    assert sum(each.metrics for each in default) == 20


@pytest.mark.parametrize("page", [ROOT / "docs" / "observe.md", *sorted(RUNBOOKS.glob("*.md"))], ids=lambda path: path.stem)
def test_links_lead_to_pages_and_headings_that_are_there(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([\w./-]+\.md)(?:#([\w-]+))?\)", page.read_text()):
        other = page.parent / target
        assert other.is_file(), target
        headings = [line.lstrip("# ").lower() for line in other.read_text().splitlines() if line.startswith("#")]
        anchors = {re.sub(r"[^\w -]", "", heading).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, f"{target}#{anchor}"
