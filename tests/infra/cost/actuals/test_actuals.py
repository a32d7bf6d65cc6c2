"""`crossover cost actuals` from end to end: an export and an estimate in, variance, forecast and a calibration out."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra import cli
from infra.config import Stage
from infra.cost.actuals.calibration import calibrated, read
from infra.cost.compare import compare
from infra.cost.lane import CostOptions
from infra.cost.prices.book import PriceBook
from infra.cost.reports.report import json_bytes
from infra.cost.traffic.profile import flat_rate
from infra.errors import InputError
from tests.conftest import ROOT
from tests.infra.cost.actuals.bills import Row, write
from tests.infra.cost.conftest import profile_with

DAYS = [date(2026, 11, 1) + timedelta(days=number) for number in range(11)]


@pytest.fixture(scope="module")
def estimated(stage: Stage, book: PriceBook, options: CostOptions) -> bytes:
    return json_bytes(compare(profile_with(), flat_rate(2000), book, stage, options=options))


@pytest.fixture
def estimate(tmp_path: Path, estimated: bytes) -> Path:
    path = tmp_path / "report.json"
    path.write_bytes(estimated)
    return path


def quantity(estimate: Path, lane: str, name: str) -> Decimal:
    lines = json.loads(estimate.read_text())["lanes"][lane]["lines"]
    return sum((Decimal(line["quantity"]) for line in lines if line["name"].startswith(name)), Decimal(0))


@pytest.fixture
def export(tmp_path: Path, estimate: Path) -> Path:
    """Ten whole days and one more; a fifth more instance-hours than estimated, and a Lambda lane whose searches take 1.5 times
    the CPU: waiting is 400 ms, CPU 7 ms of 407.5 billed."""
    spot, base = (quantity(estimate, "container", name) / 730 * 24 for name in ("EC2 spot", "EC2 on demand"))
    seconds, requests = (quantity(estimate, "lambda", name) / 730 * 24 for name in ("Lambda compute", "Lambda requests"))
    more = (seconds * (1 + Decimal("0.5") * 7 / Decimal("407.5")), requests)
    rows = []
    for day in DAYS:
        for kind, amount, usd in (("SpotUsage:c7g.large", spot, "2"), ("BoxUsage:c7g.large", base, "3.5")):
            rows.append(
                Row(
                    service="AmazonEC2",
                    usage_type=kind,
                    quantity=f"{amount * Decimal('1.2'):f}",
                    cost=usd,
                    day=day,
                    lane="container",
                )
            )
        for kind, amount in zip(("Lambda-GB-Second-ARM", "Request"), more, strict=True):
            rows.append(Row(service="AWSLambda", usage_type=kind, quantity=f"{amount:f}", cost="30", day=day, lane="lambda"))
    rows.append(Row(service="AWSELB", usage_type="LCUUsage", quantity="5", cost="0.04", day=DAYS[0]))
    rows.append(Row(service="AmazonEC2", usage_type="", quantity="", cost="-1", day=DAYS[0], kind="Credit"))
    return write(tmp_path / "cur.csv", [row.cur() for row in rows])


def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["crossover", "cost", *map(str, arguments)])
    code = 0
    try:
        cli.main()
    except SystemExit as leave:
        code = int(leave.code or 0)
    out, err = capfd.readouterr()
    return code, out, err


def told(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object) -> dict[str, Any]:
    code, out, err = run(capfd, monkeypatch, "actuals", *arguments, "--json")
    assert (code, err) == (0, "")
    document: dict[str, Any] = json.loads(out)
    return document


def test_lines_forecast_and_unexplained_are_told(
    export: Path, estimate: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    document = told(capfd, monkeypatch, export, "--estimate", estimate, "--lane", "container")
    assert (document["first_day"], document["last_day"], document["forecast"]["days"]) == ("2026-11-01", "2026-11-10", 10)
    lines = {line["name"]: line for line in document["lines"]}
    assert Decimal(lines["EC2 spot"]["billed_usd"]) == 20
    for line in document["lines"]:
        parts = sum(Decimal(line[name]) for name in ("rate_usd", "volume_usd", "mix_usd"))
        assert abs(parts - Decimal(line["change_usd"])) < Decimal("1e-20")
    billed = sum(Decimal(line["billed_usd"]) for line in document["lines"])
    rest = sum(Decimal(each["usd"]) for each in document["unexplained"])
    assert billed + rest == Decimal(document["billed_usd"]) == Decimal("654.04")
    assert {each["why"].partition(";")[0] for each in document["unexplained"]} == {
        "of the lambda lane",
        "a credit, which no estimate has",
    }
    month = Decimal(document["forecast"]["usd"])
    assert month == Decimal("655.04") * 3 - 1, "ten days of usage, thrice; the credit once"
    code, out, _ = run(capfd, monkeypatch, "actuals", export, "--estimate", estimate, "--lane", "container")
    assert code == 0
    assert "EC2 spot" in out
    assert f"Month's end: ${month:,.2f}" in out
    assert "unexplained: -$1.00 AmazonEC2: a credit" in out


def test_every_key_is_documented(
    export: Path, estimate: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "docs" / "cost.md").read_text()
    document = told(capfd, monkeypatch, export, "--estimate", estimate, "--lane", "container", "--budget", "5000")
    nested = [document["lines"][0], document["unexplained"][0], document["forecast"], document["budget"]]
    for key in [*document, *(key for each in nested for key in each)]:
        assert f"`{key}`" in text or f"`{key}[]`" in text, key


def test_the_budget_is_an_alert(
    export: Path, estimate: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = run(capfd, monkeypatch, "actuals", export, "--estimate", estimate, "--budget", "500")
    assert code == 1
    assert "the month is forecast at $1,964.12, the budget is $500.00" in err
    assert "Month's end" in out
    assert run(capfd, monkeypatch, "actuals", export, "--estimate", estimate, "--budget", "5000")[0] == 0


@pytest.mark.parametrize(("lane", "scale"), [("container", Decimal("1.2")), ("lambda", Decimal("1.5"))])
def test_a_calibration_is_proposed_and_used_only_where_it_is_given(
    lane: str,
    scale: Decimal,
    export: Path,
    estimate: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "calibration.json"
    base = ("actuals", export, "--estimate", estimate, "--lane", lane)
    assert "Proposed calibration" in run(capfd, monkeypatch, *base)[1]
    assert not file.exists()
    assert run(capfd, monkeypatch, *base, "--write-calibration", file)[0] == 0
    found = read(file)
    assert abs(Decimal(found.cpu_scale) - scale) <= Decimal("0.01")
    assert (found.was, found.period) == ("1", "2026-11-01 to 2026-11-10")

    profile = tmp_path / "profile.json"
    profile.write_bytes(msgspec.json.encode(profile_with()))
    report = ("report", "--profile", profile, "--rps", "2000", "--json")
    without = json.loads(run(capfd, monkeypatch, *report)[1])
    assert not any(each["name"] == "Calibration" for each in without["assumptions"])
    used = json.loads(run(capfd, monkeypatch, *report, "--calibration", file)[1])
    stated = {each["name"]: each for each in used["assumptions"]}
    assert stated["Calibration"]["value"] == f"CPU scale {found.cpu_scale}, before 1"
    assert str(export) in stated["Calibration"]["why"]
    assert stated["CPU scale"]["value"] == f"{float(found.cpu_scale):g}"
    assert used["lanes"]["lambda"]["usd_per_month"] > without["lanes"]["lambda"]["usd_per_month"]


def test_the_month_is_written_as_focus_rows_beside_the_rest(
    export: Path, estimate: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every day of the month that was billed, the one that the comparison leaves out too."""
    file, calibration = tmp_path / "billed.csv", tmp_path / "calibration.json"
    base = ("actuals", export, "--estimate", estimate, "--lane", "container", "--json", "--write-calibration", calibration)
    code, out, err = run(capfd, monkeypatch, *base, "--focus", file)
    assert (code, err) == (0, f"FOCUS rows: {file}\nCalibration: {calibration}\n")
    assert json.loads(out) == told(capfd, monkeypatch, export, "--estimate", estimate, "--lane", "container")
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert len(rows) == 4 * len(DAYS) + 2
    assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal("65.5") * len(DAYS) + Decimal("0.04") - 1
    assert calibration.exists()


