"""What `crossover cost actuals --json` printed, read back for a report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.cost.actuals.file import read_actuals
from infra.errors import InputError
from tests.infra.cost.actuals.test_actuals import estimate, estimated, export, told

__all__ = ["estimate", "estimated", "export"]


def test_what_was_printed_is_read_and_what_was_edited_refused(
    export: Path, estimate: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = told(capfd, monkeypatch, export, "--estimate", estimate, "--budget", "5000")
    path = tmp_path / "billed.json"
    path.write_text(json.dumps(printed))
    assert read_actuals(path) == printed
    for change, said in (
        ({"billed_usd": "1"}, "billed_usd: 1, but its lines and what is unexplained add up to"),
        ({"basis": "net"}, r"\$\.basis"),
        ({"first_day": "soon"}, r"\$\.first_day"),
    ):
        path.write_text(json.dumps({**printed, **change}))
        with pytest.raises(InputError, match=said):
            read_actuals(path)
    path.write_text("{")
    with pytest.raises(InputError, match="not JSON"):
        read_actuals(path)
