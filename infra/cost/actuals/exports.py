"""Reads billing exports, a file or a folder of CSV, gzipped CSV or Parquet, as a stream through DuckDB: only sums are held.

Only the stage's rows become charges; the rest is summed up, so that the size of an account's bill does not matter.
"""

from __future__ import annotations

import csv
import filecmp
import gzip
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.cost.actuals.columns import LAYOUTS, Layout, day, number, quoted, tag, tags_are_read
from infra.cost.actuals.records import Bill, Charge, total
from infra.errors import InputError

MEMORY_LIMIT = "300MB"
SUFFIXES = (".csv", ".csv.gz", ".parquet")


def read_export(path: Path, stage: str) -> Bill:
    """The stage's charges in an export; `InputError` names file, line and column, and what would be right."""
    with opened(path) as (connection, files, layout):
        rows = connection.execute(_sums(layout, connection, files), {"stage": stage}).fetchall()
        _refuse_malformed(connection, layout, files, rows)
    return _bill(path, stage, rows, layout)


@contextmanager
def opened(path: Path) -> Iterator[tuple[Any, list[Path], Layout]]:
    """A connection, the export's files and their layout; what DuckDB cannot read becomes `InputError`."""
    import duckdb

    files = _files(path)
    # Extensions that are not built in would be downloaded; what is read here needs none.
    options: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "threads": 2,
        "autoinstall_known_extensions": False,
        "preserve_insertion_order": False,
    }
    with duckdb.connect(":memory:", config=options) as connection:
        connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")  # it would print into the output
        try:
            yield connection, files, _layout(connection, files)
        except duckdb.Error as error:
            raise _in_words(error, path) from None


def _files(path: Path) -> list[Path]:
    files = sorted(each for each in path.rglob("*") if each.name.endswith(SUFFIXES)) if path.is_dir() else [path]
    if not files:
        raise InputError(f"{path}: holds no billing export ({', '.join(SUFFIXES)})")
    if not files[0].is_file():
        raise InputError(f"{path}: cannot be read (no such file or folder)")
    if len({each.suffix == ".parquet" for each in files}) > 1:
        raise InputError(f"{path}: holds Parquet and CSV side by side; give one export")
    _refuse_twice(files)
    return files


def _refuse_twice(files: Sequence[Path]) -> None:
    """A month would be counted more than once: by copies of a file, and by an export that keeps every refresh, which has a
    folder of each below the month's (AWS Data Exports User Guide, "Understanding export delivery")."""
    sizes: dict[int, Path] = {}
    months: dict[Path, set[Path]] = {}
    for file in files:
        other = sizes.setdefault(file.stat().st_size, file)
        if other is not file and filecmp.cmp(other, file, shallow=False):
            raise InputError(f"{file}: the same as {other}; give each file once")
        if file.suffix == ".gz" and file.with_suffix("") in files:
            raise InputError(f"{file}: lies beside {file.with_suffix('').name}, the same unpacked; give each file once")
        month = next((each for each in file.absolute().parents if each.name.lower().startswith("billing_period=")), None)
        if month is not None:
            months.setdefault(month, set()).add(file.absolute().parent)
    for month, folders in months.items():
        if len(folders) > 1:
            raise InputError(
                f"{month}: holds {len(folders)} deliveries, each of the whole month; give the latest alone: {max(folders)}"
            )


def source(files: Sequence[Path]) -> str:
    names = "[" + ", ".join("'" + str(each).replace("'", "''") + "'" for each in files) + "]"
    if files[0].suffix == ".parquet":
        return f"read_parquet({names}, union_by_name = true)"
    return (
        f"read_csv({names}, all_varchar = true, header = true, delim = ',', quote = '\"', escape = '\"', union_by_name = true)"
    )


def columns_of(connection: Any, files: Sequence[Path]) -> list[str]:
    return [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source(files)}").fetchall()]  # noqa: S608


def _layout(connection: Any, files: Sequence[Path]) -> Layout:
    """Which of the two layouts it is; every file must have all of its columns."""
    have = set(columns_of(connection, files[:1]))
    known = max(LAYOUTS, key=lambda layout: len(have & set(layout.needed.values())))
    if not have & set(known.needed.values()):
        legacy = " (these are of the legacy Cost and Usage Report)" if any("/" in name for name in have) else ""
        raise InputError(f"{files[0]}: line 1: neither the columns of CUR 2.0 nor of FOCUS 1.2{legacy}; export one of these")
    for file in files:
        missing = [name for name in known.needed.values() if name not in columns_of(connection, [file])]
        if missing:
            raise InputError(
                f"{file}: line 1: no column {', '.join(missing)}, which AWS's {known.name} has; export it with the column"
            )
    return known


def _parsed(layout: Layout, have: Sequence[str]) -> str:
    """What is read of a row, each as its own column; None where it is malformed."""
    needed = layout.needed
    counted = ", ".join(f"'{each}'" for each in layout.counted)
    return f"""
        coalesce(CAST({quoted(needed["service"])} AS VARCHAR), '') AS service,
        coalesce(CAST({quoted(needed["usage_type"])} AS VARCHAR), '') AS usage_type,
        {day(needed["day"])} AS day,
        {layout.kind()} AS kind,
        CASE WHEN {quoted(needed["kind"])} IN ({counted}) THEN {number(needed["quantity"], empty="'0'")} ELSE 0 END AS quantity,
        {number(needed["cash"])} AS cash,
        {layout.amortized(have)} AS amortized,
        coalesce(CAST({quoted(needed["currency"])} AS VARCHAR), '') AS currency,
        {tags_are_read(needed["tags"])} AS tagged,
        {tag(needed["tags"], "crossover:stage")} AS stage,
        {tag(needed["tags"], "crossover:lane")} AS lane"""


