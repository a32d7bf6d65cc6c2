"""Wires the service: settings -> suppliers, rates, rules -> search -> web. The only place that knows every part."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from app.core.crosswalk import Consolidator
from app.core.rank import Rules
from app.core.search import SearchService
from app.settings import Settings
from app.suppliers.catalogue import load_catalogue
from app.suppliers.rates import load_rates
from app.suppliers.registry import open_suppliers
from app.telemetry.counters import SearchCounters
from app.telemetry.loop_lag import LoopLag
from app.web.query import QueryParser
from app.web.routes import Service, build_web


def create_app(settings: Settings | None = None) -> Starlette:
    """The ASGI app. Files are read and checked here, so a wrong catalogue raises `ConfigurationError` at once;
    connections are opened by the app's lifespan."""
    settings = settings or Settings.from_environment(os.environ)
    catalogue = load_catalogue(settings.catalogue, variables=settings.catalogue_variables)
    rates = load_rates()
    counters = SearchCounters()
    service = Service(
        parser=QueryParser(catalogue.places, rates.currencies),
        counters=counters,
        lag=LoopLag(),
        version={"bundle_sha256": settings.bundle_sha256, "git_revision": settings.git_revision, "lane": settings.lane},
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with open_suppliers(catalogue, service.metrics) as suppliers:
            service.search = SearchService(
                suppliers,
                rates=rates,
                rules=Rules(settings.markup_percent),
                deadline_ms=settings.deadline_ms,
                consolidator=Consolidator(catalogue.content.listings_at),
                observer=counters,
            )
            service.lag.start()
            try:
                yield
            finally:
                service.lag.stop()
                service.search = None

    return build_web(service, lifespan=lifespan)
