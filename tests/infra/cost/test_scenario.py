"""A scenario file: the article's case, and one line for what is wrong with a file."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from infra.cost.compare import compare
from infra.cost.prices.book import PriceBook
from infra.cost.profile import write_profile
from infra.cost.reports.report import report_document
from infra.cost.scenario import load_scenario
from infra.errors import InputError
from tests.conftest import ROOT
from tests.infra.cost.conftest import profile_with

ARTICLE = ROOT / "examples" / "article.toml"
TODAY = date(2026, 11, 26)
LEAST = """
name = "least"
[workload]
source = "a test"
[workload.lambda]
cpu_ms_per_search = 10.0
wait_ms = 100.0
duration_p99_ms = 300.0
memory_mb = 100.0
cold_start_ms = 200.0
[workload.container]
cpu_ms_per_search = 10.0
wait_ms = 100.0
duration_p99_ms = 300.0
memory_mb = 100.0
cold_start_ms = 200.0
[traffic]
rps = 5.0
"""


def read(tmp_path: Path, text: str, **more: Path) -> object:
    path = tmp_path / "scenario.toml"
    path.write_text(text)
    return load_scenario(path, report_date=TODAY, **more)


def test_the_articles_case_lands_where_the_article_did(book: PriceBook) -> None:
    case = load_scenario(ARTICLE, report_date=TODAY)
    result = compare(case.profile, case.traffic, book, case.stage, options=case.options)
    assert result.lambda_lane.usd_per_day == pytest.approx(Decimal(1000), rel=Decimal("0.05"))
    assert result.container_lane.usd_per_day == pytest.approx(Decimal(50), rel=Decimal("0.05"))
    assert not result.lambda_lane.misses
    assert not result.container_lane.misses


def test_what_is_typed_in_says_so_in_the_report(book: PriceBook) -> None:
    case = load_scenario(ARTICLE, report_date=TODAY)
    document = report_document(compare(case.profile, case.traffic, book, case.stage, options=case.options))
    assert str(document["machine"]).startswith("typed in: ")
    assert document["bundle"] is None
    assert any("bytes a search are not known" in str(gap) for gap in document["not_priced"])


def test_a_measured_profile_goes_before_what_is_typed_in(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    write_profile(profile_with(), path)
    case = load_scenario(ARTICLE, report_date=TODAY, profile=path)
    assert case.profile.container_lane.cpu_ms_per_search == 6.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("rps = 5.0", "rps = 5.0\nshape = 'fortnight'"), "traffic: give exactly one of rps, file and shape"),
        (("rps = 5.0", "rps = -1.0"), "rps"),
        (("rps = 5.0", "file = 'none.csv'"), "none.csv: cannot be read"),
        (("rps = 5.0", "rps = 5.0\n[stage]\nlambda_lane.memory_mb = 64"), "lambda_lane.memory_mb: must be 128 to 10240"),
        (("rps = 5.0", "rps = 5.0\n[stage]\nmemory = 64"), "setting 'memory' is not known"),
        (("rps = 5.0", "rps = 5.0\nburst.factor = 20.0"), "burst: factor must be 1 or more"),
        (("rps = 5.0", "rps = 5.0\n[options]\nmonth_hours = 'long'"), "options.month_hours: 'long' is not a number"),
        (("rps = 5.0", "rps = 5.0\n[objective]\np99_ms = 0.0"), "objective.p99_ms: must be 1 to 900000"),
        (('source = "a test"', ""), "workload: needs profile, or source and both"),
        (('source = "a test"', "profile = 'x.json'"), "workload: give profile, or the tables"),
        (("wait_ms = 100.0", "waits_ms = 100.0"), "contains unknown field `waits_ms`"),
        (("wait_ms = 100.0", "wait_ms = inf"), "lambda_lane.wait_ms: inf is not a measured figure"),
        (("wait_ms = 100.0", "wait_ms = -1.0"), "lambda_lane.wait_ms: -1 is not a measured figure"),
        (("[workload]", "[workload"), "is no TOML"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_it(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    with pytest.raises(InputError) as refused:
        read(tmp_path, LEAST.replace(*change, 1))
    assert said in str(refused.value)
    assert "scenario.toml" in str(refused.value)
    assert "\n" not in str(refused.value)
