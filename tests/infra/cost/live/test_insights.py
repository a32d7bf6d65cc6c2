"""REPORT records counted by Logs Insights: the same figures as reading every record, whatever their form."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.cost.live.insights import JSON, TEXT, Records, queries, read_reports
from infra.cost.live.logs import LiveLane, read_logs
from infra.errors import KitError
from tests.infra.cost.live.doubles import Insights, carried_out
from tests.infra.cost.live.test_logs import noise, platform, report
from tests.infra.switching.aws.moto_stage import refusal

START, END = 1_800_000_000.0, 1_800_086_400.0


def read(insights: Insights, records: Records = JSON) -> tuple[LiveLane, int]:
    return read_reports(insights, "/group", records, start=START, end=END, sleep=lambda _: None)


@pytest.mark.parametrize(("records", "one"), [(JSON, platform), (TEXT, report)])
def test_counting_there_tells_what_reading_every_record_tells(
    records: Records, one: Callable[..., str], tmp_path: Path
) -> None:
    lines = [one(1.37**n, init=400.0 + n if n % 10 == 0 else None) for n in range(40)] * 3
    lines += [one(9.0, status="timeout"), one(8.0, status="error")]
    path = tmp_path / "r.log"
    path.write_text("\n".join([*noise(), *lines]))
    every = read_logs([path])["lambda"]
    counted, scanned = read(Insights([*noise()[:-1], *lines]), records)
    assert (counted.duration_ms.count, counted.duration_ms.buckets) == (120, every.duration_ms.buckets)
    assert counted.duration_ms.sum == pytest.approx(every.duration_ms.sum)
    assert counted.duration_ms.highest == every.duration_ms.highest
    assert counted.cold_start_ms.buckets == every.cold_start_ms.buckets
    assert counted.cold_start_ms.sum == pytest.approx(every.cold_start_ms.sum)
    assert (counted.searches, counted.errors, counted.memory_sizes) == (120, 2, {1769})
    assert counted.memory_mb == every.memory_mb
    assert scanned == 3_000


def test_restoring_a_snapshot_is_a_cold_start_too() -> None:
    lines = [report(50) + "Restore Duration: 310.5 ms\tBilled Restore Duration: 4 ms\t"] * 2 + [report(40)]
    counted, _ = read(Insights(lines), TEXT)
    assert (counted.cold_start_ms.count, counted.cold_start_ms.highest) == (2, 310.5)


def test_pages_are_put_together_and_what_is_asked_is_the_window() -> None:
    insights = Insights([platform(float(n)) for n in range(1, 60)], polls=2, page=7)
    counted, _ = read(insights)
    assert (counted.duration_ms.count, counted.duration_ms.highest) == (59, 59)
    assert {(each["logGroupName"], each["startTime"], each["endTime"]) for each in insights.asked} == {
        ("/group", int(START), int(END) - 1)  # the end is inclusive
    }
    assert insights.stopped == []


@pytest.mark.parametrize("state", ["Failed", "Timeout", "Cancelled", "Unknown"])
def test_a_query_that_did_not_complete_is_said_and_the_others_are_stopped(state: str) -> None:
    insights = Insights([platform(5.0)], ends_as=state)
    with pytest.raises(KitError, match=f"Logs Insights on /group: the query ended as '{state}'"):
        read(insights)
    assert insights.stopped == ["0", "1", "2"]


def test_waiting_ends_and_so_does_an_answer_that_may_be_cut() -> None:
    with pytest.raises(KitError, match="not done after 15 minutes; take fewer --days"):
        read(Insights([platform(5.0)], polls=10_000))

    class Full(Insights):
        def get_query_results(self, **request: object) -> dict[str, object]:
            return {"status": "Complete", "results": [[]] * 10_000}

    with pytest.raises(KitError, match=r"10,000 rows or more, which may be cut short"):
        read(Full([]))


def test_refusals_of_aws_are_one_line() -> None:
    class Refusing(Insights):
        def start_query(self, **request: object) -> dict[str, str]:
            raise refusal(
                "MalformedQueryException", 400, "end date and time is before the log group's\nretention", "StartQuery"
            )

    with pytest.raises(KitError, match=r"Logs Insights on /group: .*before the log group's retention"):
        read(Refusing([]))


def test_no_record_at_all_is_no_sample() -> None:
    counted, _ = read(Insights(["START RequestId: x"]), TEXT)
    assert (counted.searches, counted.duration_ms.count, counted.memory_sizes) == (0, 0, set())


def test_a_row_that_is_no_number_is_refused() -> None:
    class Odd(Insights):
        def get_query_results(self, **request: object) -> dict[str, object]:
            rows = [[{"field": "samples", "value": "many"}]]
            return {"status": "Complete", "results": rows, "statistics": {}}

    with pytest.raises(KitError, match="Logs Insights: samples: 'many' must be a number"):
        read(Odd([]))


def test_the_double_carries_out_what_the_queries_say() -> None:
    rows = carried_out(
        queries(JSON)["durations"],
        [{"type": "platform.report", "record.status": "success", "record.metrics.durationMs": 100.0}],
    )
    assert rows == [
        {"bucket": str(math.floor(math.log(100) / math.log(1.005))), "samples": "1", "total": "100.0", "highest": "100.0"}
    ]
