"""The benchmark of reading logs: its log is one that every reader reads alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import logs
from infra.cost.traffic.file import load_traffic


@pytest.mark.slow
def test_every_reader_reads_the_whole_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "BLOCK", 500)
    out = tmp_path / "logs.json"
    assert logs.main(["--gb", "0.001", "--gzip", "--folder", str(tmp_path), "--json", str(out)]) == 0
    rows = json.loads(out.read_text())["rows"]
    assert [row["reader"] for row in rows] == list(logs.READERS)
    assert len({row["entries"] for row in rows}) == 1
    assert all(0 < row["mib"] < logs.MOST_MIB for row in rows)
    assert list(tmp_path.iterdir()) == [out]


def test_its_entries_go_on_from_minute_to_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "BLOCK", 35)
    entries = logs.write_log(tmp_path / "a.log", 1_500_000)
    traffic = load_traffic(tmp_path / "a.log")
    assert traffic.parameters["entries"] == entries
    assert len(traffic.rates) > 1


def test_a_full_disk_and_a_wrong_size_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert logs.main(["--gb", "1000", "--folder", str(tmp_path)]) == 1
    assert "are needed; name another --folder" in capsys.readouterr().err
    with pytest.raises(SystemExit) as refused:
        logs.main(["--gb", "0"])
    assert refused.value.code == 2
