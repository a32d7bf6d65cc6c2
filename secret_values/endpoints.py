"""A variable that says where to ask instead: an endpoint of AWS's, or a stand-in for one."""

from __future__ import annotations

from urllib.parse import urlsplit

from secret_values.errors import SettingError


def read_endpoint(variable: str, url: str) -> str:
    """The URL, ending in a slash. Raises `SettingError`, which never repeats it: it may hold a password."""
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right or parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise SettingError(f"{variable}: must be http(s)://host[:port], without path, query or credentials")
    return f"{parts.scheme}://{parts.netloc}/"
