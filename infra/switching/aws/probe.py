"""Requests that name their lane, as a person would send them: which bundle answers, and does it answer at all."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from infra.switching.aws.calls import Aws, asked
from infra.switching.aws.resources import Resources

TIMEOUT_S = 10.0
MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is None where there was none, and `wrong` says why."""

    status: int | None
    body: bytes = b""
    wrong: str = ""


class Get(Protocol):
    def __call__(self, url: str, headers: Mapping[str, str]) -> Answer: ...


def get(url: str, headers: Mapping[str, str]) -> Answer:
    """One GET over HTTP or HTTPS, certificates checked; never raises for what the other side does."""
    request = urllib.request.Request(url, headers={"User-Agent": "crossover-switch", **headers})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - the URL is the stack's own output
            return Answer(answer.status, answer.read(MOST_BYTES))
    except urllib.error.HTTPError as error:
        return Answer(error.code, wrong=f"HTTP {error.code}")
    except (OSError, ValueError) as error:
        return Answer(None, wrong=" ".join(str(getattr(error, "reason", error)).split()))


def lane_headers(aws: Aws, resources: Resources) -> dict[str, dict[str, str]]:
    """By lane, the headers that lead a request there whatever the weights: what the listener's rules ask for, a token among
    them where the stage has one. A lane that no rule leads to alone is left out."""
    with asked("rules of the listener"):
        rules = aws.client("elbv2").describe_rules(ListenerArn=resources.listener)["Rules"]
    found: dict[str, dict[str, str]] = {}
    for rule in rules:
        groups = [
            group["TargetGroupArn"]
            for action in rule["Actions"]
            if action["Type"] == "forward"
            for group in action.get("ForwardConfig", {}).get("TargetGroups", [])
        ]
        headers = _headers(rule["Conditions"])
        for lane, arn in resources.target_groups.items():
            if groups == [arn] and lane in headers.values():
                found[lane] = headers
    return found


def _headers(conditions: list[dict[str, Any]]) -> dict[str, str]:
    asked_for = [each["HttpHeaderConfig"] for each in conditions if each.get("Field") == "http-header"]
    return {each["HttpHeaderName"]: each["Values"][0] for each in asked_for}


def digest(get: Get, url: str, lane: str, headers: Mapping[str, str]) -> str | None:
    """SHA-256 of the bundle that the lane runs, by its `/version`; None where it does not say, or another lane answers."""
    answer = get(f"{url}/version", headers)
    try:
        told = json.loads(answer.body) if answer.status == 200 else {}
    except ValueError:
        return None
    if not isinstance(told, dict) or told.get("lane") != lane:
        return None
    found = told.get("bundle_sha256")
    return found if isinstance(found, str) else None