def test_focus_rows_that_cannot_be_made_leave_the_file_of_before(
    export: Path, estimate: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "billed.csv"
    file.write_text("before")
    export.write_text(export.read_text().replace("pricing_public_on_demand_cost", "other"))
    code, out, err = run(capfd, monkeypatch, "actuals", export, "--estimate", estimate, "--focus", file)
    assert (code, out, file.read_text()) == (2, "", "before")
    assert "no column pricing_public_on_demand_cost (for ListCost), which FOCUS 1.2 needs; select it in the export" in err
    assert err.count("\n") == 1


def test_cost_explorer_has_no_focus_rows_and_is_not_asked(
    estimate: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(*arguments: object) -> None:
        raise AssertionError("a request costs a cent")

    monkeypatch.setattr("infra.commands.cost.actuals._asked", ask)
    file = tmp_path / "billed.csv"
    code, out, err = run(capfd, monkeypatch, "actuals", "--cost-explorer", "--estimate", estimate, "--focus", file)
    assert (code, out, file.exists()) == (2, "", False)
    assert "Cost Explorer has no such rows; give EXPORT" in err
    assert err.count("\n") == 1


def test_searches_take_traffic_out_of_the_calibration(
    export: Path, estimate: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served = 2000 * 86400 * 10 * 2
    document = told(capfd, monkeypatch, export, "--estimate", estimate, "--lane", "container", "--searches", served)
    assert abs(Decimal(document["calibration"]["cpu_scale"]) - Decimal("0.6")) <= Decimal("0.001")


def test_a_fleet_at_its_minimum_calibrates_nothing(
    export: Path,
    tmp_path: Path,
    stage: Stage,
    book: PriceBook,
    options: CostOptions,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    idle, file = tmp_path / "idle.json", tmp_path / "calibration.json"
    idle.write_bytes(json_bytes(compare(profile_with(), flat_rate(1), book, stage, options=options)))
    base = ("actuals", export, "--estimate", idle, "--lane", "container")
    code, out, err = run(capfd, monkeypatch, *base, "--write-calibration", file)
    assert code == 1
    assert "the estimated fleet stays at its minimum of 2" in " ".join(out.split())
    assert "there is none" in err
    assert not file.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give either EXPORT, a file or folder, or --cost-explorer"),
        (("EXPORT", "--cost-explorer"), "give either EXPORT, a file or folder, or --cost-explorer"),
        (("EXPORT", "--lane", "lambda", "--lambda-percent", "5"), "--lane and --lambda-percent: give one of the two"),
        (("EXPORT", "--month", "2026-13"), "--month: '2026-13' must be a month, as 2026-11"),
        (("EXPORT", "--month", "2026-10"), "nothing of 2026-10; it has 2026-11"),
        (("EXPORT", "--budget", "-5"), "--budget: '-5' must be dollars, as 500"),
        (("EXPORT", "--searches", "0"), "--searches: '0' must be a number"),
        (("EXPORT", "--focus", "x.json"), "--focus x.json: must end in .csv or .parquet"),
        (("EXPORT", "--focus", "/nowhere/x.csv"), "--focus /nowhere/x.csv: cannot be written (there is no folder /nowhere)"),
        (("EXPORT", "--stage", "prod"), "no row has the tag crossover:stage = 'prod'; it has dev"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...],
    said: str,
    export: Path,
    estimate: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = (export if each == "EXPORT" else each for each in arguments)
    code, _, err = run(capfd, monkeypatch, "actuals", *given, "--estimate", estimate)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1


def test_without_credentials_cost_explorer_says_what_it_needs(
    estimate: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    code, _, err = run(capfd, monkeypatch, "actuals", "--cost-explorer", "--estimate", estimate)
    assert code == 1
    assert "Cost Explorer: Unable to locate credentials; it needs credentials that may call ce:GetCostAndUsage" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ('{"schema": 1}', "not a calibration: Object missing required field `lane`"),
        ('{"schema":1,"lane":"lambda","cpu_scale":"NaN","was":"1","why":"","period":"","source":""}', "cpu_scale: 'NaN' must"),
        (
            '{"schema":1,"lane":"lambda","cpu_scale":"-1","was":"1","why":"","period":"","source":""}',
            "must be a number of 0.01 to 100",
        ),
        ('{"schema":1,"lane":"a","cpu_scale":"1","was":"1","why":"","period":"","source":""}', "lane: 'a' must be lambda or"),
        ('{"schema":1,"lane":"lambda","cpu_scale":"1","was":"NaN","why":"","period":"","source":""}', "was: 'NaN' must be"),
        ('{"schema":2,"lane":"a","cpu_scale":"1","was":"1","why":"","period":"","source":""}', "schema: 2, must be 1"),
    ],
)
def test_a_malformed_calibration_is_refused(text: str, said: str, tmp_path: Path, options: CostOptions) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"calibration\.json: ") as refused:
        calibrated(options, path)
    assert said in str(refused.value)
