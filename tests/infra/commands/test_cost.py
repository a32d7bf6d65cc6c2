"""`crossover cost` from the outside: outputs, exit codes, one clear line for a mistake."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from infra import cli
from infra.cost.profile import write_profile
from tests.conftest import ROOT
from tests.infra.cost.conftest import lane, profile_with


@pytest.fixture
def profile_file(tmp_path: Path) -> Path:
    path = tmp_path / "profile.json"
    write_profile(profile_with(), path)
    return path


def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["crossover", *arguments])
    code = 0
    try:
        cli.main()
    except SystemExit as leave:
        code = int(leave.code or 0)
    out, err = capfd.readouterr()
    return code, out, err


def test_steady_rate_as_a_table(profile_file: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = run(capfd, monkeypatch, "cost", "--profile", str(profile_file), "--rps", "100")
    assert (code, err) == (0, "")
    assert "flat 100/s" in out
    assert "cheaper for this traffic" in out


def test_json_goes_to_standard_output_and_options_are_used(
    profile_file: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = ("cost", "--profile", str(profile_file), "--rps", "1", "--json")
    _, out, _ = run(capfd, monkeypatch, *base)
    plain = json.loads(out)
    _, out, _ = run(capfd, monkeypatch, *base, "--month-hours", "720", "--memory-mb", "3538", "--cpu-scale", "2")
    changed = json.loads(out)
    assert plain["traffic"]["searches_per_month"] == 3600 * 730
    assert changed["traffic"]["searches_per_month"] == 3600 * 720
    assert "3538 MB" in changed["lanes"]["lambda"]["title"]
    assert changed["lanes"]["lambda"]["capacity"]["billed_ms_per_search"] == 2 * 7 + 400 + 0.5
    _, out, _ = run(capfd, monkeypatch, *base, "--free-tier")
    assert json.loads(out)["lanes"]["lambda"]["usd_per_month"] < plain["lanes"]["lambda"]["usd_per_month"]


def test_shape_scaled_and_written_as_a_page(
    profile_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "cost.html"
    arguments = ("--shape", "fortnight", "--peak-rps", "50", "--html", str(page))
    code, out, _ = run(capfd, monkeypatch, "cost", "--profile", str(profile_file), *arguments)
    assert code == 0
    assert f"Report: {page}" in out
    assert "peak 50/s" in page.read_text()


def test_several_formats_at_once_beside_a_scenario(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = {"xlsx": b"PK", "focus": b"BilledCost,", "markdown": b"### What each lane costs", "html": b"<!doctype html>"}
    files = {name: tmp_path / f"bill.{'csv' if name == 'focus' else name}" for name in starts}
    asked = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    code, out, _ = run(capfd, monkeypatch, "cost", "report", "--scenario", str(ROOT / "examples" / "article.toml"), *asked)
    assert code == 0
    for name, path in files.items():
        assert path.read_bytes().startswith(starts[name])
        assert f"Report: {path}" in out


def test_markdown_for_a_pipe_is_alone_on_standard_output(
    profile_file: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = run(capfd, monkeypatch, "cost", "--profile", str(profile_file), "--rps", "3", "--markdown", "-")
    assert code == 0
    assert out.startswith("### What each lane costs")
    assert out.endswith("report of " + out.rstrip().rsplit(" ", 1)[1] + "\n")


def test_users_own_series(
    profile_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    series = tmp_path / "mine.csv"
    series.write_text("timestamp,rate\n2026-01-01 00:00,1\n2026-01-01 01:00,3\n")
    arguments = ("--traffic", str(series), "--peak-rps", "30", "--json")
    code, out, _ = run(capfd, monkeypatch, "cost", "--profile", str(profile_file), *arguments)
    assert code == 0
    assert json.loads(out)["traffic"]["mean_rps"] == 20


def test_real_trace(
    profile_file: Path, shared_data: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = str(shared_data / "traces" / "elb_request_count_8c0756.csv")
    code, out, _ = run(capfd, monkeypatch, "cost", "--profile", str(profile_file), "--traffic", trace, "--json")
    document = json.loads(out)
    assert code == 0
    assert document["cheaper_lane"] == "lambda", "a fifth of a search a second is far below any crossover"
    assert document["traffic"]["parameters"]["gaps"] == 8
    said = "8 missing periods, filled on the line between their neighbours"
    for form in ((), ("--markdown", "-")):
        assert said in run(capfd, monkeypatch, "cost", "--profile", str(profile_file), "--traffic", trace, *form)[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "traffic: give exactly one of --rps, --traffic and --shape"),
        (("--rps", "1", "--shape", "fortnight"), "give exactly one"),
        (("--rps", "-5"), "rps: -5 is negative"),
        (("--rps", "nan"), "rps: nan is not a finite number"),
        (("--rps", "1", "--region", "eu-west-1"), "no price book for region 'eu-west-1'"),
        (("--rps", "1", "--memory-mb", "64"), "lambda_lane.memory_mb: must be 128 to 10240"),
        (("--rps", "1", "--month-hours", "long"), "--month-hours: 'long' is not a number"),
        (("--rps", "1", "--cpu-scale", "0"), "cpu scale: must be 0.01 to 100"),
        (("--rps", "1", "--peak-rps", "5"), "--peak-rps: a steady rate has no peak"),
        (("--traffic", "/nowhere/x.csv"), "/nowhere/x.csv: cannot be read"),
        (("--rps", "1", "--html", "/nowhere/x.html"), "--html /nowhere/x.html: cannot be written"),
        (("--rps", "1", "--xlsx", "/nowhere/x.xlsx"), "--xlsx /nowhere/x.xlsx: cannot be written"),
        (("--rps", "1", "--focus", "/nowhere/x.csv"), "--focus /nowhere/x.csv: cannot be written"),
        (("--rps", "1", "--focus", "x.json"), "--focus x.json: must end in .csv or .parquet"),
        (("--rps", "1", "--markdown", "/nowhere/x.md"), "--markdown /nowhere/x.md: cannot be written"),
        (("--rps", "1", "--json", "--markdown", "-"), "--markdown -: not together with --json"),
    ],
)
def test_mistake_is_one_line_and_exit_2(
    profile_file: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    code, out, err = run(capfd, monkeypatch, "cost", "--profile", str(profile_file), *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_broken_profile_names_file_and_field(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = msgspec.to_builtins(profile_with(lane()))
    data["lambda_lane"]["cpu_ms_per_search"] = "fast"
    path = tmp_path / "profile.json"
    path.write_bytes(msgspec.json.encode(data))
    code, _, err = run(capfd, monkeypatch, "cost", "--profile", str(path), "--rps", "1")
    assert code == 2
    assert "profile.json" in err
    assert "$.lambda_lane.cpu_ms_per_search" in err


def test_a_stages_own_values_are_priced_and_settings_go_before_them(
    profile_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = tmp_path / "stages.toml"
    stages.write_text('[prod]\nnetwork.egress = "nat_instance"\ntraffic.waf = true\n')
    base = ("cost", "--profile", str(profile_file), "--rps", "1", "--json", "--stages", str(stages), "--stage", "prod")
    _, out, _ = run(capfd, monkeypatch, *base)
    assert [way["egress"] for way in json.loads(out)["network_choices"] if way["chosen"]] == ["nat_instance"]
    assert "WAF web ACL" in [line["name"] for line in json.loads(out)["lanes"]["container"]["lines"]]
    _, out, _ = run(capfd, monkeypatch, *base, "--set", "network.egress=ipv6", "--set", "traffic.waf=false")
    assert [way["egress"] for way in json.loads(out)["network_choices"] if way["chosen"]] == ["ipv6"]
    assert "WAF web ACL" not in [line["name"] for line in json.loads(out)["lanes"]["container"]["lines"]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--set", "network.egress"), "--set 'network.egress': must be KEY=VALUE, as network.egress=nat_gateway"),
        (("--set", "network.egres=ipv6"), "did you mean 'network.egress'"),
        (("--stage", "nowhere"), "no stage 'nowhere'"),
    ],
)
def test_a_wrong_setting_is_one_line(
    arguments: tuple[str, ...],
    said: str,
    profile_file: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, _, err = run(capfd, monkeypatch, "cost", "--profile", str(profile_file), "--rps", "1", *arguments)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1


def test_the_articles_scenario(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = run(capfd, monkeypatch, "cost", "report", "--scenario", "examples/article.toml", "--json")
    assert code == 0
    lanes = json.loads(out)["lanes"]
    assert 950 < lanes["lambda"]["usd_per_day"] < 1_050
    assert 45 < lanes["container"]["usd_per_day"] < 55


def test_the_same_inputs_and_day_are_the_same_bytes(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("cost", "report", "--scenario", "examples/article.toml", "--date", "2026-11-26", "--json")
    one, other = (run(capfd, monkeypatch, *arguments)[1] for _ in range(2))
    assert one == other
    assert json.loads(one)["report_date"] == "2026-11-26"
    code, _, err = run(capfd, monkeypatch, "cost", "report", "--scenario", "examples/article.toml", "--date", "26.11.2026")
    assert code == 2
    assert "--date: '26.11.2026' must be a day, as 2026-11-26" in err


def test_an_option_that_the_scenario_holds_is_refused(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, err = run(capfd, monkeypatch, "cost", "report", "--scenario", "examples/article.toml", "--rps", "5")
    assert (code, err) == (2, "crossover: --rps: stands in the scenario; give it there, or leave out --scenario\n")


def test_neither_profile_nor_scenario_is_one_line(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for command in ("report", "simulate"):
        code, _, err = run(capfd, monkeypatch, "cost", command, "--rps", "5")
        assert (code, err) == (2, "crossover: give --profile, written by `crossover measure`, or --scenario\n")


def test_a_simulation_names_the_cheapest_type_of_each_lane(
    profile_file: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic = ("--shape", "fortnight", "--peak-rps", "1000", "--burst", "2", "--draws", "20")
    code, out, _ = run(capfd, monkeypatch, "cost", "simulate", "--profile", str(profile_file), *traffic, "--json")
    assert code == 0
    document = json.loads(out)
    lanes = document["lanes"]
    assert set(lanes) == {"lambda", "on_demand", "mixed", "hybrid", "fargate", "fargate_spot", "app_runner", "managed"}
    assert lanes["lambda"]["instance_type"] is None
    for told in lanes.values():
        assert told["usd_per_month"]["low"] <= told["usd_per_month"]["typical"] <= told["usd_per_month"]["high"]
    assert lanes["hybrid"]["feasible"]
    assert not str(lanes["mixed"]["instance_type"]).startswith("t")
    code, out, _ = run(capfd, monkeypatch, "cost", "simulate", "--profile", str(profile_file), *traffic)
    assert "minutes missed" in out
    assert "Hybrid:" in out


def test_a_simulation_under_a_plan_names_what_it_covers_and_what_is_unknown(
    profile_file: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ("--rps", "10", "--types", "c7g.large,c6g.large", "--draws", "3", "--savings-plan", "compute-1y")
    code, out, _ = run(capfd, monkeypatch, "cost", "simulate", "--profile", str(profile_file), *given, "--json")
    assert code == 0
    document = json.loads(out)
    assert "fargate" not in document["lanes"]
    assert document["savings_plan"]["plan"] == "compute-1y"
    assert document["savings_plan"]["no_rate"]["fargate"] == ["c7g.large", "c6g.large"]
    assert document["lanes"]["on_demand"]["instance_type"] == "c7g.large"
    code, out, _ = run(capfd, monkeypatch, "cost", "simulate", "--profile", str(profile_file), *given)
    assert "what if: Fargate: unknown; the price book has no rate of compute-1y" in out
    assert "Containers, on demand: left out: c6g.large" in out
    code, _, err = run(capfd, monkeypatch, "cost", "simulate", "--profile", str(profile_file), *given[:-1], "free")
    assert (code, err.count("\n")) == (2, 1)
    assert "savings plan 'free': the price book of us-east-1 has rates for" in err


def test_what_cannot_be_written_leaves_no_other_file(
    profile_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "cost.html"
    files = ("--html", str(page), "--markdown", str(tmp_path))
    code, out, err = run(capfd, monkeypatch, "cost", "--profile", str(profile_file), "--rps", "1", *files)
    assert (code, out) == (2, "")
    assert err == f"crossover: --markdown {tmp_path}: cannot be written (is a folder)\n"
    assert not page.exists()


def test_a_path_that_cannot_be_one_is_one_line(
    profile_file: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, err = run(capfd, monkeypatch, "cost", "--profile", str(profile_file), "--traffic", "n" * 300)
    assert code == 2
    assert err.endswith("File name too long\n")
    assert err.count("\n") == 1
