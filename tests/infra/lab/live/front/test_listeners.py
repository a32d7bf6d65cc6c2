"""Rules as elbv2 describes them: which one takes a request, and where it leads."""

from __future__ import annotations

import random
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from infra.errors import KitError
from infra.lab.live.front.listeners import FixedResponse, Forward, Redirect, action, condition, listener, rule

NOT_FOUND = {
    "Type": "fixed-response",
    "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "no such route\n"},
}


def request(path: str = "/", method: str = "GET", **headers: str) -> web.Request:
    return make_mocked_request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def header(name: str, *values: str) -> dict[str, Any]:
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": list(values)}}


def path(*values: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "Values": list(values), "PathPatternConfig": {"Values": list(values)}}


def forward(*weights: int) -> dict[str, Any]:
    groups = [{"TargetGroupArn": f"group{number}", "Weight": weight} for number, weight in enumerate(weights)]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


@pytest.mark.parametrize(
    ("described", "asked", "holds"),
    [
        (path("/*"), request("/search?city=Rome"), True),
        (path("/img/?.png"), request("/img/a.png"), True),
        (path("/img/?.png"), request("/img/ab.png"), False),
        (path("/Search"), request("/search"), False),
        (path("/a[bc]"), request("/ab"), False),
        (header("x-lane", "Lambda"), request(X_Lane="lambda"), True),
        (header("x-lane", "lambda"), request(), False),
        (header("user-agent", "*Chrome*", "*Safari*"), request(User_Agent="Some Safari/1"), True),
        ({"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com"]}}, request(Host="A.Example.com:80"), True),
        ({"Field": "host-header", "Values": ["example.com"]}, request(Host="example.org"), False),
        ({"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["PUT"]}}, request(method="PUT"), True),
        ({"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["PUT"]}}, request(), False),
        ({"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "1*"}]}}, request("/?v=12"), True),
        ({"Field": "query-string", "QueryStringConfig": {"Values": [{"Value": "beta"}]}}, request("/?any=BETA"), True),
        ({"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "1"}]}}, request("/?w=1"), False),
    ],
)
def test_conditions_hold_as_documented(described: dict[str, Any], asked: web.Request, holds: bool) -> None:
    assert condition(described).holds(asked) is holds


def test_all_conditions_of_a_rule_must_hold() -> None:
    named = rule({"Conditions": [header("x-lane", "lambda"), header("x-token", "s3cret")], "Actions": [forward(1)]})
    assert named.holds(request(X_Lane="lambda", X_Token="s3cret"))
    assert not named.holds(request(X_Lane="lambda", X_Token="guessed"))
    assert not named.holds(request(X_Lane="lambda"))


def test_rules_are_tried_by_priority_and_the_default_last() -> None:
    rules = [
        {"Priority": "default", "Actions": [NOT_FOUND]},
        {"Priority": "100", "Conditions": [path("/*")], "Actions": [forward(1, 3)]},
        {"Priority": "2", "Conditions": [header("x-lane", "container")], "Actions": [forward(1)]},
    ]
    told = {"LoadBalancerArn": "lb", "ListenerArn": "l", "Protocol": "HTTP", "Port": 80}
    found = listener(told, rules, {"idle_timeout.timeout_seconds": "30"})
    assert found.action(request(X_Lane="container")) == Forward((("group0", 1),))
    assert found.action(request()) == Forward((("group0", 1), ("group1", 3)))
    assert found.rules[-1].action == FixedResponse(404, "text/plain", "no such route\n")
    assert (found.idle_timeout_s, found.drop_invalid_headers) == (30.0, False)
    assert found.group_arns() == {"group0", "group1"}


def test_groups_are_drawn_by_weight_and_never_with_weight_0() -> None:
    rng = random.Random(1)
    drawn = [Forward((("a", 0), ("b", 20), ("c", 80))).choose(rng) for _ in range(4_000)]
    assert drawn.count("a") == 0
    assert 0.17 < drawn.count("b") / len(drawn) < 0.23
    assert Forward((("a", 0), ("b", 0))).choose(rng) is None


def test_a_forward_without_weights_leads_to_its_one_group() -> None:
    assert action([{"Type": "forward", "TargetGroupArn": "only"}]) == Forward((("only", 1),))


def test_a_redirect_keeps_the_parts_that_it_does_not_change() -> None:
    described = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    found = action([described])
    assert isinstance(found, Redirect)
    asked = request("/a%20b?x=1", Host="example.com:8080")
    assert (found.status, found.location(asked, "HTTP", 80)) == (301, "https://example.com/a%20b?x=1")


@pytest.mark.parametrize("kind", ["authenticate-oidc", "jwt-validation"])
def test_what_is_not_known_is_refused_by_name(kind: str) -> None:
    with pytest.raises(KitError, match=kind):
        action([{"Type": kind, "Order": 1}, {**forward(1), "Order": 2}])
    with pytest.raises(KitError, match="'of-the-moon'"):
        condition({"Field": "of-the-moon"})
