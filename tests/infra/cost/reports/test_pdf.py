"""The page as PDF, printed by Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.cost.compare import Comparison
from infra.cost.reports.pdf import pdf_bytes
from infra.cost.reports.report import html_bytes
from infra.errors import KitError
from tests.conftest import require_program


@pytest.mark.slow
def test_the_page_is_printed(everything: Comparison) -> None:
    require_program("chromium")
    printed = pdf_bytes(html_bytes(everything))
    assert printed.startswith(b"%PDF-")
    assert printed.rstrip().endswith(b"%%EOF")
    assert printed.count(b"/Type /Page\n") >= 3


def test_without_chromium_one_line_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KitError, match=r"^--pdf: no Chromium on PATH .*; install one, or print the page of --html$"):
        pdf_bytes(b"<p>")


def test_a_chromium_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "chromium"
    fake.write_text("#!/bin/sh\necho 'no display' >&2\nexit 3\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KitError, match="printed nothing: no display"):
        pdf_bytes(b"<p>")
