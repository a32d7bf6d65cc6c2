"""Nothing on a search's way blocks the event loop: blockbuster raises where a blocking call is made from it."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest
from blockbuster import BlockingError, blockbuster_ctx

from app.bootstrap import create_app
from app.settings import Settings
from tests.app.cache.servers import server
from tests.fakes import future_search


def settings(**variables: str) -> Settings:
    return Settings.from_environment({f"CROSSOVER_{name}": value for name, value in variables.items()})


async def test_searches_with_cache_stream_and_metrics_block_nowhere(simulator_url: str, tmp_path: Path) -> None:
    with server(tmp_path) as shared:
        address = f"redis://127.0.0.1:{shared.port}"
        app = create_app(settings(SUPPLIERS_URL=simulator_url, DEADLINE_MS="8000", FRESH_S="60", CACHE_URL=address))
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=20) as client:
                await client.get(future_search("PAR"))  # what is imported and read once, at first use
                await client.get("/search/stream" + future_search("PAR").removeprefix("/search"))
                with blockbuster_ctx():
                    answers = [await client.get(future_search("LON", limit=str(limit))) for limit in (5, 5, 6)]
                    answers.append(await client.get("/search/stream" + future_search("PAR").removeprefix("/search")))
                    answers += [await client.get(path) for path in ("/metrics", "/healthz", "/readyz", "/version")]
        assert [answer.status_code for answer in answers] == [200] * 8
        assert answers[0].json()["complete"], "a blocked call would have become its supplier's error"
        assert "age" in answers[1].headers
        assert shared.client().dbsize() == 2


async def test_the_tool_sees_a_blocking_call() -> None:
    with blockbuster_ctx(), pytest.raises(BlockingError):
        time.sleep(0.001)
