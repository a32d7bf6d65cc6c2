"""The shared cache's URL is read, or refused with one line that repeats no password."""

from __future__ import annotations

import pytest

from app.cache.address import StoreAddress, read_address
from app.core.errors import ConfigurationError


@pytest.mark.parametrize(("url", "address"), [
    ("redis://cache", StoreAddress((("cache", 6379),), None, 0, False, None, None)),
    ("redis://:p%40ss@cache:7000/3", StoreAddress((("cache", 7000),), None, 3, False, None, "p@ss")),
    ("rediss://me:x@[::1]:7000/", StoreAddress((("::1", 7000),), None, 0, True, "me", "x")),
    ("redis+sentinel://a,b:1,c/mymaster/2",
     StoreAddress((("a", 26379), ("b", 1), ("c", 26379)), "mymaster", 2, False, None, None)),
    ("rediss+sentinel://me:x@a/mymaster", StoreAddress((("a", 26379),), "mymaster", 0, True, "me", "x")),
])  # fmt: skip
def test_every_form_is_read(url: str, address: StoreAddress) -> None:
    assert read_address("CROSSOVER_CACHE_URL", url) == address


@pytest.mark.parametrize(("url", "username", "password"), [
    ("rediss://me@cache", "me", "apart"),
    ("rediss://cache", None, "apart"),
    ("rediss://me:own@cache", "me", "own"),
    ("rediss://me:@cache", "me", ""),
])  # fmt: skip
def test_a_password_given_apart_stands_in_for_one_that_the_url_does_not_hold(
    url: str, username: str | None, password: str
) -> None:
    address = read_address("X", url, "apart")
    assert (address.username, address.password) == (username, password)


@pytest.mark.parametrize(("url", "said"), [
    ("cache:6379", "must begin with redis://"),
    ("http://:hidden@cache", "must begin with redis://"),
    ("redis://", "must begin with redis://"),
    ("redis://:hidden@cache:port", "must be host or host:port"),
    ("redis://:hidden@/0", "must be host or host:port"),
    ("redis://:hidden@a,b", "one host"),
    ("redis://:hidden@cache/one", "database number"),
    ("redis://:hidden@cache/1/2", "database number"),
    ("redis+sentinel://:hidden@a", "name the primary"),
])  # fmt: skip
def test_what_is_wrong_is_one_line_without_the_password(url: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_address("CROSSOVER_CACHE_URL", url)
    message = str(caught.value)
    assert message.startswith("CROSSOVER_CACHE_URL: ")
    assert said in message
    assert "hidden" not in message and "\n" not in message


def test_it_shows_no_password() -> None:
    assert "hidden" not in repr(read_address("X", "redis://:hidden@cache"))
