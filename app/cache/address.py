"""Where the shared cache is, read from one URL:

redis://[user:password@]host[:6379][/database]                                          rediss:// is the same over TLS
redis+sentinel://[user:password@]host[:26379][,host[:26379]…]/primary name[/database]   rediss+sentinel:// likewise
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from app.core.errors import ConfigurationError

SCHEMES = ("redis", "rediss", "redis+sentinel", "rediss+sentinel")
PORT, SENTINEL_PORT = 6379, 26379


class StoreAddress(NamedTuple):
    """`hosts` are the server, or the Sentinels that know where the primary called `primary` is. `repr` shows no password."""

    hosts: tuple[tuple[str, int], ...]
    primary: str | None
    database: int
    tls: bool
    username: str | None
    password: str | None

    def __repr__(self) -> str:
        return f"StoreAddress({self.hosts!r}, {self.primary!r}, {self.database}, tls={self.tls})"


def read_address(setting: str, url: str, password: str | None = None) -> StoreAddress:
    """Read the URL; `password` stands in for one that it does not hold, so that the URL itself need be no secret. Raises
    `ConfigurationError` naming `setting`, and never repeats credentials."""
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES or not rest:
        raise ConfigurationError(f"{setting}: must begin with {', '.join(f'{name}://' for name in SCHEMES)}")
    network, _, path = rest.partition("/")
    credentials, _, hosts = network.rpartition("@")
    username, colon, stated = credentials.partition(":")
    sentinel = scheme.endswith("+sentinel")
    if "," in hosts and not sentinel:
        raise ConfigurationError(f"{setting}: {scheme}:// takes one host; several are for redis+sentinel://")
    names = [part for part in path.split("/") if part]
    primary = names.pop(0) if sentinel and names else None
    if sentinel and primary is None:
        raise ConfigurationError(
            f"{setting}: name the primary that the Sentinels watch, as in redis+sentinel://host:26379/mymaster"
        )
    if len(names) > 1 or not all(name.isdecimal() and len(name) < 6 for name in names):
        raise ConfigurationError(
            f"{setting}: after the host comes at most a database number, such as /0; got {'/'.join(names)!r}"
        )
    return StoreAddress(
        tuple(_host(setting, host, SENTINEL_PORT if sentinel else PORT) for host in hosts.split(",")),
        primary,
        int(names[0]) if names else 0,
        scheme.startswith("rediss"),
        unquote(username) or None,
        unquote(stated) if colon else password,
    )


def _host(setting: str, text: str, default_port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port or default_port
    except ValueError:
        host = None
    if not host or parts.path or parts.query:
        raise ConfigurationError(f"{setting}: {text!r} must be host or host:port") from None
    return host, port
