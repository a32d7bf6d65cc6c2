"""A listener as plain data: its rules with conditions and actions, and the target groups they forward to.

Made of what elbv2 answers (`described` below each class); nothing here asks. Conditions are compared as the documentation of
`RuleCondition` says (Elastic Load Balancing API reference): `*` is any characters and `?` exactly one; paths regard case,
hosts, header names and values and query strings do not; all conditions of a rule must hold, of a condition's values one.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Protocol

from aiohttp import web

from infra.errors import KitError

Json = Mapping[str, Any]


class Condition(Protocol):
    def holds(self, request: web.BaseRequest) -> bool: ...


@dataclass(frozen=True, slots=True)
class PathIs:
    patterns: tuple[re.Pattern[str], ...]

    def holds(self, request: web.BaseRequest) -> bool:
        path = request.rel_url.raw_path
        return any(pattern.fullmatch(path) for pattern in self.patterns)


@dataclass(frozen=True, slots=True)
class HeaderIs:
    """Of a repeated header one value must match. `Host` is the host's condition: without its port."""

    name: str
    patterns: tuple[re.Pattern[str], ...]

    def holds(self, request: web.BaseRequest) -> bool:
        values = request.headers.getall(self.name, [])
        if self.name == "Host":
            values = [value.rpartition(":")[0] if re.search(r":\d+$", value) else value for value in values]
        return any(pattern.fullmatch(value) for pattern in self.patterns for value in values)


@dataclass(frozen=True, slots=True)
class MethodIs:
    methods: frozenset[str]

    def holds(self, request: web.BaseRequest) -> bool:
        return request.method in self.methods


@dataclass(frozen=True, slots=True)
class QueryHas:
    """One of the pairs stands in the query; a pair without a key is a value of any."""

    pairs: tuple[tuple[re.Pattern[str] | None, re.Pattern[str]], ...]

    def holds(self, request: web.BaseRequest) -> bool:
        said = request.rel_url.query.items()
        return any(
            (key is None or key.fullmatch(name)) and value.fullmatch(text) for key, value in self.pairs for name, text in said
        )


