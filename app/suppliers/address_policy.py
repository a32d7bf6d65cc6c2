"""Where suppliers' calls may go: to hosts that the catalogue names, at public addresses, checked after the name is resolved.

A name is resolved for every new connection, and the connection is made to the very address that was checked, so a name that
answers otherwise the second time (DNS rebinding) gains nothing. An address that the catalogue itself spells out is the
operator's own choice and is used as written.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from urllib.parse import urlsplit

from app.core.errors import ConfigurationError, SupplierUnavailable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Lookup = Callable[[str, int], Awaitable[Sequence[str]]]

NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052: an IPv4 address in the last 32 bits."""

LINK_LOCAL = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))
"""Also where clouds serve instance credentials."""


def read_networks(setting: str, text: str) -> tuple[Network, ...]:
    """Comma-separated networks in CIDR form; raises `ConfigurationError`."""
    networks = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            networks.append(ipaddress.ip_network(part))
        except ValueError as error:
            raise ConfigurationError(f"{setting}: {part!r}: {error}; give networks such as 10.0.0.0/8,fd00::/8") from None
    return tuple(networks)


class AddressPolicy:
    """The client's `Resolve`: refuses with `SupplierUnavailable`. `private` are networks that names may lead to besides
    public addresses; raises `ConfigurationError` for a supplier at a link-local address."""

    def __init__(self, urls: Iterable[str], private: Sequence[Network] = (), lookup: Lookup | None = None) -> None:
        self._hosts = frozenset(filter(None, (urlsplit(url).hostname for url in urls)))
        self._private = tuple(private)
        self._lookup = lookup or _lookup
        for host in self._hosts:
            address = _literal(host)
            if address is not None and any(address in network for network in LINK_LOCAL if network.version == address.version):
                raise ConfigurationError(f"suppliers: {host} is a link-local address, which no supplier has")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses to connect to, in the resolver's order."""
        if host not in self._hosts:
            raise SupplierUnavailable(f"{host} is not a host of the catalogue")
        if _literal(host) is not None:
            return (host,)
        addresses = await self._lookup(host, port)
        allowed = [address for address in addresses if self._allows(ipaddress.ip_address(address.partition("%")[0]))]
        if addresses and not allowed:
            hint = "CROSSOVER_PRIVATE_SUPPLIERS names networks that are meant"
            raise SupplierUnavailable(f"{host} leads to {addresses[0]}, which is not a public address ({hint})")
        return allowed

    def _allows(self, address: Address) -> bool:
        if any(address in network for network in self._private if network.version == address.version):
            return True
        embedded = _embedded(address)
        if embedded is not None:
            return self._allows(embedded)
        return address.is_global and not address.is_multicast and not address.is_reserved


def _embedded(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 address stands for, if any."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


async def _lookup(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
