"""The graph in columns, as SVG: a stack stands right of those that refer to it, a node below those that refer to it.

Places follow from names and references alone; ties are broken by the label, so the same templates give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from infra.picture.graph import Box, Graph, Node

NODE_W, NODE_H, GAP = 214, 44, 20
PAD, HEAD, COLUMN_GAP, BOX_GAP, MARGIN = 16, 30, 110, 28, 20
TITLE_H = 12
TIPS = {"right": ((-7, -4), (-7, 4)), "left": ((7, -4), (7, 4)), "down": ((-4, -7), (4, -7))}
STYLE = """
  .canvas { fill: #ffffff } .box { fill: #f4f6f8; stroke: #c3ccd5 } .node { fill: #ffffff; stroke: #5b6b7c }
  .name { fill: #3a4754; font-weight: 600 } .label { fill: #17202a; font-weight: 600 } .detail { fill: #52606d }
  .edge { fill: none; stroke: #6b7f93; stroke-width: 1.4 } .tip { fill: #6b7f93 } text { font: 13px system-ui, sans-serif }
  .detail { font-size: 11.5px }
  @media (prefers-color-scheme: dark) {
    .canvas { fill: #12171d } .box { fill: #1a222b; stroke: #3c4957 } .node { fill: #222d38; stroke: #8a9bad }
    .name { fill: #c6d1dc } .label { fill: #eef3f8 } .detail { fill: #a9b7c5 } .edge { stroke: #8fa3b7 } .tip { fill: #8fa3b7 }
  }
"""


@dataclass(frozen=True, slots=True)
class Placed:
    node: Node
    column: int
    x: float
    y: float

    @property
    def middle(self) -> float:
        return self.y + NODE_H / 2


def draw(graph: Graph) -> str:
    """An SVG document that is legible on light and on dark."""
    owner = {node.id: box.name for box in graph.boxes for node in box.nodes}
    between = {(owner[a], owner[b]) for a, b in graph.edges if owner[a] != owner[b]}
    columns = _columns([box.name for box in graph.boxes], between)
    shapes: list[str] = []
    placed: dict[str, Placed] = {}
    gaps: list[list[float]] = []
    for column in range(max(columns.values()) + 1):
        y = float(MARGIN + TITLE_H + BOX_GAP)
        gaps.append([y - BOX_GAP / 2])
        for box in [box for box in graph.boxes if columns[box.name] == column]:
            y = _place(box, column, _left(column), y, graph.edges, placed, shapes) + BOX_GAP
            gaps[column].append(y - BOX_GAP / 2)
    edges = [_edge(placed[a], placed[b], gaps) for a, b in sorted(graph.edges, key=lambda edge: _where(edge, placed))]
    width, height = _left(len(gaps)) - COLUMN_GAP + MARGIN, max(column[-1] for column in gaps) + MARGIN
    return _document(graph.title, width, height, [*shapes, *edges, *(_node(each) for each in placed.values())])


def _left(column: int) -> int:
    return MARGIN + column * (NODE_W + 2 * PAD + COLUMN_GAP)


def _columns(names: Sequence[str], edges: set[tuple[str, str]]) -> dict[str, int]:
    """Right of everything that refers to it; what refers to each other stays where the order of the names puts it."""
    columns = dict.fromkeys(names, 0)
    for _ in names:
        for a, b in sorted(edges):
            if (b, a) not in edges:
                columns[b] = max(columns[b], min(columns[a] + 1, len(names) - 1))
    return columns


def _place(
    box: Box,
    column: int,
    x: float,
    y: float,
    edges: frozenset[tuple[str, str]],
    placed: dict[str, Placed],
    shapes: list[str],
) -> float:
    """Puts the box and its nodes down; returns where the box ends."""
    height = HEAD + len(box.nodes) * (NODE_H + GAP) - GAP + PAD
    shapes.append(f'<rect class="box" x="{x}" y="{y:g}" width="{NODE_W + 2 * PAD}" height="{height}" rx="8"/>')
    shapes.append(f'<text class="name" x="{x + PAD}" y="{y + 20:g}">{escape(box.name)}</text>')
    for number, node in enumerate(_below(box.nodes, edges)):
        placed[node.id] = Placed(node, column, x + PAD, y + HEAD + number * (NODE_H + GAP))
    return y + height


def _below(nodes: Sequence[Node], edges: frozenset[tuple[str, str]]) -> list[Node]:
    """Each below those of the box that refer to it."""
    own = {node.id for node in nodes}
    left, ordered = list(nodes), []
    while left:
        waiting = {node.id for node in left}
        free = [node for node in left if not any(b == node.id and a in waiting and a in own and a != b for a, b in edges)]
        ordered.append((free or left)[0])
        left.remove(ordered[-1])
    return ordered


def _where(edge: tuple[str, str], placed: Mapping[str, Placed]) -> tuple[float, float, float, float]:
    a, b = placed[edge[0]], placed[edge[1]]
    return a.x, a.y, b.x, b.y


def _edge(a: Placed, b: Placed, gaps: Sequence[Sequence[float]]) -> str:
    """Downwards and beside the nodes inside a column, from side to side between columns, between the boxes of those on the
    way."""
    if a.column == b.column:
        if 0 < b.y - a.y <= NODE_H + GAP:
            x = a.x + NODE_W / 2
            return _path([(x, a.y + NODE_H), (x, b.y)], "down")
        side, bend = a.x + NODE_W, a.x + NODE_W + 14 + min(36.0, abs(b.y - a.y) / 12)
        return _path([(side, a.middle), (bend, a.middle), (bend, b.middle), (side, b.middle)], "left")
    step = 1 if a.column < b.column else -1
    sides = (NODE_W, 0.0) if step == 1 else (0.0, NODE_W)
    points = [(a.x + sides[0], a.middle)]
    for column in range(a.column + step, b.column, step):
        wanted = points[-1][1] + (b.middle - points[-1][1]) / 2
        y = min(gaps[column], key=lambda gap, wanted=wanted: abs(gap - wanted))  # type: ignore[misc]
        edges = (_left(column), _left(column) + NODE_W + 2 * PAD)
        for x in edges if step == 1 else reversed(edges):
            points += [((points[-1][0] + x) / 2, points[-1][1]), ((points[-1][0] + x) / 2, y), (x, y)]
    end = (b.x + sides[1], b.middle)
    middle = (points[-1][0] + end[0]) / 2
    return _path([*points, (middle, points[-1][1]), (middle, end[1]), end], "right" if step == 1 else "left")


def _path(points: Sequence[tuple[float, float]], towards: str) -> str:
    """A line through two points, curves through more (each third one is passed), with its tip at the last."""
    (start, *others), (x, y) = points, points[-1]
    kind = "L" if len(points) == 2 else "C"
    line = " ".join(f"{px:g} {py:g}" for px, py in others)
    tip = " ".join(f"L{x + dx:g} {y + dy:g}" for dx, dy in TIPS[towards])
    path = f"M{start[0]:g} {start[1]:g} {kind}{line}"
    return f'<path class="edge" d="{path}"/><path class="tip" d="M{x:g} {y:g} {tip} Z"/>'


def _node(each: Placed) -> str:
    text = escape(each.node.label)
    detail = escape(each.node.detail if len(each.node.detail) <= 34 else each.node.detail[:33] + "…")
    lines = [f'<rect class="node" x="{each.x}" y="{each.y:g}" width="{NODE_W}" height="{NODE_H}" rx="6"/>']
    lines.append(f'<text class="label" x="{each.x + 12}" y="{each.y + (19 if detail else 27):g}">{text}</text>')
    if detail:
        lines.append(f'<text class="detail" x="{each.x + 12}" y="{each.y + 35:g}">{detail}</text>')
    return "".join(lines)


def _document(title: str, width: float, height: float, shapes: Sequence[str]) -> str:
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        f'role="img" aria-label="{escape(title)}: stacks and their main resources">\n'
        f"<!-- Drawn from the templates by `make picture`. -->\n<style>{STYLE}</style>\n"
        f'<rect class="canvas" width="100%" height="100%"/>\n'
        f'<text class="name" x="{MARGIN}" y="{MARGIN + 6}">{escape(title)}: '
        "an arrow goes from a resource to one it refers to</text>\n"
        f"{body}\n</svg>\n"
    )
