"""The commands that vary and search, from the outside: tables, JSON, the same bytes again, one line for a mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.cost.prices.book import PriceBook
from infra.cost.profile import write_profile
from tests.infra.commands.test_cost import run
from tests.infra.cost.conftest import profile_with


@pytest.fixture
def profile_file(tmp_path: Path) -> Path:
    path = tmp_path / "profile.json"
    write_profile(profile_with(), path)
    return path


COMMANDS = {
    "sensitivity": ("--rps", "100"),
    "crossover": ("--bursts", "1,3", "--waits", "0.5,1"),
    "optimize": ("--rps", "100", "--types", "c7g.large,c7g.xlarge"),
    "schedule": ("--shape", "fortnight", "--peak-rps", "20", "--effort-usd", "500"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_same_inputs_give_the_same_bytes(
    name: str, profile_file: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("cost", name, "--profile", str(profile_file), *COMMANDS[name])
    first, again = (run(capfd, monkeypatch, *arguments, "--json") for _ in range(2))
    assert first == again
    assert first[0] == 0
    assert json.loads(first[1])["schema"] == 1
    code, out, err = run(capfd, monkeypatch, *arguments)
    assert (code, err) == (0, "")
    assert out


@pytest.mark.parametrize("name", [*COMMANDS, "simulate"])
def test_every_answer_says_when_its_prices_are_out_of_date(
    name: str, profile_file: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = COMMANDS.get(name, ("--rps", "20", "--types", "c7g.large", "--draws", "3"))
    arguments = ("cost", name, "--profile", str(profile_file), *given)
    _, out, _ = run(capfd, monkeypatch, *arguments)
    assert "Prices: us-east-1, book of " in out
    monkeypatch.setattr(PriceBook, "is_stale", lambda book, day: True)
    assert "days old: out of date" in run(capfd, monkeypatch, *arguments)[1]
    (told,) = json.loads(run(capfd, monkeypatch, *arguments, "--json")[1])["prices"]
    assert told["stale"] is True


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_and_a_profile_is_asked_for(
    name: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = run(capfd, monkeypatch, "cost", name, "--help")
    assert code == 0
    assert out.count(f"crossover cost {name} ") >= 3
    code, _, err = run(capfd, monkeypatch, "cost", name)
    assert (code, err.count("\n")) == (2, 1)
    assert "give --profile" in err


def test_surface_has_a_month_for_every_point(
    profile_file: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("--bursts", "1,3", "--waits", "0.5,1,2", "--rates", "5", "--json")
    _, out, _ = run(capfd, monkeypatch, "cost", "crossover", "--profile", str(profile_file), *arguments)
    document = json.loads(out)
    for key in ("lambda_usd_per_month", "container_usd_per_month"):
        assert [len(document[key]), len(document[key][0]), len(document[key][0][0])] == [2, 3, 5]
    assert document["wait_ms"] == [200, 400, 800]
    assert all(row == sorted(row, reverse=True) for row in document["crossover_rps"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("crossover", "--bursts", "0.5"), "--bursts: '0.5' must be numbers from 1 to 10"),
        (("crossover", "--waits", "one"), "--waits: 'one' must be numbers from 0 to 1000"),
        (("sensitivity",), "traffic: give exactly one of --rps, --traffic and --shape"),
    ],
)
def test_mistakes_are_one_line(
    arguments: tuple[str, ...],
    said: str,
    profile_file: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, _, err = run(capfd, monkeypatch, "cost", *arguments, "--profile", str(profile_file))
    assert (code, err.count("\n")) == (2, 1)
    assert said in err


def test_break_even_is_the_effort_over_what_a_day_saves(
    profile_file: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("--rps", "200", "--effort-usd", "1000", "--json")
    _, out, _ = run(capfd, monkeypatch, "cost", "schedule", "--profile", str(profile_file), *arguments)
    choices = json.loads(out)["choices"]
    saved = choices["lambda"]["usd_per_month"] - choices["container"]["usd_per_month"]
    assert choices["container"]["saves_usd_per_month"] == pytest.approx(saved)
    assert choices["container"]["break_even_days"] == pytest.approx(1000 / (saved * 24 / 730), abs=0.1)
    assert choices["lambda"]["break_even_days"] is None


def test_report_takes_a_split_a_plan_and_carbon_also_beside_a_scenario(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("--split", "70/30", "--carbon", "--sensitivity", "--json")
    code, out, _ = run(capfd, monkeypatch, "cost", "report", "--scenario", "examples/article.toml", *asked)
    document = json.loads(out)
    split = document["split"]
    parts = split["lambda_usd_per_month"] + split["container_usd_per_month"] + split["shared_usd_per_month"]
    assert code == 0
    assert split["lambda_percent"] == 70
    assert split["usd_per_month"] == pytest.approx(parts, abs=0.02)
    assert document["carbon"]["lanes"]["lambda"]["kg_co2e_per_month"] > 0
    assert document["sensitivity"]["inputs"][0]["name"] == "rate"
    plan = ("--savings-plan", "compute-1y")
    code, _, err = run(capfd, monkeypatch, "cost", "report", "--scenario", "examples/article.toml", *plan)
    assert code == 2
    assert "no rate of savings plan compute-1y for AmazonEC2 c6i.large" in err


@pytest.mark.parametrize("name", ["simulate", "schedule"])
def test_schedules_that_cannot_be_laid_on_the_traffic_are_said(
    name: str, tmp_path: Path, profile_file: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(
        'name = "by the month"\n[stage]\ncontainer_lane.schedules = ["min=4@0 7 1 * *"]\n'
        f'[workload]\nprofile = "{profile_file}"\n[traffic]\nrps = 5\n'
    )
    _, out, _ = run(capfd, monkeypatch, "cost", name, "--scenario", str(scenario))
    assert "Not simulated: what scheduled minimums add that fire by day of the month" in out
    _, out, _ = run(capfd, monkeypatch, "cost", name, "--scenario", str(scenario), "--json")
    assert "has no calendar" in json.loads(out)["not_simulated"][0]
