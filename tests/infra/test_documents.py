"""Files that commands write: whole, or as they were before. Files that they read: with a byte order mark too, and one line."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from infra.documents import read_json, read_toml, write_whole
from infra.errors import InputError


def test_a_file_is_replaced_whole_and_keeps_its_mode_and_links(tmp_path: Path) -> None:
    path, link = tmp_path / "bill.html", tmp_path / "latest.html"
    path.write_bytes(b"before")
    path.chmod(0o640)
    link.symlink_to(path)
    write_whole(link, b"after")
    assert path.read_bytes() == b"after"
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bill.html", "latest.html"]


def test_what_fails_leaves_the_file_of_before_and_nothing_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bill.html"
    path.write_bytes(b"before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"after")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(pipe, b"through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)


def test_a_byte_order_mark_is_no_part_of_a_document(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text('{"a": 1}', encoding="utf-8-sig")
    assert read_json(path) == {"a": 1}
    path.write_text("a = 1", encoding="utf-8-sig")
    assert read_toml(path) == {"a": 1}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{\n"a": ]', "x: line 2, column 6: not JSON: Expecting value"),
        (b"\xff\xfe{\x00", "x: not UTF-8 text"),
        (b"[" * 100_000, "x: not JSON that can be read: nested too deep"),
        (b"9" * 5_000, "x: not JSON that can be read: nested too deep, or a number of thousands"),
    ],
)
def test_what_is_no_document_is_one_line(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_json(path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    with pytest.raises(InputError, match=r"x: (is no TOML|not UTF-8)"):
        read_toml(path)
    with pytest.raises(InputError, match=r"cannot be read \(Is a directory\)"):
        read_json(tmp_path)
