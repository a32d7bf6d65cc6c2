"""Calls go to the catalogue's hosts at public addresses, checked after DNS, each time a connection is opened."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from app.core.errors import ConfigurationError, SupplierUnavailable
from app.suppliers.address_policy import AddressPolicy, read_networks
from app.suppliers.transport import HttpTransport, supplier_client
from app.suppliers.wire import WireRequest
from tests.app.suppliers.http1.scripted import ScriptedServer, plain, serving

URL = "https://api.supplier.example/v1"
HOST = "api.supplier.example"


def policy(*answers: Sequence[str], private: str = "") -> AddressPolicy:
    """A policy whose resolver gives these answers, one after another."""
    left = list(answers)

    async def lookup(host: str, port: int) -> Sequence[str]:
        return left.pop(0)

    return AddressPolicy([URL], read_networks("X", private), lookup)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
async def test_public_addresses_are_used(address: str) -> None:
    assert await policy([address])(HOST, 443) == [address]


@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "240.0.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::1",
    "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:0a00:0001::", "2001:db8::1",
])  # fmt: skip
async def test_all_others_are_refused_whatever_they_are_dressed_as(address: str) -> None:
    with pytest.raises(SupplierUnavailable, match=f"{HOST} leads to {re.escape(address)}, which is not a public address"):
        await policy([address])(HOST, 443)


async def test_of_mixed_answers_only_the_public_ones_are_used() -> None:
    assert await policy(["10.0.0.1", "93.184.216.34"])(HOST, 443) == ["93.184.216.34"]


async def test_an_answer_that_changes_is_checked_anew() -> None:
    rebinding = policy(["93.184.216.34"], ["127.0.0.1"])
    assert await rebinding(HOST, 443)
    with pytest.raises(SupplierUnavailable):
        await rebinding(HOST, 443)


async def test_networks_that_are_meant_are_allowed() -> None:
    assert await policy(["10.1.2.3"], private="10.1.0.0/16, fd00::/8")(HOST, 443) == ["10.1.2.3"]
    with pytest.raises(SupplierUnavailable):
        await policy(["10.2.0.1"], private="10.1.0.0/16")(HOST, 443)


async def test_hosts_that_the_catalogue_does_not_name_are_refused() -> None:
    with pytest.raises(SupplierUnavailable, match=r"evil\.example is not a host of the catalogue"):
        await policy(["93.184.216.34"])("evil.example", 443)


async def test_an_address_the_catalogue_spells_out_is_used_but_never_a_link_local_one() -> None:
    assert await AddressPolicy(["http://127.0.0.1:8900/x"])("127.0.0.1", 8900) == ("127.0.0.1",)
    with pytest.raises(ConfigurationError, match=r"169\.254\.169\.254 is a link-local address"):
        AddressPolicy(["http://169.254.169.254/latest"])


@pytest.mark.parametrize("text", ["10.0.0.0/33", "local", "10.0.0.1/8"])
def test_a_wrong_network_is_one_line(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^CROSSOVER_PRIVATE_SUPPLIERS: "):
        read_networks("CROSSOVER_PRIVATE_SUPPLIERS", text)


async def test_nothing_is_sent_to_a_name_that_leads_home_unless_that_is_meant() -> None:
    async with serving(ScriptedServer([plain(b"ok")])) as server:
        url = f"http://localhost:{server.port}"
        request = WireRequest("GET", f"{url}/x", {})
        async with supplier_client(resolve=AddressPolicy([url])) as client:
            with pytest.raises(SupplierUnavailable, match="localhost leads to"):
                await HttpTransport(client).send(request)
        assert server.requests == []
        async with supplier_client(resolve=AddressPolicy([url], read_networks("X", "127.0.0.0/8,::1"))) as client:
            assert (await HttpTransport(client).send(request)).status == 200
            with pytest.raises(SupplierUnavailable, match="not a host of the catalogue"):
                await HttpTransport(client).send(WireRequest("GET", f"{server.url}/x", {}))
        assert b"\r\nHost: localhost:" in server.requests[0]
