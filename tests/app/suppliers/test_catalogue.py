"""The catalogue: a file users edit, so every mistake is one line naming file, supplier, field and what would be right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.core.errors import ConfigurationError
from app.suppliers.catalogue import Catalogue, load_catalogue

CONTENT = '{"places": {"LON": "London"}, "hotels": {"one": {"LON": [["1", "Hotel Alba", 51.5, -0.1]]}}}'
RIGHT = """
content = "content.json"

[suppliers.one]
format = "rapid"
url = "${suppliers}/one/"
timeout_ms = 900
key = "${ONE_KEY}"
secret = "s3cret"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "content.json").write_text(CONTENT)
    return tmp_path


def load(folder: Path, text: str) -> Catalogue:
    path = folder / "catalogue.toml"
    path.write_text(text)
    return load_catalogue(path, variables={"suppliers": "http://127.0.0.1:9", "ONE_KEY": "k3y"})


def test_a_right_catalogue_is_read_with_its_variables_replaced(folder: Path) -> None:
    catalogue = load(folder, RIGHT)
    (one,) = catalogue.suppliers
    assert (one.id, one.format, one.url, one.timeout_ms) == ("one", "rapid", "http://127.0.0.1:9/one", 900)
    assert (one.key, one.secret) == ("k3y", "s3cret")
    assert catalogue.places == {"LON": "London"}
    assert catalogue.content.hotels["one"]["LON"][0].name == "Hotel Alba"


def test_secrets_never_show_in_a_repr(folder: Path) -> None:
    assert "s3cret" not in repr(load(folder, RIGHT).suppliers)
    assert "k3y" not in repr(load(folder, RIGHT).suppliers)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'format = "rapid"',
            'format = "rapit"',
            "suppliers.one.format: unknown format 'rapit'; known: amadeus, hotelbeds, liteapi",
        ),
        ('format = "rapid"', "", "suppliers.one.format: is required"),
        ("timeout_ms = 900", "timeout_ms = 5", "suppliers.one.timeout_ms: must be a whole number from 50 to 30000, got 5"),
        ("timeout_ms = 900", "timeout_ms = true", "suppliers.one.timeout_ms: must be a whole number"),
        ("timeout_ms = 900", "timeout = 900", "suppliers.one.timeout: unknown field; did you mean timeout_ms?"),
        ("${suppliers}/one/", "ftp://x", "suppliers.one.url: 'ftp://x' must be http(s)://host"),
        ("${suppliers}/one/", "https://a:b@x", "suppliers.one.url"),
        ("${suppliers}/one/", "http://x:99999", "suppliers.one.url"),
        ("${ONE_KEY}", "${TWO_KEY}", "suppliers.one.key: ${TWO_KEY}: no such environment variable is set"),
        ("[suppliers.one]", "[suppliers.One]", "suppliers.One: an id has lower-case letters"),
        ("content.json", "gone.json", "gone.json: the content index cannot be read"),
        ("content =", "contents =", "unknown key 'contents'; known: content, suppliers"),
        ("[suppliers.one]", "[suppliers.one", "not TOML: "),
        ('secret = "s3cret"', "secret = 7", "suppliers.one.secret: must be a string, got 7"),
    ],
)
def test_every_mistake_is_one_line_saying_where_and_what(folder: Path, old: str, new: str, message: str) -> None:
    assert old in RIGHT
    with pytest.raises(ConfigurationError, match=re.escape(message)) as caught:
        load(folder, RIGHT.replace(old, new))
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


def test_a_syntax_error_names_its_line_and_a_twice_named_supplier_is_one(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"line 11"):
        load(folder, RIGHT + "\n[suppliers.one]\n")


def test_no_supplier_and_broken_content_are_refused(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="configure at least one"):
        load(folder, 'content = "content.json"')
    (folder / "content.json").write_text('{"places": {"LON": 7}, "hotels": {}}')
    with pytest.raises(ConfigurationError, match=r"content\.json: not a content index: .*\$\.places"):
        load(folder, RIGHT)


def test_a_supplier_that_could_never_be_asked_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"suppliers\.two: content\.json lists no hotels of it; add them"):
        load(folder, RIGHT + RIGHT[RIGHT.index("[suppliers.one]") :].replace("suppliers.one", "suppliers.two"))
    (folder / "content.json").write_text(CONTENT.replace('"1"', '"LP1"'))
    with pytest.raises(ConfigurationError, match=r"suppliers\.one: content\.json: hotel id 'LP1': in rapid ids are numbers"):
        load(folder, RIGHT)
    assert load(folder, RIGHT.replace('"rapid"', '"liteapi"')).suppliers[0].format == "liteapi"


def test_a_hotel_id_that_would_change_a_url_is_refused(folder: Path) -> None:
    (folder / "content.json").write_text(CONTENT.replace('"1"', '"1&currency=EUR"'))
    with pytest.raises(ConfigurationError, match=r"content\.json: not a content index: Expected `str` matching regex"):
        load(folder, RIGHT)
