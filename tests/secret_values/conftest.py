"""One Secrets Manager for the session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.secret_values.doubles import Cloud, moto_server


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    with moto_server() as cloud:
        yield cloud
