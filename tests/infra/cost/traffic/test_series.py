"""CSV series: what they may look like, what is said about flaws, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.cost.traffic.file import load_traffic
from infra.errors import InputError


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "series.csv"
    path.write_text(text)
    return path


def test_real_load_balancer_trace_is_read_with_its_gaps_said(shared_data: Path) -> None:
    profile = load_traffic(shared_data / "traces" / "elb_request_count_8c0756.csv")
    assert profile.step_s == 300
    assert profile.start == datetime(2014, 4, 10, 0, 4, tzinfo=UTC)
    assert profile.peak_rps == pytest.approx(656 / 300)
    assert profile.mean_rps == pytest.approx(62 / 300, rel=0.01)
    assert profile.parameters["rows"] == 4032
    assert len(profile.rates) == 4032 + 8
    assert any(note.startswith("8 missing periods") for note in profile.notes)


def test_counts_become_rates_by_the_period(tmp_path: Path) -> None:
    path = write(tmp_path, "timestamp,value\n2026-01-01T00:00:00Z,300\n2026-01-01T00:05:00Z,600\n")
    assert load_traffic(path).rates == (1.0, 2.0)


def test_rates_stay_rates(tmp_path: Path) -> None:
    path = write(tmp_path, "timestamp,rps\n2026-01-01T00:00:00Z,300\n2026-01-01T00:05:00Z,600\n")
    assert load_traffic(path).rates == (300.0, 600.0)


def test_columns_may_stand_in_any_order_beside_others(tmp_path: Path) -> None:
    path = write(tmp_path, "Region,Requests,Time\nx,60,1767225600\nx,120,1767225660\n")
    assert load_traffic(path).rates == (1.0, 2.0)


def test_hourly_series_has_steps_of_an_hour(tmp_path: Path) -> None:
    rows = "".join(f"2026-01-01 {hour:02}:00:00,{3600 * (hour + 1)}\n" for hour in range(24))
    profile = load_traffic(write(tmp_path, f"timestamp,requests\n{rows}"))
    assert profile.step_s == 3600
    assert profile.rates == tuple(float(hour + 1) for hour in range(24))


def test_typical_day_by_hours(tmp_path: Path) -> None:
    rows = "".join(f"{hour},{3600 * hour}\n" for hour in reversed(range(24)))
    assert load_traffic(write(tmp_path, f"hour,value\n{rows}")).rates == tuple(float(hour) for hour in range(24))


def test_gap_is_filled_between_its_neighbours_and_not_with_zero(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "timestamp,rate\n2026-01-01 00:00,1\n2026-01-01 00:01,2\n2026-01-01 00:02,3\n2026-01-01 00:04,7\n",
    )
    profile = load_traffic(path)
    assert profile.rates == (1.0, 2.0, 3.0, 5.0, 7.0)
    assert "1 missing period, filled on the line between their neighbours" in profile.notes


def test_odd_repeated_and_disordered_stamps_are_handled_and_said(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "timestamp,rate\n2026-01-01 00:01,2\n2026-01-01 00:00,1\n2026-01-01 00:02:07,3\n2026-01-01 00:03,4\n"
        "2026-01-01 00:03,6\n2026-01-01 00:04,5\n",
    )
    profile = load_traffic(path)
    assert profile.rates == (1.0, 2.0, 3.0, 5.0, 5.0)
    notes = " / ".join(profile.notes)
    assert "1 stamps off the period" in notes
    assert "1 rows repeat a period" in notes
    assert "1 rows out of order" in notes


@pytest.mark.parametrize(
    "text",
    [
        "\ufefftimestamp;value\r\n2026-01-01 00:00:00;60\r\n2026-01-01 00:01:00;120\r\n",
        "\nTime\tRequests\n2026/01/01 00:00:00\t60\n2026/01/01 00:01:00\t120\n",
        "bin(1m),count(*)\n2026-01-01 00:00:00.000,60\n2026-01-01 00:01:00.000,120\n",
        "Timestamp (UTC)|RequestCount\n2026-01-01 00:00 UTC|60\n2026-01-01 00:01 UTC|120\n",
        "@timestamp,value\n1767225600000,60\n1767225660000,120\n",
        "time,hits\n1767225600000000000,60\n1767225660000000000,120\n",
        "time,Requests per second\n1767225600,1\n1767225660,2\n",
    ],
)
def test_series_of_other_programs_are_read_as_they_are(tmp_path: Path, text: str) -> None:
    path = tmp_path / "series.csv"
    path.write_bytes(text.encode())
    profile = load_traffic(path)
    assert (profile.rates, profile.start, profile.step_s) == ((1.0, 2.0), datetime(2026, 1, 1, tzinfo=UTC), 60)


def test_a_change_of_clocks_with_offsets_is_no_gap_and_without_them_is_said(tmp_path: Path) -> None:
    autumn = [(0, 2), (1, 2), (2, 2), (2, 1), (3, 1), (4, 1)]
    rows = "".join(f"2026-10-25T{hour:02}:00:00+0{offset}:00,3600\n" for hour, offset in autumn)
    told = load_traffic(write(tmp_path, f"timestamp,value\n{rows}"))
    brought = "stamps with different offsets from UTC (+02:00, +01:00), brought to UTC"
    assert (len(told.rates), told.notes) == (6, ("one row every 3600 s (median step)", brought))
    naive = "".join(f"2026-10-25 {hour:02}:00:00,3600\n" for hour, _ in autumn)
    notes = load_traffic(write(tmp_path, f"timestamp,value\n{naive}")).notes
    assert "1 rows repeat a period (a clock change?), averaged with the row they repeat" in notes


def test_a_series_too_long_to_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.cost.traffic.series.MAX_ROWS", 2)
    path = write(tmp_path, "timestamp,value\n2026-01-01 00:00,5\n2026-01-01 00:01,5\n2026-01-01 00:02,5\n")
    with pytest.raises(InputError, match="line 4: more than 2 rows; sum them to minutes"):
        load_traffic(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2026-01-01 00:00,5\n2026-01-01 00:05,6\n", "line 1: .*must be a header such as timestamp,value"),
        ("timestamp,value\n", "line 2: no data"),
        ("timestamp,value\n2026-01-01 00:00,5\n", "at least two different stamps"),
        ("timestamp,value\n2026-01-01 00:00,5\n2026-01-01 00:05,many\n", "line 3: value: 'many' is not a number"),
        ("timestamp,value\n2026-01-01 00:00,-5\n", "line 2: value: -5 must be a finite number of 0 or more"),
        ("timestamp,value\n2026-01-01 00:00,NaN\n", "line 2: value: NaN must be a finite number"),
        ("timestamp,value\n2026-01-01 00:00,inf\n", "line 2: value: inf must be a finite number"),
        ("timestamp,value\nyesterday,5\n", "line 2: timestamp: 'yesterday' must be ISO 8601"),
        ("timestamp,value\n2026-01-01 00:00\n", "line 2: value: missing"),
        ("timestamp,value,rate\n", "line 1: .* has 2 of"),
        ("timestamp,rate\n2026-01-01 00:00,1e9\n2026-01-01 00:01,1\n", "line 2: value: .* requests a second is beyond"),
        ("timestamp,value\n2016-01-01 00:00,1\n2016-01-01 00:01,1\n2016-01-01 00:02,1\n2026-01-01 00:00,1\n", "more than half"),
        ("hour,value\n0,1\n0,2\n", "line 3: hour: 0 stands twice"),
        ("hour,value\n24,1\n", "line 2: hour: '24' must be 0 to 23"),
        ("hour,value\n0,1\n", "hour: 1, 2, .* missing"),
        ("timestamp,value\n2026-01-01 00:00,0\n2026-01-01 00:05,0\n", "every step is 0"),
        ("timestamp,value\n2026-01-01 00:00,1_000\n", "line 2: value: '1_000' is not a number"),
        ("timestamp,value\n2026-01-01 00:00,٣٤\n", "line 2: value: '٣٤' is not a number"),
        ("timestamp,value\n2026-01-01 00:00,\n", "line 2: value: empty; leave out what is not known"),
        (
            "timestamp,value\n2026-01-01 00:00," + "9" * 200_000 + "\n",
            "line 2: not a line of CSV .field larger than field limit",
        ),
        ("x" * 200_000, "line 1: not a line of CSV"),
        ("timestamp,value\n0001-01-01 00:00:00+14:00,5\n", "line 2: timestamp: .* must be ISO 8601"),
        ("timestamp,value\n9999-12-31 23:59,5\n", "line 2: timestamp: .* is in the year 9999; must be from 1990 to 2099"),
        ("timestamp,value\n17672256000000,5\n", "line 2: timestamp: '17672256000000' is in the year 1970; must be from 1990"),
        ("timestamp,value\n26.11.2026 10:00,5\n", "line 2: timestamp: '26.11.2026 10:00' must be ISO 8601"),
        ("Timestamp (CET),value\n2026-01-01 00:00,5\n", r"line 1: 'Timestamp \(CET\),value' has none of timestamp, "),
        ("time,count\n2026-01-01 00:00,1,500\n", "line 2: 3 fields, the header has 2; write numbers without signs between"),
        ("time;rps\n2026-01-01 00:00;1,5\n", "line 2: rps: '1,5' is not a number; write it with a point"),
        ("timestamp,value\n٢٠٢٦-01-01,5\n", "line 2: timestamp: .* must be ISO 8601"),
        ("timestamp,value\n2020-01-01,5\n2024-01-01,6\n", "the stamps are 1,461 days apart; a month at most"),
        ('timestamp,value,said\n"2026-01-01\n00:00",5,"a\nb"\n2026-01-01 00:01,x\n', "line 5: value: 'x' is not a number"),
    ],
)
def test_malformed_series_names_file_line_and_field(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load_traffic(write(tmp_path, text))
    assert "series" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_stamps_of_different_offsets_are_brought_to_utc_and_said(tmp_path: Path) -> None:
    text = "timestamp,value\n2026-10-25T00:00:00Z,5\n2026-10-25T02:00:00+01:00,6\n2026-10-25 02:00:00,7\n"
    read = load_traffic(write(tmp_path, text))
    assert read.rates == (5 / 3600, 6 / 3600, 7 / 3600)
    assert (
        "stamps with different offsets from UTC (+00:00, +01:00, none), brought to UTC; where none stands it is taken as UTC"
    ) in read.notes
