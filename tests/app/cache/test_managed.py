"""The shared store on what a managed Valkey is (ElastiCache): TLS and one user with few rights, a proxy that speaks the cluster
protocol, and an endpoint whose name leads elsewhere after a failover while old connections stay where they were."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from app.cache import shared_store
from app.cache.address import read_address
from app.cache.shared_store import SharedStore, open_store
from benchmarks.certificates import make_certificates
from infra.components.cache_user import ACCESS, PASSWORD_VARIABLE, USER
from infra.lab.container_lane import ContainerLane
from tests.app.cache.servers import Server, server
from tests.app.cache.test_shared_store import until_up
from tests.conftest import ROOT, free_port
from tests.fakes import future_search
from tests.secret_values.doubles import Cloud, moto_server

KEY = b"crossover:test"
PASSWORD = "a" * 48


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """A server's options for TLS with a certificate that this process trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(make_certificates(tmp_path)))
    return (
        f"tls-cert-file {tmp_path}/server.pem",
        f"tls-key-file {tmp_path}/server.key",
        f"tls-ca-cert-file {tmp_path}/ca.pem",
        "tls-auth-clients no",
    )


@pytest.fixture
def url(tmp_path: Path, tls: tuple[str, ...]) -> Iterator[str]:
    """A server that knows one user only, the deployed one; without the password."""
    port = free_port()
    with server(tmp_path, *tls, f"tls-port {port}", "user default off", f"user {USER} {ACCESS} >{PASSWORD}"):
        yield f"rediss://{USER}@127.0.0.1:{port}"


async def put_and_got(store: SharedStore, key: bytes = KEY) -> bytes | None:
    store.put(key, b"value", ttl_ms=60_000)
    await store.settle()
    return await store.get(key)


async def test_tls_and_a_user_with_the_deployed_rights_are_enough(url: str) -> None:
    async with open_store(read_address("X", url, PASSWORD)) as store:
        assert await put_and_got(store) == b"value"
        assert await store.get(b"another's") is None
        assert store.results["error"] == 1, "keys of others are out of its reach"
        await until_up(store)  # so the probe is within its rights as well
        assert await store.get(KEY) == b"value"


@pytest.mark.parametrize("password", ["wrong", None])
async def test_without_the_password_nothing_is_told(url: str, password: str | None) -> None:
    async with open_store(read_address("X", url, password)) as store:
        assert await put_and_got(store) is None
        assert store.results["error"] >= 1


