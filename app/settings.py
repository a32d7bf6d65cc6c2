"""The service's settings: the only place that reads the environment. Documented in `docs/architecture.md`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from app.core.errors import ConfigurationError
from app.telemetry.tracing.port import TraceSettings

PREFIX = "CROSSOVER_"
LANES = ("lambda", "container", "local")
DEFAULT_SAMPLER, DEFAULT_RATIO = "parentbased_traceidratio", 0.1
"""Where the environment names no sampler. OpenTelemetry's own default traces every search, which takes more than the twentieth
of the CPU that telemetry may cost (docs/search.md)."""

SHIPPED_CATALOGUE = Path(__file__).parent / "suppliers" / "catalogue.toml"

SAMPLERS = (
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Validated once, at start; the defaults stand in `from_environment`. `repr` shows no secret: neither the environment
    nor the shared cache's URL, which may hold a password."""

    lane: str
    bundle_sha256: str | None
    git_revision: str | None
    catalogue: Path
    suppliers_url: str
    private_suppliers: str
    deadline_ms: int
    markup_percent: Decimal
    fresh_s: float
    cache_url: str | None = field(repr=False)
    cache_password: str | None = field(repr=False)
    cache_mb: int
    admission: bool
    hedging: bool
    ops: bool
    emf_s: float
    traces: TraceSettings | None = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read `CROSSOVER_*` and what OpenTelemetry has standard names for; raises `ConfigurationError` naming the variable and
        what would be right."""
        read = _Reader(environment)
        lane = read.text("LANE") or "local"
        if lane not in LANES:
            raise ConfigurationError(f"{PREFIX}LANE: {lane!r} is not one of {', '.join(LANES)}")
        suppliers_url = (read.text("SUPPLIERS_URL") or "http://127.0.0.1:8900").rstrip("/")
        if not suppliers_url.startswith(("http://", "https://")):
            raise ConfigurationError(f"{PREFIX}SUPPLIERS_URL: {suppliers_url!r} must begin with http:// or https://")
        return cls(
            lane=lane,
            bundle_sha256=read.text("BUNDLE_SHA256"),
            git_revision=read.text("GIT_REVISION"),
            catalogue=Path(read.text("CATALOGUE") or SHIPPED_CATALOGUE),
            suppliers_url=suppliers_url,
            private_suppliers=read.text("PRIVATE_SUPPLIERS") or "",
            deadline_ms=int(read.number("DEADLINE_MS", default=1_500, low=50, high=60_000, whole=True)),
            markup_percent=read.number("MARKUP_PERCENT", default=8, low=0, high=100),
            fresh_s=float(read.number("FRESH_S", default=0, low=0, high=86_400)),
            cache_url=read.text("CACHE_URL"),
            cache_password=read.text("CACHE_PASSWORD"),
            cache_mb=int(read.number("CACHE_MB", default=64, low=1, high=16_384, whole=True)),
            admission=read.switch("ADMISSION", default=True),
            hedging=read.switch("HEDGING", default=True),
            ops=read.switch("OPS", default=False),
            emf_s=float(read.number("EMF_S", default=0, low=0, high=3_600)),
            traces=_traces(environment),
            environment=environment,
        )

    @property
    def catalogue_variables(self) -> dict[str, str]:
        """What `${name}` may stand for in the catalogue: `suppliers`, and every variable of the environment."""
        return {**self.environment, "suppliers": self.suppliers_url}


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str) -> str | None:
        return self._environment.get(PREFIX + name) or None

    def switch(self, name: str, *, default: bool) -> bool:
        text = self.text(name)
        if text is None:
            return default
        if text not in ("on", "off"):
            raise ConfigurationError(f"{PREFIX}{name}: {text!r} must be on or off")
        return text == "on"

    def number(self, name: str, *, default: int, low: int, high: int, whole: bool = False) -> Decimal:
        text = self.text(name)
        if text is None:
            return Decimal(default)
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        if not (value.is_finite() and low <= value <= high and (value == int(value) or not whole)):
            kind = "whole number" if whole else "number"
            raise ConfigurationError(f"{PREFIX}{name}: {text!r} must be a {kind} from {low} to {high}")
        return value


def _traces(environment: Mapping[str, str]) -> TraceSettings | None:
    """`None` unless an endpoint is given and nothing says that there shall be no traces.
    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/"""
    name = "OTEL_TRACES_EXPORTER"
    exporter = (environment.get(name) or "otlp").lower()
    switched_off = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or exporter == "none"
    endpoint = None if switched_off else _endpoint(environment)
    if endpoint is None:
        return None
    if exporter != "otlp":
        raise ConfigurationError(f"{name}: {exporter!r} is not known here, only otlp and none")
    for name in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        if (protocol := environment.get(name) or "http/json") != "http/json":
            raise ConfigurationError(f"{name}: {protocol!r} is not spoken here, only http/json (a collector's port 4318)")
    name = "OTEL_TRACES_SAMPLER"
    sampler = (environment.get(name) or DEFAULT_SAMPLER).lower()
    if sampler not in SAMPLERS:
        raise ConfigurationError(f"{name}: {sampler!r} is not one of {', '.join(SAMPLERS)}")
    headers = _headers("OTEL_EXPORTER_OTLP_HEADERS", environment)
    resource = {key: value for _, key, value in _pairs("OTEL_RESOURCE_ATTRIBUTES", environment)}
    if service_name := environment.get("OTEL_SERVICE_NAME"):
        resource["service.name"] = service_name
    return TraceSettings(
        endpoint=endpoint,
        headers={**headers, **_headers("OTEL_EXPORTER_OTLP_TRACES_HEADERS", environment)},
        resource={"service.name": "crossover", **resource},
        sampler=sampler,
        ratio=_ratio(environment, default=1.0 if environment.get(name) else DEFAULT_RATIO)
        if sampler.endswith("ratio")
        else 1.0,
    )


def _endpoint(environment: Mapping[str, str]) -> str | None:
    """The URL that traces go to. A message does not repeat it: a part of it may be a secret."""
    for name in ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        if url := environment.get(name):
            break
    else:
        return None
    parts = _parts(url)
    if parts is None:
        raise ConfigurationError(f"{name}: must be http:// or https:// and a host, such as http://127.0.0.1:4318")
    if "@" in parts.netloc:
        raise ConfigurationError(f"{name}: must have no user and password; OTEL_EXPORTER_OTLP_HEADERS can carry them")
    if name == "OTEL_EXPORTER_OTLP_ENDPOINT":
        parts = parts._replace(path=parts.path.rstrip("/") + "/v1/traces")
    return parts.geturl()


def _parts(url: str) -> SplitResult | None:
    """`None` for what is no HTTP URL with a host."""
    if not re.fullmatch("https?://[!-~]+", url):
        return None
    try:
        parts = urlsplit(url)
        return parts if parts.hostname and parts.port != 0 else None
    except ValueError:  # a port that is none, a bracket that is not closed
        return None


def _ratio(environment: Mapping[str, str], *, default: float) -> float:
    name = "OTEL_TRACES_SAMPLER_ARG"
    text = environment.get(name)
    try:
        ratio = float(text) if text else default
    except ValueError:
        ratio = -1.0
    if not 0 <= ratio <= 1:
        raise ConfigurationError(f"{name}: {text!r} must be a number from 0 to 1")
    return ratio


def _headers(name: str, environment: Mapping[str, str]) -> dict[str, str]:
    headers = {}
    for number, key, value in _pairs(name, environment):
        if not (re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", key) and re.fullmatch("[ -~]*", value)):
            wanted = "a header's name, such as x-api-key, and a value of printable ASCII characters once decoded"
            raise ConfigurationError(f"{name}: entry {number} must be {wanted}")
        headers[key.lower()] = value.strip()
    return headers


def _pairs(name: str, environment: Mapping[str, str]) -> Iterator[tuple[int, str, str]]:
    """Number, key and value of each entry of `key=value,key=value`, values percent-encoded, as the standard has it. A message
    tells no value: it may be a secret."""
    for number, pair in enumerate(filter(None, map(str.strip, environment.get(name, "").split(","))), start=1):
        key, equals, value = pair.partition("=")
        if not (equals and key.strip()):
            raise ConfigurationError(f"{name}: entry {number} must be key=value, entries separated by commas")
        yield number, key.strip(), unquote(value.strip())
