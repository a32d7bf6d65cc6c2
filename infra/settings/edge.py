"""What stands around the lanes: the network, the load balancer and its split, the shared cache."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from infra.settings.lanes import LOG_RETENTION_DAYS
from infra.settings.setting import Checks, one_of, setting

# The service's own (app/serving/worker.py): a connection must end at the load balancer first, or a request meets a closed one.
KEEP_ALIVE_S = 75
# A request that chooses its lane must carry the stage's token in this header.
TOKEN_HEADER = "x-crossover-token"  # noqa: S105 - a header's name
EGRESSES = ("public", "nat_gateway", "nat_instance", "ipv6")
CACHES = ("none", "serverless", "nodes")


def _is_network(cidr: str) -> bool:
    try:
        return 16 <= ipaddress.IPv4Network(cidr).prefixlen <= 22
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Public subnets with public IPv4 addresses unless `egress` says otherwise: a NAT gateway's data charge on the
    suppliers' answers would cost as much as the whole fleet."""

    availability_zones: tuple[str, ...] = setting(("a", "b"), "letters of the zones, two or more")
    cidr: str = setting("10.40.0.0/16", "the VPC's addresses")
    egress: str = setting(
        "public",
        "how instances reach suppliers: `public` (own addresses), `nat_gateway`, `nat_instance` or `ipv6`; "
        "[network.md](network.md) has their prices",
    )
    nat_instance_type: str = setting("t4g.small", "type of the NAT instances, one a zone, with `egress=nat_instance`")

    def checks(self) -> Checks:
        zones = self.availability_zones
        return (
            (
                len(set(zones)) == len(zones) >= 2 and all(re.fullmatch("[a-z]", zone) for zone in zones),
                f"network.availability_zones: {','.join(zones)!r} must be two or more letters, as a,b",
            ),
            (
                _is_network(self.cidr),
                f"network.cidr: {self.cidr!r} must be an IPv4 network of /16 to /22",
            ),
            (self.egress in EGRESSES, f"network.egress: {self.egress!r}, must be {one_of(EGRESSES)}"),
            (
                re.fullmatch(r"[a-z][a-z0-9-]*\.[a-z0-9-]+", self.nat_instance_type) is not None,
                f"network.nat_instance_type: {self.nat_instance_type!r} must be an instance type, as t4g.small",
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The load balancer and how it splits requests at first deployment; weights are 0 to 999 each, not both 0.

    A request that carries `lane_header: lambda` or `lane_header: container`, and the stage's own token beside it, goes to
    that lane whatever the weights say (for smoke tests); None leaves this out.
    """

    lambda_weight: int = setting(0, "share of the Lambda lane at first deployment")
    container_weight: int = setting(100, "share of the container lane at first deployment")
    idle_timeout_s: int = setting(60, f"of the load balancer; must be less than the service's keep-alive of {KEEP_ALIVE_S} s")
    certificate_arn: str | None = setting(None, "ACM certificate: HTTPS on 443 with TLS 1.2 and 1.3, and 80 redirects to it")
    domain: str | None = setting(None, "name under which callers reach the load balancer; needs `hosted_zone_id`")
    hosted_zone_id: str | None = setting(None, "Route 53 hosted zone of the domain, in which its alias record is made")
    lane_header: str | None = setting(
        "x-crossover-lane", "header that names a lane, taken with the stage's token only; `none` leaves it out"
    )
    access_log_days: int | None = setting(30, "how long access logs stay in S3; `none`: no access logs")
    waf: bool = setting(False, "AWS WAF before the load balancer: AWS's common rules and a limit by address")
    waf_requests_per_5_min: int = setting(10_000, "requests in five minutes after which WAF blocks an address")
    waf_log_days: int | None = setting(None, "how long the log of requests that WAF blocked stays; `none`: no log")
    deletion_protection: bool = setting(False, "the load balancer cannot be deleted until this is off again")

    def checks(self) -> Checks:
        return (
            (
                all(0 <= w <= 999 for w in (self.lambda_weight, self.container_weight))
                and self.lambda_weight + self.container_weight > 0,
                "traffic weights: each must be 0 to 999 and not both 0",
            ),
            (
                1 <= self.idle_timeout_s < KEEP_ALIVE_S,
                f"traffic.idle_timeout_s: must be 1 to {KEEP_ALIVE_S - 1}, less than the service's keep-alive",
            ),
            (
                self.certificate_arn is None or self.certificate_arn.startswith("arn:"),
                f"traffic.certificate_arn: {self.certificate_arn!r} must be the ARN of an ACM certificate",
            ),
            (
                self.domain is None or re.fullmatch(r"([a-z0-9-]{1,63}\.)+[a-z]{2,63}", self.domain) is not None,
                f"traffic.domain: {self.domain!r} must be a domain name, as search.example.com",
            ),
            (
                self.hosted_zone_id is None or re.fullmatch(r"Z[A-Z0-9]{1,31}", self.hosted_zone_id) is not None,
                f"traffic.hosted_zone_id: {self.hosted_zone_id!r} must be a Route 53 hosted zone's id, as Z0123456789ABC",
            ),
            (
                (self.domain is None) == (self.hosted_zone_id is None),
                "traffic.domain and traffic.hosted_zone_id: give both or neither",
            ),
            (
                self.lane_header is None or re.fullmatch(r"[A-Za-z0-9-]{1,40}", self.lane_header) is not None,
                f"traffic.lane_header: {self.lane_header!r} must be a header's name of letters, digits and hyphens",
            ),
            (
                self.lane_header is None or self.lane_header.lower() != TOKEN_HEADER,
                f"traffic.lane_header: {TOKEN_HEADER} is the token's own header",
            ),
            (
                self.access_log_days is None or 1 <= self.access_log_days <= 3_650,
                "traffic.access_log_days: must be 1 to 3650, or none",
            ),
            (
                10 <= self.waf_requests_per_5_min <= 2_000_000_000,
                "traffic.waf_requests_per_5_min: must be 10 to 2000000000",
            ),
            (
                self.waf_log_days is None or (self.waf and self.waf_log_days in LOG_RETENTION_DAYS),
                f"traffic.waf_log_days: must be none, or with traffic.waf=true {one_of(LOG_RETENTION_DAYS)}",
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """ElastiCache for Valkey, shared by the container lane's processes; TLS and authentication are always on."""

    kind: str = setting("none", "shared cache of the container lane, ElastiCache for Valkey: `none`, `serverless` or `nodes`")
    node_type: str = setting("cache.t4g.small", "type of the nodes")
    replicas: int = setting(1, "replicas beside the primary; with 0 a failed node is a cold cache")
    max_gb: int = setting(5, "most data that a serverless cache may hold, in GB")

    def checks(self) -> Checks:
        return (
            (self.kind in CACHES, f"cache.kind: {self.kind!r}, must be {one_of(CACHES)}"),
            (
                re.fullmatch(r"cache\.[a-z0-9]+\.[a-z0-9]+", self.node_type) is not None,
                f"cache.node_type: {self.node_type!r} must be a node type, as cache.t4g.small",
            ),
            (0 <= self.replicas <= 5, "cache.replicas: must be 0 to 5"),
            (1 <= self.max_gb <= 5_000, "cache.max_gb: must be 1 to 5000"),
        )
