"""A collector for each test, and patience where the limits are not what is tested."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.telemetry.tracing import export
from tests.app.telemetry.tracing.collector import Collector, collecting


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settling and closing wait until all is sent, however busy the machine is."""
    monkeypatch.setattr(export, "SETTLE_S", 30.0)
    monkeypatch.setattr(export, "CLOSE_S", 30.0)
    monkeypatch.setattr(export, "SEND_TIMEOUT_S", 30.0)