async def test_a_certificate_that_is_not_trusted_is_no_server_of_ours(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setattr(shared_store, "TIMEOUT_S", 10.0)  # so that it is refused, and not late, on a busy machine too
    async with open_store(read_address("X", url, PASSWORD)) as store:
        assert await put_and_got(store) is None
        assert store.results["error"] >= 1


async def test_connections_share_one_reading_of_the_trusted_certificates(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_store(read_address("X", url, PASSWORD)) as store:
        monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")  # who reads them again now does not trust the server
        for _ in range(20):  # on a busy machine handshakes at once may take longer than a command may
            if not store._up:
                await until_up(store)
            if None not in await asyncio.gather(*(put_and_got(store, b"crossover:%d" % number) for number in range(3))):
                break
        else:
            pytest.fail("no two connections at once")


async def test_a_server_that_speaks_the_cluster_protocol_takes_all_that_is_asked(tmp_path: Path) -> None:
    """A cluster's node with every slot, which refuses what ElastiCache Serverless refuses: other databases, several keys."""
    options = ("cluster-enabled yes", f"cluster-config-file {tmp_path}/nodes.conf")
    with server(tmp_path, *options) as running:
        own = running.client()
        own.cluster("ADDSLOTSRANGE", 0, 16_383)
        running.until(lambda: own.cluster("INFO")["cluster_state"] == "ok")
        own.config_resetstat()
        async with open_store(read_address("X", f"redis://127.0.0.1:{running.port}")) as store:
            for number in range(50):
                assert await put_and_got(store, b"crossover:%d" % number) == b"value"
            assert store.results["error"] == 0
        asked = {name.removeprefix("cmdstat_") for name in own.info("commandstats")}
        assert asked - {"info", "config|resetstat"} == {"get", "set"}


class Endpoint:
    """A name: where it leads to matters to new connections only."""

    def __init__(self, port: int) -> None:
        self.leads_to = port
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Endpoint]:
        listener = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = listener.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listener.close()
            self.close_all()

    def close_all(self) -> None:
        for writer in self._open:
            writer.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(OSError):
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self.leads_to)
            self._open.add(upstream_writer)
            await asyncio.wait(
                [asyncio.create_task(_copy(reader, upstream_writer)), asyncio.create_task(_copy(upstream_reader, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
            upstream_writer.close()
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    with server(tmp_path) as primary, server(tmp_path, f"replicaof 127.0.0.1 {primary.port}") as replica:
        replica.until(lambda: replica.client().info("replication")["master_link_status"] == "up")
        yield primary, replica


async def many(store: SharedStore, callers: int = 12) -> None:
    """Open connections, as many as callers ask at once."""
    await asyncio.gather(*(store.get(b"crossover:%d" % number) for number in range(callers)))


def connections(of: Server) -> int:
    """How many are connected, but for the other server and who asks this."""
    return sum(each["flags"] == "N" for each in of.client().client_list()) - 1


async def test_after_a_planned_failover_the_new_primary_is_used_without_a_restart(pair: tuple[Server, Server]) -> None:
    primary, replica = pair
    async with (
        Endpoint(primary.port).listening() as endpoint,
        open_store(read_address("X", f"redis://127.0.0.1:{endpoint.port}")) as store,
    ):
        assert await put_and_got(store) == b"value"
        await many(store)
        assert connections(primary) > 1
        replica.client().replicaof("NO", "ONE")
        primary.client().replicaof("127.0.0.1", str(replica.port))
        # The old primary answers still, as a replica: only what is stored is refused.
        await until_up(store)
        before = store.results["error"]
        store.put(KEY, b"lost", ttl_ms=60_000)
        await store.settle()
        assert store.results["error"] == before + 1
        await asyncio.sleep(1)
        assert not store._up, "while the name leads to a replica nothing is asked"
        endpoint.leads_to = replica.port
        assert await until_up(store) < 1
        assert await put_and_got(store, b"crossover:after") == b"value"
        assert replica.client().get(b"crossover:after") == b"value"
        await many(store)
        assert connections(primary) == 0, "none that leads to the old primary is left"


async def test_after_the_primary_died_silently_one_search_pays_its_timeout(pair: tuple[Server, Server]) -> None:
    primary, replica = pair
    async with (
        Endpoint(primary.port).listening() as endpoint,
        open_store(read_address("X", f"redis://127.0.0.1:{endpoint.port}")) as store,
    ):
        assert await put_and_got(store) == b"value"
        await many(store)
        primary.freeze()  # connections stay open and nobody answers, as when an instance is gone
        assert await store.get(KEY) is None
        replica.client().replicaof("NO", "ONE")
        endpoint.leads_to = replica.port
        began = time.monotonic()
        assert await until_up(store) < 1.5
        assert await put_and_got(store, b"crossover:after") == b"value"
        assert store.results["error"] == 1, f"after {time.monotonic() - began:.2f} s"


async def test_connections_that_were_closed_while_idle_cost_nothing(pair: tuple[Server, Server]) -> None:
    primary, _ = pair
    async with (
        Endpoint(primary.port).listening() as endpoint,
        open_store(read_address("X", f"redis://127.0.0.1:{endpoint.port}")) as store,
    ):
        assert await put_and_got(store) == b"value"
        await many(store)
        endpoint.close_all()
        await asyncio.sleep(0.05)
        assert await store.get(KEY) == b"value"
        await many(store)
        assert store.results["error"] == 0


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with moto_server() as cloud:
        yield cloud


@pytest.mark.slow
async def test_instances_share_answers_with_the_password_that_their_boot_has_read(
    url: str, cloud: Cloud, simulator_url: str, tmp_path: Path
) -> None:
    """As deployed: one secret of the stage's and one of the cache's, written to a file before the service starts."""
    arn = cloud.create("cache", {PASSWORD_VARIABLE: PASSWORD})
    cloud.create("suppliers", {"RAPID_KEY": "key"})
    path = tmp_path / "secrets"
    command = [sys.executable, "-m", "secret_values", "--write", str(path)]
    subprocess.run(command, cwd=ROOT, env=cloud.environment(f"suppliers,{arn}"), check=True, timeout=30)
    written = dict(line.replace('"', "").split("=", 1) for line in path.read_text().splitlines())
    assert written == {"RAPID_KEY": "key", PASSWORD_VARIABLE: PASSWORD}
    environment = {
        "CROSSOVER_SUPPLIERS_URL": simulator_url,
        "CROSSOVER_DEADLINE_MS": "8000",
        "CROSSOVER_FRESH_S": "60",
        "CROSSOVER_CACHE_URL": url,
        "SSL_CERT_FILE": str(tmp_path / "ca.pem"),
        **written,
    }
    async with (
        ContainerLane(ROOT, Path(sys.executable), environment, workers=1) as one,
        ContainerLane(ROOT, Path(sys.executable), environment, workers=1) as other,
        httpx.AsyncClient(timeout=20) as client,
    ):
        for _ in range(20):  # a busy machine may take longer for a command than it has
            assert (await client.get(one.url + future_search())).status_code == 200
            found = (await client.get(other.url + future_search(adults="2"))).json()
            if any("cached_age_ms" in outcome for outcome in found["outcomes"]):
                break
            await asyncio.sleep(0.3)
        metrics = (await client.get(f"{other.url}/metrics")).text
    hits = re.search(r'crossover_cache_store_commands_total\{[^}]*result="hit"[^}]*\} (\d+)', metrics)
    assert hits is not None, metrics
    assert int(hits[1]) > 0
