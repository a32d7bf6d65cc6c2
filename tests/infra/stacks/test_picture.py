"""The architecture picture in the documents is what these templates draw, to the byte."""

from __future__ import annotations

import tomllib

import pytest

from infra.picture.drawing import draw
from infra.picture.graph import read_graph
from tests.conftest import ROOT
from tests.infra.stacks.conftest import Synthesize

pytestmark = pytest.mark.slow  # starts Node


def test_the_picture_in_the_documents_is_drawn_from_these_templates(synthesize: Synthesize) -> None:
    values = tomllib.loads((ROOT / "stages.toml").read_text())["prod"]
    flat = {f"{group}__{key}": value for group, keys in values.items() if isinstance(keys, dict) for key, value in keys.items()}
    assembly = synthesize(stage="prod", **flat, **{key: value for key, value in values.items() if not isinstance(value, dict)})
    drawn = draw(read_graph(assembly.directory))
    assert drawn == (ROOT / "docs" / "architecture.svg").read_text(), "draw it anew: make picture"
    assert draw(read_graph(assembly.directory)) == drawn
