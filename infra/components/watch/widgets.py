"""A CloudWatch dashboard's widgets as plain data, in the form of "Dashboard body structure and syntax" (CloudWatch API
reference): graphs, text, a list of alarms, laid out in rows on 24 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from infra.components.watch.metrics import Metric, Places

COLUMNS = 24
GRAPH_HEIGHT = 6

Widget = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """A metric on a graph; hidden ones are there for formulas, which know them by `id`."""

    metric: Metric
    label: str | None = None
    id: str | None = None
    visible: bool = True


@dataclass(frozen=True, slots=True)
class Formula:
    """Metric math over the lines and formulas of the same graph."""

    expression: str
    label: str
    id: str
    visible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """One graph; `unit` names its left axis, `mark` draws a horizontal line with its name. `period_s` is that of each point."""

    title: str
    unit: str
    lines: Sequence[Line | Formula]
    mark: tuple[str, float] | None = None
    period_s: int = 60


@dataclass(frozen=True, slots=True)
class Text:
    markdown: str
    height: int = GRAPH_HEIGHT


@dataclass(frozen=True, slots=True)
class AlarmList:
    title: str
    arns: Sequence[str]
    height: int = 3


Cell = Graph | Text | AlarmList


def lay_out(rows: Iterable[Sequence[Cell]], places: Places, region: str) -> list[Widget]:
    """Rows from top to bottom; the cells of one share its width evenly and its height."""
    widgets: list[Widget] = []
    y = 0
    for row in rows:
        width = COLUMNS // len(row)
        height = max(GRAPH_HEIGHT if isinstance(cell, Graph) else cell.height for cell in row)
        for column, cell in enumerate(row):
            place = {"x": column * width, "y": y, "width": width, "height": height}
            widgets.append({**place, **_widget(cell, places, region)})
        y += height
    return widgets


def _widget(cell: Cell, places: Places, region: str) -> Widget:
    if isinstance(cell, Text):
        return {"type": "text", "properties": {"markdown": cell.markdown}}
    if isinstance(cell, AlarmList):
        return {"type": "alarm", "properties": {"title": cell.title, "alarms": list(cell.arns)}}
    properties: dict[str, Any] = {
        "title": cell.title,
        "region": region,
        "view": "timeSeries",
        "period": cell.period_s,
        "yAxis": {"left": {"label": cell.unit, "showUnits": False, "min": 0}},
        "metrics": [_series(line, places) for line in cell.lines],
    }
    if cell.mark:
        label, value = cell.mark
        properties["annotations"] = {"horizontal": [{"label": label, "value": value}]}
    return {"type": "metric", "properties": properties}


def _series(line: Line | Formula, places: Places) -> list[Any]:
    options: dict[str, Any] = {} if line.visible else {"visible": False}
    if line.label is not None:
        options["label"] = line.label
    if line.id is not None:
        options["id"] = line.id
    if isinstance(line, Formula):
        return [{"expression": line.expression, **options}]
    dimensions = [text for pair in places[line.metric.of].items() for text in pair]
    return [line.metric.namespace, line.metric.name, *dimensions, {"stat": line.metric.stat, **options}]
