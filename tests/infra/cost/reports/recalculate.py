"""LibreOffice as a calculator: opens workbooks, recalculates every formula, and saves them again; all of a test run at once."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from tests.conftest import require_program

ALWAYS_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop>
</item>
</oor:items>
"""


def recalculate(files: list[Path], folder: Path) -> dict[str, Workbook]:
    """The recalculated workbooks by file name, with values in place of formulas. LibreOffice starts once, in a profile of its
    own below `folder`."""
    soffice = require_program("soffice")
    settings = folder / "profile" / "user"
    settings.mkdir(parents=True)
    (settings / "registrymodifications.xcu").write_text(ALWAYS_RECALCULATE)
    done = folder / "recalculated"
    command = [soffice, "--headless", "--norestore", f"-env:UserInstallation={(folder / 'profile').as_uri()}"]
    subprocess.run([*command, "--convert-to", "xlsx", "--outdir", done, *files], check=True, capture_output=True, timeout=300)
    return {file.name: load_workbook(done / file.name, data_only=True) for file in files}


def changed(file: Path, values: Mapping[str, float], to: Path) -> Path:
    """A copy of the workbook with other values in its named cells, as a reader would type them."""
    workbook = load_workbook(file)
    for name, value in values.items():
        ((sheet, cell),) = workbook.defined_names[name].destinations
        workbook[sheet][cell].value = value
    workbook.save(to)
    return to


def named(workbook: Workbook, name: str) -> object:
    """The value of a named cell."""
    ((sheet, cell),) = workbook.defined_names[name].destinations
    value: object = workbook[sheet][cell].value
    return value
