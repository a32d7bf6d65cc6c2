"""What both lanes deploy: one bundle's zip and the digest and revision it reports. Nothing is built here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.config import Search


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """`zip_path` becomes the one asset of both lanes; `sha256` (hex) is its digest, which the instances verify.
    `secret` is the name or ARN of the secret that both lanes read at start; `own_environment` is that of a service of the
    user's own; `switcher` is the folder with the code that makes scheduled switches, where the stage has them."""

    zip_path: Path
    sha256: str
    git_revision: str | None
    suppliers_url: str
    secret: str | None = None
    own_environment: Mapping[str, str] = field(default_factory=dict)
    search: Search = field(default_factory=Search)
    switcher: Path | None = None

    def environment(self, lane: str) -> dict[str, str]:
        """The service's environment on `lane` (docs/architecture.md lists the variables)."""
        environment = {
            **_search_environment(self.search),
            **self.own_environment,
            "CROSSOVER_LANE": lane,
            "CROSSOVER_BUNDLE_SHA256": self.sha256,
            "CROSSOVER_SUPPLIERS_URL": self.suppliers_url,
        }
        if self.git_revision:
            environment["CROSSOVER_GIT_REVISION"] = self.git_revision
        if self.secret:
            environment["CROSSOVER_SECRET"] = self.secret
        return environment


def _search_environment(search: Search) -> dict[str, str]:
    """What differs from the service's own defaults, under the service's own names."""
    values = {
        "CROSSOVER_DEADLINE_MS": search.deadline_ms,
        "CROSSOVER_FRESH_S": search.fresh_s,
        "CROSSOVER_OPS": "on" if search.ops else None,
        "CROSSOVER_EMF_S": search.emf_s or None,
        "OTEL_EXPORTER_OTLP_ENDPOINT": search.otlp_endpoint,
        "OTEL_TRACES_SAMPLER_ARG": search.traces_ratio if search.otlp_endpoint else None,
    }
    return {name: str(value) for name, value in values.items() if value is not None}
