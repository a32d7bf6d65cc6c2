"""What receivers are told: payloads, ids, runbook pages, and Slack's form of them."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from infra.switching.hooks import Happened, delivery_id, happenings, payload, runbook, slack_message
from infra.switching.plan import Callouts, Limits, Plan, make_plan
from infra.switching.record import Phase, Record
from infra.switching.verdict import Figures, judge
from infra.switching.weights import all_on
from tests.conftest import ROOT


def plan_to(lane: str) -> Plan:
    plan = make_plan(
        stage="prod",
        start=all_on("container" if lane == "lambda" else "lambda"),
        goal=all_on(lane),
        callouts=Callouts(runbooks="https://git.example.com/kit/docs/runbooks?a=1&b"),
    )
    assert plan is not None
    return plan


PLAN = plan_to("container")
RECORD = Record(id="a1", plan=PLAN, phase=Phase.VERIFY, owner="anna@laptop", why="R&D <asked>", started=0.0, since=0.0, step=1)

GOOD = Figures(requests=1_000, errors=0, p99_ms=400.0, throttled=0, loop_lag_ms=5.0, healthy=2)
AILMENTS: dict[str, dict[str, float]] = {
    "5xx": {"errors": 500},
    "p99": {"p99_ms": 9_000.0},
    "throttles": {"throttled": 500},
    "loop-lag": {"loop_lag_ms": 500.0},
    "healthy-hosts": {"healthy": 0},
}


@pytest.mark.parametrize(
    ("lane", "ailment"),
    [
        *(("container", each) for each in ("5xx", "p99", "loop-lag", "healthy-hosts")),
        *(("lambda", each) for each in ("5xx", "p99", "throttles")),
    ],
)
def test_a_reason_leads_to_the_page_of_its_alarm(lane: str, ailment: str) -> None:
    reason = judge(lane, replace(GOOD, **AILMENTS[ailment]), None, Limits()).words
    page = runbook(plan_to(lane), reason)
    assert page == f"{lane}-{ailment}"
    assert (ROOT / "docs" / "runbooks" / f"{page}.md").is_file()


def test_other_reasons_lead_to_the_lane_or_to_the_index() -> None:
    silent = judge("container", Figures(), None, Limits()).words
    assert runbook(PLAN, silent) == "container"
    assert runbook(PLAN, "aborted by an operator") == "README"
    both = (
        "BOTH LANES ARE SICK, staying on the less sick one: lambda: 90.00% errors, allowed are 1.00%; container: p99 9,000 ms"
    )
    assert runbook(PLAN, both) == "lambda-5xx"
    for page in ("container", "lambda", "README"):
        assert (ROOT / "docs" / "runbooks" / f"{page}.md").is_file()


def test_an_id_is_the_same_for_the_same_call_and_no_other() -> None:
    def ids(record: Record) -> set[str]:
        return {
            delivery_id(record, happened, step, target)
            for happened in Happened
            for step in (0, 1)
            for target in ("https://a.example", "https://b.example")
        }

    assert len(ids(RECORD)) == len(Happened) * 4
    assert ids(RECORD) == ids(replace(RECORD, version=7, lease_until=9.0, since=4.0))
    assert not ids(RECORD) & ids(replace(RECORD, id="b2"))


def test_slack_text_is_escaped_loud_and_within_its_limits() -> None:
    sick = replace(RECORD, phase=Phase.ROLL_BACK, reason="container: 20.00% errors, allowed are 1.00%" + "x" * 9_000)
    message = slack_message(
        payload(Happened.ROLLING_BACK, sick, target="env:X", at=1.0, said=f"going back: {sick.reason} <!channel>")
    )
    assert message["text"].startswith(
        ":rotating_light: ROLLING BACK: prod to container 100%, step 2 of 5: going back: container"
    )
    texts = [block.get("text", {}).get("text") or block["elements"][0]["text"] for block in message["blocks"]]
    assert [block["type"] for block in message["blocks"]] == ["section", "section", "context"]
    assert all(0 < len(text) <= 3_000 for text in (*texts, message["text"]))
    assert "<!channel>" not in "".join(texts)
    assert "*why* R&amp;D &lt;asked&gt;" in texts[-1]
    assert "<https://git.example.com/kit/docs/runbooks?a=1&amp;b/container-5xx.md>" in texts[-1]


def test_every_event_has_a_message() -> None:
    for happened in set(Happened) - {Happened.BEFORE_STEP}:
        assert slack_message(payload(happened, RECORD, target="env:X", at=1.0))["text"]


def test_what_happened_is_told_from_two_records_alone() -> None:
    def then(before: Record, **after: object) -> list[Happened]:
        return [*happenings(before, replace(before, **after))]

    assert then(RECORD, since=5.0) == []
    assert then(RECORD, phase=Phase.SHIFT) == []  # the same step's weights once more
    assert then(RECORD, phase=Phase.SHIFT, step=2) == [Happened.STEP_DONE]
    assert then(RECORD, phase=Phase.GATE, step=2) == [Happened.STEP_DONE]
    assert then(RECORD, phase=Phase.COOL) == [Happened.STEP_DONE]
    assert then(RECORD, phase=Phase.DONE) == [Happened.STEP_DONE, Happened.DONE]
    assert then(RECORD, phase=Phase.ROLL_BACK) == [Happened.ROLLING_BACK]
    gate = replace(RECORD, phase=Phase.GATE)
    assert then(gate, held="HTTP 500") == [Happened.HELD]
    assert then(replace(gate, held="HTTP 500"), held="HTTP 503") == []
    assert then(replace(RECORD, phase=Phase.ROLL_BACK), phase=Phase.ROLLED_BACK) == [Happened.ROLLED_BACK]
    assert then(replace(RECORD, phase=Phase.RELEASE), phase=Phase.REFUSED) == [Happened.REFUSED]


def test_operate_documents_every_field_and_event() -> None:
    text = (ROOT / "docs" / "operate.md").read_text()
    fields = payload(Happened.HELD, RECORD, target="env:X", at=1.0)
    for name in (*fields, *Happened):
        assert re.search(rf"`{name}`", text), name
