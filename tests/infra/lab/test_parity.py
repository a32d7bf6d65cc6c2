"""Parity finds a real difference anywhere in an answer, and only timing fields are let pass."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from infra.lab.parity import check_parity, first_difference

ANSWER = {"hotels": [{"name": "Alba", "offers": [{"amount": "10.00"}]}], "elapsed_ms": 3.1, "complete": True}


@pytest.mark.parametrize(
    ("other", "where"),
    [
        ({**ANSWER, "elapsed_ms": 99.0}, None),
        ({**ANSWER, "complete": False}, "$.complete"),
        ({**ANSWER, "complete": 1}, "$.complete"),
        ({**ANSWER, "hotels": []}, "$.hotels.length"),
        ({**ANSWER, "hotels": [{"name": "Alba", "offers": [{"amount": "10.0"}]}]}, "$.hotels[0].offers[0].amount"),
        ({**ANSWER, "extra": None}, "$.extra"),
    ],
)
def test_the_first_difference_is_named_by_its_path(other: object, where: str | None) -> None:
    found = first_difference(ANSWER, other)
    assert (found and found[0]) == where


async def test_lanes_that_answer_differently_are_reported_with_the_search_and_the_place() -> None:
    def lane(name: str) -> web.Application:
        async def handler(request: web.Request) -> web.Response:
            same = request.query["n"] != "2"
            return web.json_response({"hotel": "Alba" if same else name})

        app = web.Application()
        app.router.add_get("/search", handler)
        return app

    async with TestServer(lane("a")) as one, TestServer(lane("b")) as two:
        result = await check_parity(
            str(one.make_url("")).rstrip("/"), str(two.make_url("")).rstrip("/"), [f"/search?n={n}" for n in range(5)]
        )
    assert (result.queries, result.identical) == (5, 4)
    (difference,) = result.differences
    assert (difference.path, difference.where, difference.lambda_value) == ("/search?n=2", "$.body.hotel", '"a"')
