"""docs/security.md tells exactly the findings that the stacks accept."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from infra import acknowledged
from infra.acknowledged import PAGE, Accepted, accepted, with_table
from tests.conftest import ROOT


def test_the_page_has_every_accepted_finding_with_its_reason() -> None:
    page = PAGE.read_text()
    assert with_table(page) == page, "`.venv/bin/python -m infra.acknowledged --write` writes the table anew"
    assert "| VPC7 | `infra/components/network.py` | " in page


def test_no_call_is_missed() -> None:
    """The function is never handed on under another name, nor by way of its module: each mention is a call that is read."""
    for path in (path for folder in ("components", "stacks") for path in (ROOT / "infra" / folder).rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        called = [id(node.func) for node in nodes if isinstance(node, ast.Call)]
        named = [id(node) for node in nodes if isinstance(node, ast.Name) and node.id == "acknowledge"]
        assert set(named) <= set(called), path
        imported = [
            name for node in nodes if isinstance(node, ast.ImportFrom) for name in node.names if name.name == "acknowledge"
        ]
        assert all(name.asname is None for name in imported), path
        assert not [node for node in nodes if isinstance(node, ast.Attribute) and node.attr == "acknowledge"] or (
            path.name == "acknowledge.py"
        )


def test_what_is_known_at_synthesis_only_is_an_ellipsis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "infra" / "components").mkdir(parents=True)
    lines = ['acknowledge(a, "L1", f"For Python {version}.")', 'acknowledge(a, f"IAM5[{arn}]", why)']
    (tmp_path / "infra" / "components" / "lane.py").write_text("\n".join(lines))
    monkeypatch.setattr(acknowledged, "ROOT", tmp_path)
    module = "infra/components/lane.py"
    assert accepted() == [Accepted("IAM5[…]", module, "…"), Accepted("L1", module, "For Python ….")]
