"""`crossover prices show`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from infra.commands.prices import command
from infra.errors import InputError


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
