"""The findings of cdk-nag that the stacks accept, with their reasons, as the table of docs/security.md.

`python -m infra.acknowledged` prints it, `--write` puts it into the page. Read from the sources: every call of `acknowledge`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.wheels import ROOT

PAGE = ROOT / "docs" / "security.md"
FOLDERS = ("components", "stacks")
BEGIN = "<!-- accepted: python -m infra.acknowledged --write -->\n"
END = "<!-- end of accepted -->"


@dataclass(frozen=True, slots=True, order=True)
class Accepted:
    """One rule that is accepted in one module, and why."""

    rule: str
    module: str
    reason: str


def accepted() -> list[Accepted]:
    """Every accepted finding, by rule."""
    paths = (path for folder in FOLDERS for path in sorted((ROOT / "infra" / folder).rglob("*.py")))
    return sorted({found for path in paths for found in _calls(path)})


def table() -> str:
    rows = [f"| {each.rule} | `{each.module}` | {each.reason} |" for each in accepted()]
    return "\n".join(["| rule | where | why it stands |", "|---|---|---|", *rows]) + "\n"


def with_table(page: str) -> str:
    """The page with the table as it is now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _calls(path: Path) -> Iterator[Accepted]:
    module = path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "acknowledge":
            _, rule, reason = node.args
            yield Accepted(_text(rule).replace("|", "\\|"), module, _text(reason).replace("|", "\\|"))


def _text(value: ast.expr) -> str:
    """What is written there; `…` for what is known at synthesis only."""
    if isinstance(value, ast.Constant):
        return str(value.value)
    if isinstance(value, ast.JoinedStr):
        return "".join(_text(part) if isinstance(part, ast.Constant) else "…" for part in value.values)
    return "…"


def main() -> None:
    if "--write" in sys.argv[1:]:
        PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        sys.stdout.write(table())


if __name__ == "__main__":
    main()
