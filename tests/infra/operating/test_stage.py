"""Which stage is production, and what must be typed there."""

from __future__ import annotations

import pytest

from infra.errors import KitError
from infra.operating.stage import is_production, must_be_named, settings_of


@pytest.mark.parametrize(
    ("stage", "production"), [("prod", True), ("production-eu", True), ("PROD", True), ("dev", False), ("preprod", False)]
)
def test_production_is_what_begins_so(stage: str, production: bool) -> None:
    assert is_production(stage) is production


def test_only_the_name_itself_goes_on_in_production() -> None:
    must_be_named("prod", " prod ")
    must_be_named("dev", "")
    for typed in ("", "yes", "Prod", "production"):
        with pytest.raises(KitError, match="that is not 'prod': nothing was changed"):
            must_be_named("prod", typed)


def test_a_stage_that_the_file_does_not_have_has_no_settings() -> None:
    assert settings_of("moon") is None
