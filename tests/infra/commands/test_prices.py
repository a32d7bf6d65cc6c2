"""`crossover prices`: show, refresh, diff."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from moto import mock_aws

from infra.commands.prices import command
from infra.cost.prices.file import SHIPPED, load_price_book
from infra.errors import InputError, KitError
from tests.infra.cost.prices.offer_files import plan_list, price_list
from tests.infra.cost.prices.price_api import PriceApi, served


def show(*arguments: str) -> str:
    result = CliRunner().invoke(command, ["show", *arguments], catch_exceptions=False, standalone_mode=False)
    return result.output


def test_table_lists_prices_with_source_and_date() -> None:
    text = show("AWSELB")
    assert "alb_lcu" in text
    assert "0.0225" in text
    assert "2026-09-20" in text
    assert "AWSLambda" not in text


def test_json_has_tiers_as_exact_strings() -> None:
    document = json.loads(show("awsdatatransfer", "--json"))
    assert document["region"] == "us-east-1"
    out = next(price for price in document["prices"] if price["dimension"] == "out_internet")
    assert out["tiers"][1] == {"start": "10240", "end": "51200", "usd": "0.085"}


def test_estimates_are_marked() -> None:
    document = json.loads(show("AmazonEC2", "--json"))
    spot = next(price for price in document["prices"] if price["dimension"] == "c7g.large spot")
    assert spot["confidence"] == "medium"
    assert "49% below on demand" in spot["note"]


def test_rates_of_savings_plans_are_shares_off_the_list_price() -> None:
    document = json.loads(show("savingsplans", "--json"))
    rate = next(price for price in document["prices"] if price["dimension"] == "compute-1y c7g, m7g, r7g")
    assert (rate["unit"], rate["tiers"][0]["usd"]) == ("share off list", "0.32")
    assert "compute-1y AWSLambda" in {price["dimension"] for price in document["prices"]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("AWSTeleport",), "service 'AWSTeleport': no price in the book of us-east-1; it has: AWSDataTransfer"),
        (("--region", "mars-1"), "no price book for region 'mars-1'"),
    ],
)
def test_what_is_not_there_is_an_error(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        CliRunner().invoke(command, ["show", *arguments], catch_exceptions=False, standalone_mode=False)


def invoke(*arguments: str) -> str:
    return CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False).output


def test_a_refreshed_book_is_written_whole_and_told(tmp_path: Path) -> None:
    price_list(tmp_path, without="alb_lcu")
    out = tmp_path / "fresh.json"
    told = invoke("refresh", "--from", str(tmp_path), "--no-spot", "--out", str(out))
    assert "AWSELB alb_lcu: kept from AWS Elastic Load Balancing pricing page, read 2026-09-20 (via github.com/" in told
    assert "(2026-09-20): not in the Price List under AWSELB LCUUsage as it is asked for\n" in told
    assert "AmazonECS fargate_spot_vcpu_arm64: kept from " in told
    assert load_price_book("us-east-1", out).price("AWSLambda", "requests").usd == Decimal("0.5")
    cut = price_list(tmp_path, usd="0.7")["awswaf"].write(tmp_path)
    cut.write_text(cut.read_text()[:-9])
    with pytest.raises(InputError, match=r"index\.json: not a whole offer file: parse error: premature EOF$"):
        invoke("refresh", "--from", str(tmp_path), "--no-spot", "--out", str(out))
    assert load_price_book("us-east-1", out).price("AWSLambda", "requests").usd == Decimal("0.5"), (
        "a failure leaves the old book"
    )


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PriceApi]:
    """The query API over HTTP, with credentials; what it throttles is asked again at once."""
    api = PriceApi(price_list(tmp_path).values(), plan_list(tmp_path), page=5)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    with served(api) as url:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "x")
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        yield api


def test_a_book_from_the_query_api_is_the_bulk_files_own_though_aws_throttles(tmp_path: Path, aws: PriceApi) -> None:
    bulk, asked = tmp_path / "bulk.json", tmp_path / "asked.json"
    invoke("refresh", "--from", str(tmp_path), "--no-spot", "--out", str(bulk))
    aws.trouble = ["ThrottlingException"] * 3
    told = CliRunner().invoke(
        command, ["refresh", "--query", "--no-spot", "--out", str(asked)], catch_exceptions=False, standalone_mode=False
    )
    assert "asking 4 questions about AWSELB in us-east-1\n" in told.stderr
    assert "AmazonECS fargate_spot_vcpu_arm64: kept from " in told.stdout
    assert not aws.trouble
    books = [json.loads(path.read_text()) for path in (bulk, asked)]
    assert books[0]["prices"] == books[1]["prices"]
    assert books[0]["instances"] == books[1]["instances"]
    rates = [[(each["plan"], each["discount"], each.get("families")) for each in book["savings_plans"]] for book in books]
    assert rates[0] == rates[1]


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (["AccessDeniedException"], "AccessDeniedException; `crossover policy finance` grants what it takes"),
        (["ThrottlingException"] * 12, r"query API: .*ThrottlingException.*reached max retries: 11"),
        (["ExpiredNextTokenException"], r"query API: .*ExpiredNextTokenException"),
    ],
)
def test_what_the_query_api_refuses_is_one_line_and_leaves_the_old_book(
    tmp_path: Path, aws: PriceApi, trouble: list[str], said: str
) -> None:
    aws.trouble = trouble
    with pytest.raises(KitError, match=said) as refused:
        invoke("refresh", "--query", "--no-spot", "--out", str(tmp_path / "new.json"))
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "new.json").exists()


def test_without_credentials_the_query_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with pytest.raises(KitError, match="no AWS credentials were found"):
        invoke("refresh", "--query", "--no-spot", "--out", str(tmp_path / "new.json"))


def test_one_source_of_offers_is_asked_for() -> None:
    with pytest.raises(InputError, match="--query asks AWS's query API, --from names bulk files: give one of them"):
        invoke("refresh", "--query", "--from", "elsewhere")


def test_spot_prices_come_from_ec2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    price_list(tmp_path)
    out = tmp_path / "fresh.json"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with mock_aws():
        invoke("refresh", "--from", str(tmp_path), "--out", str(out))
    spot = load_price_book("us-east-1", out).spot("c7g.large")
    assert spot.as_of is not None
    assert spot.source.startswith(("EC2 DescribeSpotPriceHistory", "estimate"))


def test_the_difference_of_two_books_and_of_a_bill(tmp_path: Path) -> None:
    price_list(tmp_path)
    out = tmp_path / "fresh.json"
    invoke("refresh", "--from", str(tmp_path), "--no-spot", "--out", str(out))
    old = str(SHIPPED / "us-east-1.json")
    document = json.loads(invoke("diff", old, str(out), "--scenario", "examples/article.toml", "--json"))
    assert {
        "service": "AWSELB",
        "dimension": "alb_lcu",
        "unit": "LCU-hour",
        "before_usd": "0.008",
        "after_usd": "0.5",
        "share": 61.5,
    } in (document["changes"])
    assert document["usd_per_month"]["after"]["lambda"] > document["usd_per_month"]["before"]["lambda"]
    assert "no price differs" in invoke("diff", old, old)
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    with pytest.raises(InputError, match="not a price book: it names no region"):
        invoke("diff", old, str(bad))


EXAMPLES = Path(__file__).parents[1] / "cost" / "worked_examples" / "published.json"


def test_worked_examples_agree_and_one_that_does_not_ends_with_an_error(tmp_path: Path) -> None:
    told = json.loads(invoke("examples", str(EXAMPLES), "--json"))
    assert {each["verdict"] for each in told["examples"]} <= {"to the cent", "adds up rounded lines", "within its rounding"}
    assert "249.4885" in invoke("examples", str(EXAMPLES))
    wrong = json.loads(EXAMPLES.read_text())
    wrong["cases"][0]["expected"]["total"] = 7
    (tmp_path / "wrong.json").write_text(json.dumps(wrong))
    with pytest.raises(KitError, match=rf"1 of {len(wrong['cases'])} differ: lambda-telemetry"):
        invoke("examples", str(tmp_path / "wrong.json"))
