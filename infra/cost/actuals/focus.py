"""What was billed for a stage in a month as FOCUS 1.2 rows, in the table in which the estimate's rows are
(`reports.focus_table`), `x_Estimate` false: of a FOCUS export its own rows, of CUR 2.0 each by the mapping of `focus_columns`.

BilledCost adds up to the bill's cash and EffectiveCost to what is amortized. A CUR row of a plan's or a reservation's recurring
fee becomes two where some of it was not used: what was paid, which FOCUS gives no EffectiveCost, and what was lost, as the
estimate has it. The export is read as a stream; only the stage's rows of the month are held.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.cost.actuals.columns import CUR, Layout, day, spellings, tag
from infra.cost.actuals.exports import columns_of, opened, source
from infra.cost.actuals.focus_columns import NEEDED, NOT_NULL, NOT_NULL_BUT_OF_AWS, of_cur, of_focus
from infra.cost.actuals.records import month_end
from infra.cost.reports.focus_services import REGIONS, service_of
from infra.cost.reports.focus_table import BATCH, COLUMNS, Row, table_bytes
from infra.errors import InputError

CUR_OF = {"BillingCurrency": "currency", "PricingQuantity": "quantity", "ServiceName": "service"}
SELECT = "select it in the export (Data Exports, Table content settings, Column selection)"


def billed_bytes(export: Path, stage: str, month: date, path: Path) -> bytes:
    """The stage's rows of the month that has the day, as CSV or Parquet by the path's ending; `InputError` names what the
    export lacks."""
    return table_bytes(billed_rows(export, stage, month), path)


def billed_rows(export: Path, stage: str, month: date) -> Iterator[Row]:
    """In the order in which they stand in the export. It must be one that `read_export` has read."""
    with opened(export) as (connection, files, layout):
        for file in files:
            _refuse_missing(file, layout, columns_of(connection, [file]))
        have = columns_of(connection, files)
        expressions = of_cur(have) if layout is CUR else of_focus(have)
        selected = ", ".join(f'{expression} AS "{name}"' for name, expression in expressions.items())
        connection.execute("SET preserve_insertion_order = true")
        rows = connection.execute(
            f"SELECT {selected} FROM {source(files)} WHERE {tag(layout.needed['tags'], 'crossover:stage')} = $stage "  # noqa: S608
            f"AND {day(layout.needed['day'])} BETWEEN $first AND $last",
            {"stage": stage, "first": month.replace(day=1), "last": month_end(month)},
        )
        while some := rows.fetchmany(BATCH):
            for row in some:
                checked = _checked(_row(row, layout), layout, export)
                yield from _fee_and_loss(checked) if layout is CUR else (checked,)


def _refuse_missing(file: Path, layout: Layout, have: Sequence[str]) -> None:
    wanted = NEEDED if layout is CUR else {name: name for name in (*NOT_NULL, *NOT_NULL_BUT_OF_AWS)}
    named = [column if column == name else f"{column} (for {name})" for name, column in wanted.items() if column not in have]
    if named:
        raise InputError(f"--focus: {file}: no column {', '.join(named)}, which FOCUS 1.2 needs; {SELECT}")


def _row(values: Sequence[Any], layout: Layout) -> Row:
    row = {name: _plain(value) for name, value in zip(COLUMNS, values, strict=True)}
    if layout is CUR:
        service = service_of(row["ServiceName"] or "", row["ServiceCategory"])
        # AWS's own export has volumes as storage of EC2.
        kind = service_of("AmazonEBS") if "EBS:" in (row["SkuMeter"] or "") else service
        row |= {"ServiceCategory": kind.category, "ServiceSubcategory": kind.subcategory}
        row["ServiceName"] = service.name or None
        row["RegionName"] = REGIONS.get(row["RegionId"] or "")
    return row | {"Tags": _tags(row["Tags"]), "x_Estimate": "false"}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value.normalize()
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _tags(text: str | None) -> str | None:
    """As they stand, but the kit's own two under the names that they have on the resources, which CUR writes otherwise."""
    if text is None:
        return None
    named = {spelled: key for key in ("crossover:lane", "crossover:stage") for spelled in spellings(key)}
    tags: Mapping[str, Any] = json.loads(text)
    return json.dumps({named.get(key, key): value for key, value in tags.items()}, sort_keys=True, ensure_ascii=False)


def _fee_and_loss(row: Row) -> Iterator[Row]:
    """A recurring fee, and what of it was not used as an Adjustment; any other row as it is."""
    if (row["ChargeCategory"], row["ChargeFrequency"]) != ("Purchase", "Recurring"):
        yield row
        return
    yield {**row, "EffectiveCost": Decimal(0)}
    if row["EffectiveCost"]:
        none = dict.fromkeys(("PricingQuantity", "PricingUnit", "ListUnitPrice", "ContractedUnitPrice"))
        zero = dict.fromkeys(("BilledCost", "ListCost", "ContractedCost"), Decimal(0))
        kind = {"ChargeCategory": "Adjustment", "ChargeFrequency": "Usage-Based", "PricingCategory": "Committed"}
        described = f"Not used: {row['ChargeDescription'] or row['SkuMeter'] or row['ServiceName']}"
        yield {**row, **none, **zero, **kind, "ChargeDescription": described}


def _checked(row: Row, layout: Layout, export: Path) -> Row:
    """The row, unless it lacks what FOCUS 1.2 wants of every row or, of usage, a quantity."""
    wanted = [*NOT_NULL, *(NOT_NULL_BUT_OF_AWS if layout is CUR else ())]
    if row["ChargeCategory"] == "Usage" and row["ChargeClass"] is None:
        wanted.append("PricingQuantity")
    lacks = next((name for name in wanted if row[name] is None), None)
    if lacks is None:
        return row
    columns = {**NEEDED, **{name: CUR.needed[key] for name, key in CUR_OF.items()}} if layout is CUR else {}
    start = row["ChargePeriodStart"]
    when = f"{start:%Y-%m-%d}" if isinstance(start, datetime) else "this month"
    which = f"{row['ServiceName']}, {row['SkuMeter'] or row['ChargeDescription'] or row['ChargeCategory']}"
    raise InputError(
        f"--focus: {export}: {columns.get(lacks, lacks)}: nothing that can be read in a row of {when} ({which}), and FOCUS 1.2 "
        f"needs {lacks} of it"
    )