MALFORMED = "day IS NULL OR quantity IS NULL OR cash IS NULL OR amortized IS NULL OR currency <> 'USD' OR NOT tagged"


def _sums(layout: Layout, connection: Any, files: Sequence[Path]) -> str:
    parsed = _parsed(layout, columns_of(connection, files))
    return f"""
        WITH rows AS (SELECT {parsed} FROM {source(files)})
        SELECT stage,
            CASE WHEN stage = $stage THEN service END, CASE WHEN stage = $stage THEN usage_type END,
            CASE WHEN stage = $stage THEN lane END, CASE WHEN stage = $stage THEN day END,
            CASE WHEN stage = $stage THEN kind END,
            sum(quantity), sum(cash), sum(amortized), count(*) FILTER (WHERE {MALFORMED})
        FROM rows GROUP BY ALL ORDER BY ALL"""  # noqa: S608 - columns are from the tables above


def _refuse_malformed(connection: Any, layout: Layout, files: Sequence[Path], rows: Sequence[tuple[Any, ...]]) -> None:
    """Find the first malformed row, where there is one, and say what is wrong with it."""
    if not any(row[-1] for row in rows):
        return
    raw = ", ".join(f"CAST({quoted(column)} AS VARCHAR) AS raw_{name}" for name, column in layout.needed.items())
    connection.execute("SET preserve_insertion_order = true")
    for file in files:
        have = columns_of(connection, [file])
        found = connection.execute(f"""
            WITH rows AS (SELECT row_number() OVER () AS number, {raw}, {_parsed(layout, have)} FROM {source([file])})
            SELECT * FROM rows WHERE {MALFORMED} LIMIT 1""")  # noqa: S608
        row = found.fetchone()
        if row is not None:
            told = dict(zip([column[0] for column in found.description], row, strict=True))
            where = f"{file}: row {told['number']}" if file.suffix == ".parquet" else f"{file}: line {told['number'] + 1}"
            raise InputError(f"{where}: {_wrong(layout, told, have)}")


def _wrong(layout: Layout, row: dict[str, Any], have: Sequence[str]) -> str:
    """Which column of a malformed row is wrong, and what would be right."""
    columns, kind = layout.needed, row["raw_kind"]
    if row["currency"] != "USD":
        return f"{columns['currency']}: {row['raw_currency']!r}, must be USD, as the price book is"
    if row["day"] is None:
        return f"{columns['day']}: {row['raw_day']!r} must be a date, as 2026-11-01T00:00:00Z"
    if not row["tagged"]:
        return f"{columns['tags']}: {row['raw_tags']!r} must be a JSON object of tags"
    for name in ("quantity", "cash"):
        if row[name] is None:
            return f"{columns[name]}: {row['raw_' + name]!r} must be a number"
    if "amortized" in columns:
        return f"{columns['amortized']}: {row['raw_amortized']!r} must be a number"
    wanted = [name for name, kinds in layout.optional.items() if kind in kinds]
    absent = [name for name in wanted if name not in have]
    return f"{', '.join(absent or wanted)}: a row of kind {kind} needs a number there; export it with the column"


def _bill(path: Path, stage: str, rows: Sequence[tuple[Any, ...]], layout: Layout) -> Bill:
    charges = tuple(
        Charge(
            service=service,
            usage_type=usage_type,
            lane=lane,
            day=when,
            kind=kind,
            quantity=quantity,
            cash=cash,
            amortized=amortized,
        )
        for found, service, usage_type, lane, when, kind, quantity, cash, amortized, _ in rows
        if found == stage
    )
    if not charges:
        have = sorted({row[0] for row in rows if row[0]})
        there = f"it has {', '.join(have)}" if have else "it has no such tag: activate it as a cost-allocation tag"
        raise InputError(f"{path}: {layout.needed['tags']}: no row has the tag crossover:stage = {stage!r}; {there}")
    zero = Decimal(0)
    return Bill(
        source=f"{path} ({layout.name})",
        stage=stage,
        charges=charges,
        untagged_usd=total(row[7] or zero for row in rows if row[0] is None),
        others_usd=total(row[7] or zero for row in rows if row[0] not in (None, stage)),
    )


def _in_words(error: Exception, path: Path) -> InputError:
    text = str(error)
    line, file = re.search(r"CSV Error on Line: (\d+)", text), re.search(r'file(?:name)? "([^"]+)"', text)
    where = Path(file[1]) if file else path
    ragged = _ragged(where) if where.is_file() and where.suffix != ".parquet" else None
    if ragged is not None:
        return InputError(f"{where}: {ragged}")
    if line:
        return InputError(f"{where}: line {line[1]}: not a row of this table")
    if "Error when sniffing" in text:
        return InputError(f"{where}: not rows of CSV with quotes that end; is it cut off? Export or download it again")
    return InputError(f"{where}: not a billing export that can be read: {text.splitlines()[0]}")


def _ragged(file: Path) -> str | None:
    """The first line of a CSV that has not as many fields as its header; None where that is not what is wrong."""
    try:
        with gzip.open(file, "rt") if file.suffix == ".gz" else file.open(newline="") as text:
            rows = csv.reader(text)
            fields = len(next(rows, []))
            for row in rows:
                if len(row) != fields:
                    return f"line {rows.line_num}: {len(row)} fields, the header has {fields}"
    except (OSError, EOFError, UnicodeDecodeError, csv.Error):
        return None
    return None
