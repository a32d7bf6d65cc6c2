"""The service's settings: the only place that reads the environment. Documented in `docs/architecture.md`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from app.core.errors import ConfigurationError

PREFIX = "CROSSOVER_"
LANES = ("lambda", "container", "local")
SHIPPED_CATALOGUE = Path(__file__).parent / "suppliers" / "catalogue.toml"


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
    cache_mb: int
    admission: bool
    hedging: bool
    ops: bool
    emf_s: float
    environment: Mapping[str, str] = field(repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read `CROSSOVER_*`; raises `ConfigurationError` naming the variable and what would be right."""
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
            cache_mb=int(read.number("CACHE_MB", default=64, low=1, high=16_384, whole=True)),
            admission=read.switch("ADMISSION", default=True),
            hedging=read.switch("HEDGING", default=True),
            ops=read.switch("OPS", default=False),
            emf_s=float(read.number("EMF_S", default=0, low=0, high=3_600)),
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
