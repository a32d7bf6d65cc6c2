"""Per-stage deployment values, typed and validated in one place (groups in `infra/settings/`, docs/settings.md).

The stacks deploy these values and the cost model prices the same ones: a report is about what will really be deployed.
Imports no `aws_cdk`: the cost tools start without Node.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from infra.errors import InputError
from infra.settings.edge import KEEP_ALIVE_S, Cache, Network, Traffic
from infra.settings.lanes import INSTANCE_TYPES, ContainerLane, LambdaLane, Search
from infra.settings.setting import Checks, one_of, setting
from infra.settings.switching import Switch
from infra.settings.watch import Watch

__all__ = [
    "DEFAULT_STAGE",
    "INSTANCE_TYPES",
    "KEEP_ALIVE_S",
    "Cache",
    "ContainerLane",
    "LambdaLane",
    "Network",
    "Search",
    "Stage",
    "Switch",
    "Traffic",
    "Watch",
]

ARCHITECTURES = ("arm64", "x86_64")
LANES = ("lambda", "container")
PYTHONS = ("3.11", "3.12", "3.13")  # packaged by Amazon Linux 2023 and managed by AWS Lambda
# A secret's name, or its ARN, which Secrets Manager ends with six characters of its own (CreateSecret, API reference).
SECRET_FORMS = (
    r"[A-Za-z0-9/_+=.@-]{1,512}",
    r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]{1,512}-[A-Za-z0-9]{6}",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that differs between two deployments of the kit. `service` is the folder of a service of the user's own;
    `secret` names a secret of AWS Secrets Manager (its name, or its whole ARN) that both lanes read at start."""

    name: str = setting("dev", "which deployment; in the names of its stacks, and in the tag `crossover:stage`")
    account: str | None = setting(
        None, "AWS account that the stage belongs to; with credentials of another, deploying is refused"
    )
    region: str = setting("us-east-1", "where")
    lanes: tuple[str, ...] = setting(LANES, "which lanes are deployed: `lambda,container`, `lambda` or `container`")
    architecture: str = setting("arm64", "`arm64` or `x86_64`, of both lanes; brings its own instance types")
    python: str = setting("3.13", "minor version, of both lanes: 3.11, 3.12 or 3.13")
    suppliers_url: str = setting("https://suppliers.example.com", "base of the suppliers' URLs in the catalogue; set it")
    service: str | None = setting(
        None, "folder of a service of your own in place of the search: [bring-your-own-service.md](bring-your-own-service.md)"
    )
    secret: str | None = setting(
        None,
        "name, or whole ARN, of a secret in Secrets Manager with variables for both lanes: [deploy.md](deploy.md#secrets)",
    )
    search: Search = field(default_factory=Search)
    lambda_lane: LambdaLane = field(default_factory=LambdaLane)
    container_lane: ContainerLane = field(default_factory=ContainerLane)
    network: Network = field(default_factory=Network)
    traffic: Traffic = field(default_factory=Traffic)
    cache: Cache = field(default_factory=Cache)
    watch: Watch = field(default_factory=Watch)
    switch: Switch = field(default_factory=Switch)

    def __post_init__(self) -> None:
        for right, reason in (
            *self._own_checks(),
            *self.search.checks(),
            *self.lambda_lane.checks(self.python),
            *self.container_lane.checks(self.architecture),
            *self.network.checks(),
            *self.traffic.checks(),
            *self.cache.checks(),
            *self.watch.checks(),
            *self.switch.checks(),
            *self._joint_checks(),
        ):
            if not right:
                raise InputError(f"stage {self.name!r}: {reason}")

    @property
    def resource_prefix(self) -> str:
        """What the names of this stage's stacks begin with."""
        return f"crossover-{self.name.replace('_', '-')}"

    @property
    def has_load_balancer(self) -> bool:
        return "container" in self.lanes or self.lambda_lane.front == "load_balancer"

    @property
    def initial_weights(self) -> tuple[int, int]:
        """Weights of the Lambda and the container lane at first deployment; a lane that is deployed alone has all."""
        if len(self.lanes) == 1:
            return (100, 0) if self.lanes == ("lambda",) else (0, 100)
        return self.traffic.lambda_weight, self.traffic.container_weight

    def _own_checks(self) -> Checks:
        return (
            (
                re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,31}", self.name) is not None,
                f"name: {self.name!r} must be 1 to 32 letters, digits and underscores, a letter first",
            ),
            (
                self.account is None or re.fullmatch(r"\d{12}", self.account) is not None,
                f"account: {self.account!r} must be an account's twelve digits",
            ),
            (
                re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", self.region) is not None,
                f"region: {self.region!r} must be a region's code, as us-east-1",
            ),
            (
                bool(self.lanes) and len(set(self.lanes)) == len(self.lanes) and set(self.lanes) <= set(LANES),
                f"lanes: {','.join(self.lanes)!r} must be lambda,container, lambda or container",
            ),
            (
                self.architecture in ARCHITECTURES,
                f"architecture: {self.architecture!r}, must be {one_of(ARCHITECTURES)}",
            ),
            (self.python in PYTHONS, f"python: {self.python!r}, must be {one_of(PYTHONS)}"),
            (
                re.fullmatch(r"https?://[^/\s]+\S*", self.suppliers_url) is not None,
                f"suppliers_url: {self.suppliers_url!r} must be an http:// or https:// URL",
            ),
            (
                self.secret is None or any(re.fullmatch(form, self.secret) for form in SECRET_FORMS),
                f"secret: {self.secret!r} must be a secret's name, or its whole ARN with the six characters at its end",
            ),
        )

    def _joint_checks(self) -> Checks:
        """What several groups must agree on."""
        return (
            (
                self.lambda_lane.front == "load_balancer" or self.lanes == ("lambda",),
                f"lambda_lane.front: {self.lambda_lane.front} only with lanes=lambda; two lanes share the load balancer",
            ),
            (
                self.cache.kind == "none" or "container" in self.lanes,
                "cache.kind: only with the container lane; a function would have to leave the internet for the VPC",
            ),
            (
                self.lambda_lane.managed_concurrency is None or self.has_load_balancer,
                "lambda_lane.managed_concurrency: needs lambda_lane.front=load_balancer, whose network its instances stand in",
            ),
            (
                self.lambda_lane.managed_concurrency is None or self.lambda_lane.runtime_client == "asyncio",
                "lambda_lane.managed_concurrency: needs lambda_lane.runtime_client=asyncio, which serves many at once",
            ),
            (
                not self.switch.scheduled or len(self.lanes) == len(LANES),
                "switch.scheduled: needs lanes=lambda,container; there is nothing to switch between",
            ),
        )


DEFAULT_STAGE = Stage()
