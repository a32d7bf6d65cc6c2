"""`crossover cost diff` and `check`: what a change costs, and the guard that refuses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infra import cli
from infra.config import Stage
from infra.cost.compare import compare
from infra.cost.lane import CostOptions
from infra.cost.prices.book import PriceBook
from infra.cost.reports.diff import compare_reports
from infra.cost.reports.file import read_report
from infra.cost.reports.report import json_bytes
from infra.cost.traffic.profile import flat_rate
from infra.errors import InputError
from tests.infra.cost.conftest import lane, profile_with


@pytest.fixture(scope="module")
def documents(book: PriceBook, stage: Stage, options: CostOptions) -> list[bytes]:
    """The container lane takes half as much CPU again."""
    profiles = [profile_with(container_lane=lane(cpu_ms_per_search=cpu)) for cpu in (6.0, 9.0)]
    return [json_bytes(compare(profile, flat_rate(400), book, stage, options=options)) for profile in profiles]


@pytest.fixture
def reports(tmp_path: Path, documents: list[bytes]) -> tuple[Path, Path]:
    paths = tmp_path / "before.json", tmp_path / "after.json"
    for path, document in zip(paths, documents, strict=True):
        path.write_bytes(document)
    return paths


def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["crossover", "cost", *map(str, arguments)])
    code = 0
    try:
        cli.main()
    except SystemExit as leave:
        code = int(leave.code or 0)
    out, err = capfd.readouterr()
    return code, out, err


def test_lines_changes_add_up_to_the_lanes(reports: tuple[Path, Path]) -> None:
    lambda_lane, container = compare_reports(*map(read_report, reports))
    assert lambda_lane.usd == 0
    assert lambda_lane.lines == ()
    assert container.usd > 0
    assert sum((line.usd for line in container.lines), Decimal(0)) == container.usd
    assert "quantity" in container.lines[0].why


def test_the_comment_has_totals_and_the_lines_that_differ(
    reports: tuple[Path, Path], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = run(capfd, monkeypatch, "diff", *reports)
    assert (code, err) == (0, "")
    assert out.startswith("### Cost of this change\n")
    assert "| container | $" in out
    assert "| EC2 on demand" in out
    assert "Lambda compute" not in out
    code, out, _ = run(capfd, monkeypatch, "diff", *reports, "--json")
    assert Decimal(json.loads(out)["container"]["change_usd"]) > 0


def test_the_guard_passes_what_is_within(
    reports: tuple[Path, Path], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = run(capfd, monkeypatch, "check", reports[1], "--budget", "1000000", "--lane", "both")
    assert code == 0
    assert "within what is allowed (lambda, container)" in out


def test_the_guard_names_the_lines_to_blame(
    reports: tuple[Path, Path], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = reports
    code, out, err = run(capfd, monkeypatch, "check", after, "--budget", "5", "--lane", "container")
    assert code == 1
    assert out.startswith("container lane: $")
    assert "the budget is $5.00" in out
    assert "over what is allowed" in err
    code, out, _ = run(capfd, monkeypatch, "check", after, "--against", before, "--max-increase", "1%", "--lane", "both")
    assert code == 1
    assert "allowed are +1.0%" in out
    assert "  EC2" in out
    assert "lambda lane" not in out


def test_the_guard_sees_the_cheaper_lane_become_the_dearer_one(
    tmp_path: Path,
    book: PriceBook,
    stage: Stage,
    options: CostOptions,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = tmp_path / "before.json", tmp_path / "after.json"
    for path, way in zip(paths, ("public", "nat_gateway"), strict=True):
        profile, way_out = profile_with(lambda_lane=lane(wait_ms=40.0)), replace(stage.network, egress=way)
        compared = compare(profile, flat_rate(50), book, replace(stage, network=way_out), options=options)
        path.write_bytes(json_bytes(compared))
    before, after = paths
    assert [json.loads(path.read_bytes())["cheaper_lane"] for path in paths] == ["container", "lambda"]
    code, out, _ = run(capfd, monkeypatch, "check", after, "--against", before, "--max-increase", "10%")
    assert code == 1
    assert out.startswith("container lane: +$")
    assert "NAT gateway data" in out
    code, out, _ = run(capfd, monkeypatch, "check", after, "--against", before, "--max-increase", "900%")
    assert code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "AFTER"), "give --budget, or --against with --max-increase"),
        (("check", "AFTER", "--max-increase", "10%"), "--against and --max-increase: give both or neither"),
        (("check", "AFTER", "--budget", "lots"), "--budget: 'lots' must be dollars a month, as 500"),
        (("check", "AFTER", "--against", "AFTER", "--max-increase", "ten"), "--max-increase: 'ten' must be a percentage"),
        (("check", "none.json", "--budget", "5"), "none.json: cannot be read"),
        (("diff", "README.md", "AFTER"), "README.md: not JSON"),
        (("diff", "package.json", "AFTER"), "package.json: not a report, which `crossover cost report --json` writes"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    reports: tuple[Path, Path],
    arguments: tuple[str, ...],
    said: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, _, err = run(capfd, monkeypatch, *(reports[1] if each == "AFTER" else each for each in arguments))
    assert code == 2
    assert said in err
    assert err.count("\n") == 1


def test_a_report_of_another_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"schema": 2, "lanes": {"lambda": {}, "container": {}}}')
    with pytest.raises(InputError, match="not a report"):
        read_report(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r.pop("not_priced"), "missing required field `not_priced`"),
        (lambda r: r["lanes"]["lambda"].update(usd_per_month_exact="NaN"), r"\$\.lanes\.lambda\.usd_per_month_exact"),
        (lambda r: r["lanes"]["lambda"].update(lines=None), r"\$\.lanes\.lambda\.lines"),
        (lambda r: r["lanes"]["container"]["lines"][0].pop("quantity"), r"\$\.lanes\.container\.lines\[0\]"),
        (lambda r: r["lanes"]["container"]["lines"].pop(), "lanes.container: its lines add up to"),
        (lambda r: r.update(cheaper_lane="both"), r"\$\.cheaper_lane"),
        (lambda r: r.update(prices=[]), r"\$\.prices"),
    ],
)
def test_a_report_that_was_edited_is_refused_with_the_field(
    change: Callable[[dict[str, Any]], object], said: str, reports: tuple[Path, Path]
) -> None:
    document = json.loads(reports[0].read_text())
    change(document)
    reports[0].write_text(json.dumps(document))
    with pytest.raises(InputError, match=said) as refused:
        read_report(reports[0])
    assert str(refused.value).startswith(f"{reports[0]}: ")
