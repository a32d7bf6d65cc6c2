"""The content index: read once at start, refused with one line when it is not one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.core.errors import ConfigurationError
from app.settings import SHIPPED_CATALOGUE
from app.suppliers.content import ContentHotel, load_content

SHIPPED = SHIPPED_CATALOGUE.parent / "data" / "content.json"


def test_the_shipped_index_is_compact_and_whole() -> None:
    text = SHIPPED.read_bytes()
    assert len(text) <= 600_000
    assert text.endswith(b"}\n")
    assert text.count(b"\n") == 1
    content = load_content(SHIPPED)
    assert len(content.places) == 12
    assert list(content.places) == sorted(content.places)
    for supplier, places in content.hotels.items():
        assert set(places) == set(content.places), supplier
        ids = [hotel.hotel_id for hotels in places.values() for hotel in hotels]
        assert len(set(ids)) == len(ids), f"{supplier} has one id twice"


def test_a_hotel_is_read_as_id_name_and_position(tmp_path: Path) -> None:
    path = tmp_path / "content.json"
    path.write_text('{"places":{"LON":"London"},"hotels":{"s":{"LON":[["7","Hôtel Alba",51,-0.5]]}}}', encoding="utf-8")
    assert load_content(path).hotels["s"]["LON"] == [ContentHotel("7", "Hôtel Alba", 51.0, -0.5)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"places":{}', "not a content index"),
        ('{"places":{},"hotels":{},"extra":1}', "unknown field `extra`"),
        ('{"places":{}}', "missing required field `hotels`"),
        ('{"places":{},"hotels":{"s":{"LON":[["7","A",51]]}}}', "$.hotels[...][...][0]"),
        ('{"places":{},"hotels":{"s":{"LON":[[7,"A",51,0]]}}}', "$.hotels[...][...][0][0]"),
    ],
)
def test_anything_else_is_one_line_naming_file_and_field(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "content.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=re.escape(message)) as caught:
        load_content(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