@dataclass(frozen=True, slots=True)
class SourceIn:
    networks: tuple[IPv4Network | IPv6Network, ...]

    def holds(self, request: web.BaseRequest) -> bool:
        caller = None if request.remote is None else ip_address(request.remote)
        return caller is not None and any(caller in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class Forward:
    """To one of the target groups, by weight. Weights that are all 0, which elbv2 refuses, lead nowhere."""

    groups: tuple[tuple[str, int], ...]

    def choose(self, rng: random.Random) -> str | None:
        left = rng.random() * sum(weight for _, weight in self.groups)
        for arn, weight in self.groups:
            if left < weight:
                return arn
            left -= weight
        return None


@dataclass(frozen=True, slots=True)
class FixedResponse:
    status: int
    content_type: str
    body: str


@dataclass(frozen=True, slots=True)
class Redirect:
    status: int
    protocol: str
    host: str
    port: str
    path: str
    query: str

    def location(self, request: web.BaseRequest, protocol: str, port: int) -> str:
        """With the request's own parts in place of `#{host}` and the like; the port where it is not the protocol's."""
        host = request.headers.get("Host", "").rpartition(":")[0] or request.headers.get("Host", "")
        url = request.rel_url
        own = {"protocol": protocol.lower(), "host": host, "port": str(port), "path": url.raw_path.lstrip("/")}
        own["query"] = url.raw_query_string

        def filled(text: str) -> str:
            return re.sub(r"#\{(\w+)\}", lambda found: own.get(found[1], ""), text)

        scheme, target_port = filled(self.protocol).lower(), filled(self.port)
        end = "" if target_port == {"http": "80", "https": "443"}.get(scheme) else f":{target_port}"
        query = filled(self.query)
        return f"{scheme}://{filled(self.host)}{end}{filled(self.path)}{'?' if query else ''}{query}"


Action = Forward | FixedResponse | Redirect


@dataclass(frozen=True, slots=True)
class Rule:
    conditions: tuple[Condition, ...]
    action: Action

    def holds(self, request: web.BaseRequest) -> bool:
        return all(condition.holds(request) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Listener:
    """`rules` in the order they are tried, the default one last. `load_balancer` is the ARN."""

    load_balancer: str
    arn: str
    protocol: str
    port: int
    rules: tuple[Rule, ...]
    idle_timeout_s: float = 60.0
    drop_invalid_headers: bool = False

    def action(self, request: web.BaseRequest) -> Action:
        return next(rule.action for rule in self.rules if rule.holds(request))

    def group_arns(self) -> frozenset[str]:
        forwards = [rule.action for rule in self.rules if isinstance(rule.action, Forward)]
        return frozenset(arn for forward in forwards for arn, _ in forward.groups)


def listener(described: Json, rules: Iterable[Json], attributes: Mapping[str, str]) -> Listener:
    """Of what DescribeListeners, DescribeRules and DescribeLoadBalancerAttributes tell."""
    ordered = sorted(rules, key=lambda each: (each["Priority"] == "default", _number(each["Priority"])))
    return Listener(
        load_balancer=described["LoadBalancerArn"],
        arn=described["ListenerArn"],
        protocol=described.get("Protocol", "HTTP"),
        port=int(described["Port"]),
        rules=tuple(rule(each) for each in ordered),
        idle_timeout_s=float(attributes.get("idle_timeout.timeout_seconds", 60)),
        drop_invalid_headers=attributes.get("routing.http.drop_invalid_header_fields.enabled") == "true",
    )


def _number(priority: str) -> int:
    return int(priority) if priority.isdigit() else 0


def rule(described: Json) -> Rule:
    conditions = tuple(condition(each) for each in described.get("Conditions", ()))
    return Rule(conditions, action(described["Actions"]))


def condition(described: Json) -> Condition:
    """Raises `KitError` for a kind that is not known here."""
    match described["Field"]:
        case "path-pattern":
            return PathIs(_patterns(_values(described, "PathPatternConfig"), re.DOTALL))
        case "host-header":
            return HeaderIs("Host", _patterns(_values(described, "HostHeaderConfig")))
        case "http-header":
            header = described["HttpHeaderConfig"]
            return HeaderIs(header["HttpHeaderName"], _patterns(header["Values"]))
        case "http-request-method":
            return MethodIs(frozenset(_values(described, "HttpRequestMethodConfig")))
        case "query-string":
            pairs = described["QueryStringConfig"]["Values"]
            return QueryHas(tuple((_pattern(p["Key"]) if p.get("Key") else None, _pattern(p["Value"])) for p in pairs))
        case "source-ip":
            return SourceIn(tuple(ip_network(each) for each in _values(described, "SourceIpConfig")))
        case other:
            raise KitError(f"a listener's rule has the condition {other!r}, which the lab's load balancer does not know")


def _values(described: Json, config: str) -> list[str]:
    """Of the condition's own part; the older form has them beside the field's name."""
    values: list[str] = (described.get(config) or described).get("Values", [])
    return values


def _patterns(values: Iterable[str], flags: int = re.IGNORECASE | re.DOTALL) -> tuple[re.Pattern[str], ...]:
    return tuple(_pattern(value, flags) for value in values)


def _pattern(value: str, flags: int = re.IGNORECASE | re.DOTALL) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in value), flags)


def action(described: Iterable[Json]) -> Action:
    """The last of a rule's actions, the one that ends it. Raises `KitError` where one logs callers in first."""
    actions = sorted(described, key=lambda each: int(each.get("Order", 1)))
    last = actions[-1]
    if len(actions) > 1:
        raise KitError(f"a listener's rule has the action {actions[0]['Type']!r}, which the lab's load balancer does not know")
    match last["Type"]:
        case "forward":
            weighted = (last.get("ForwardConfig") or {}).get("TargetGroups") or [{"TargetGroupArn": last["TargetGroupArn"]}]
            return Forward(tuple((each["TargetGroupArn"], int(each.get("Weight", 1))) for each in weighted))
        case "fixed-response":
            fixed = last["FixedResponseConfig"]
            kind, body = fixed.get("ContentType") or "text/plain", fixed.get("MessageBody") or ""
            return FixedResponse(int(fixed["StatusCode"]), kind, body)
        case "redirect":
            given = {name: value for name, value in last["RedirectConfig"].items() if value}
            own = {"Protocol": "#{protocol}", "Host": "#{host}", "Port": "#{port}", "Path": "/#{path}", "Query": "#{query}"}
            parts = [str(given.get(name, default)) for name, default in own.items()]
            return Redirect(int(given["StatusCode"].removeprefix("HTTP_")), *parts)
        case other:
            raise KitError(f"a listener's rule has the action {other!r}, which the lab's load balancer does not know")
