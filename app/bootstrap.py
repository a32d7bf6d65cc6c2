"""Wires the service: settings -> suppliers, rates, rules, cache -> search -> web. The only place that knows every part."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

import msgspec
from starlette.applications import Starlette

from app.cache.address import StoreAddress, read_address
from app.core.cache import AnswerCache, Freshness
from app.core.crosswalk import Consolidator
from app.core.lru import ByteLru
from app.core.models import OutcomeStatus
from app.core.rank import Rules
from app.core.search import SearchService
from app.settings import PREFIX, Settings
from app.suppliers.address_policy import AddressPolicy, read_networks
from app.suppliers.catalogue import Catalogue, load_catalogue
from app.suppliers.rates import load_rates
from app.suppliers.registry import open_suppliers
from app.telemetry.cache import cache_samples
from app.telemetry.counters import SearchCounters
from app.telemetry.emf import Reporter
from app.telemetry.exposition import all_samples
from app.telemetry.history import History
from app.telemetry.loop_lag import LoopLag
from app.telemetry.tracing.port import TraceSettings
from app.web.admission import Admission
from app.web.query import QueryParser
from app.web.routes import build_web
from app.web.service import Service

MB = 1024 * 1024


def create_app(settings: Settings | None = None) -> Starlette:
    """The ASGI app. Files are read and checked here, so a wrong catalogue raises `ConfigurationError` at once;
    connections are opened by the app's lifespan."""
    settings = settings or Settings.from_environment(os.environ)
    catalogue = load_catalogue(settings.catalogue, variables=settings.catalogue_variables)
    store = read_address(f"{PREFIX}CACHE_URL", settings.cache_url, settings.cache_password) if settings.cache_url else None
    private = read_networks(f"{PREFIX}PRIVATE_SUPPLIERS", settings.private_suppliers)
    policy = AddressPolicy([entry.url for entry in catalogue.suppliers], private)
    rates = load_rates()
    counters = SearchCounters()
    service = Service(
        parser=QueryParser(catalogue.places, rates.currencies),
        counters=counters,
        lag=LoopLag(),
        version={"bundle_sha256": settings.bundle_sha256, "git_revision": settings.git_revision, "lane": settings.lane},
        admission=Admission(enabled=settings.admission),
    )
    service.lag.listener = service.admission.loop_seen
    service.metrics.add(service.admission.samples)
    history = History(counters, lambda: all_samples(counters, service.lag, service.metrics))
    reporter = Reporter(history, _write_line, lane=settings.lane, every_s=settings.emf_s, clock=time.time)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            suppliers = await stack.enter_async_context(
                open_suppliers(catalogue, service.metrics, policy, hedging=settings.hedging)
            )
            service.cache = await _open_cache(stack, service, settings, catalogue, store)
            if settings.traces is not None:
                await _open_traces(stack, service, settings.traces, catalogue)
            service.search = SearchService(
                suppliers,
                rates=rates,
                rules=Rules(settings.markup_percent),
                deadline_ms=settings.deadline_ms,
                consolidator=Consolidator(catalogue.content.listings_at),
                cache=service.cache,
                observer=counters,
            )
            service.lag.start()
            if settings.ops or settings.emf_s:
                history.start(reporter.due if settings.emf_s else None)
            try:
                yield
            finally:
                history.stop()
                service.lag.stop()
                service.search = None

    return build_web(service, lifespan=lifespan, shown=history if settings.ops else None)


def _write_line(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


async def _open_cache(
    stack: AsyncExitStack, service: Service, settings: Settings, catalogue: Catalogue, address: StoreAddress | None
) -> AnswerCache | None:
    """The cache of supplier answers; `None` when no supplier's answers may be used again."""
    by_supplier = {entry.id: entry.fresh_s for entry in catalogue.suppliers if entry.fresh_s is not None}
    freshness = Freshness(settings.fresh_s, by_supplier)
    if not any(freshness.of(entry.id, OutcomeStatus.OK) for entry in catalogue.suppliers):
        return None
    remote = None
    if address is not None:
        from app.cache.shared_store import open_store  # its library takes a fifth of a second to import

        remote = await stack.enter_async_context(open_store(address))
        service.metrics.add(remote.samples)
        service.settlers.append(remote.settle)
    cache = AnswerCache(freshness, ByteLru(settings.cache_mb * MB), namespace=_namespace(catalogue), remote=remote)
    service.metrics.add(partial(cache_samples, cache))
    return cache


async def _open_traces(stack: AsyncExitStack, service: Service, settings: TraceSettings, catalogue: Catalogue) -> None:
    from app.telemetry.tracing.export import open_pipeline  # OpenTelemetry takes a tenth of a second to import
    from app.telemetry.tracing.spans import Traces

    about = {f"crossover.{name}": value for name, value in service.version.items() if value is not None}
    hosts = {entry.id: host for entry in catalogue.suppliers if (host := urlsplit(entry.url).hostname)}
    pipeline = await stack.enter_async_context(open_pipeline(settings, about=about, hosts=hosts))
    service.metrics.add(pipeline.samples)
    service.settlers.append(pipeline.settle)
    service.tracer = Traces(pipeline)


def _namespace(catalogue: Catalogue) -> str:
    """Tells apart deployments that ask other suppliers, other hotels or with other accounts, over the same store."""
    asked = [(entry.id, entry.format, entry.url, entry.key) for entry in catalogue.suppliers]
    hotels = sorted(catalogue.content.hotels)
    return hashlib.blake2b(msgspec.msgpack.encode((asked, hotels)), digest_size=8).hexdigest()
