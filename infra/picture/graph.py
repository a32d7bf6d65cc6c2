"""Templates of an assembly turned into boxes with nodes, and edges from what refers to what."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.deploying.assembly import read_assembly
from infra.picture.kinds import KINDS

MOST_ALIKE = 3
"""More resources of one type in a stack are drawn as one node that says how many."""
BUNDLE = "bundle"


@dataclass(frozen=True, slots=True)
class Node:
    """`id` is for edges alone and never drawn: it may have a hash in it."""

    id: str
    label: str
    detail: str


@dataclass(frozen=True, slots=True)
class Box:
    """A stack, or the assets. `name` is the stack's."""

    name: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """`edges` go from a node to one that it refers to, by id, whatever else was looked through on the way."""

    title: str
    boxes: tuple[Box, ...]
    edges: frozenset[tuple[str, str]]


def read_graph(folder: Path) -> Graph:
    """Raises `InputError` where `folder` holds no assembly."""
    stacks = read_assembly(folder).stacks
    templates = {name: json.loads((folder / f"{name}.template.json").read_bytes()) for name in stacks}
    references = _references(templates)
    nodes = {name: _nodes(name, template) for name, template in templates.items()}
    drawn = {shown.id for found in nodes.values() for shown, _ in found}
    same = {resource: shown.id for found in nodes.values() for shown, resources in found for resource in resources}
    edges = set()
    for resource, shown in same.items():
        edges |= {(shown, same.get(other, other)) for other in _reached(resource, references, same)}
    bundle = Box("assets", (Node(BUNDLE, "Bundle", "one zip, both lanes"),))
    boxes = [Box(name, tuple(shown for shown, _ in found)) for name, found in nodes.items() if found]
    kept = {(a, b) for a, b in edges if a != b and {a, b} <= drawn | {BUNDLE}}
    description = next(iter(stacks.values()))
    return Graph(description.partition(":")[0], (*boxes, bundle), frozenset(_reduced(kept)))


def _nodes(stack: str, template: Mapping[str, Any]) -> list[tuple[Node, list[str]]]:
    """Each node with the resources that it stands for, those of one type beside each other."""
    shown = {name: body for name, body in template["Resources"].items() if body["Type"] in KINDS}
    many = {kind for kind, count in Counter(body["Type"] for body in shown.values()).items() if count > MOST_ALIKE}
    nodes = []
    for name, body in shown.items():
        label, detail = KINDS[body["Type"]]
        if body["Type"] not in many:
            nodes.append((Node(f"{stack}/{name}", label, detail(body.get("Properties", {}))), [f"{stack}/{name}"]))
    for kind in many:
        alike = [f"{stack}/{name}" for name, body in shown.items() if body["Type"] == kind]
        nodes.append((Node(f"{stack}/*{kind}", f"{KINDS[kind][0]} × {len(alike)}", ""), alike))
    return sorted(nodes, key=lambda each: (each[0].label, each[0].detail))


def _references(templates: Mapping[str, Any]) -> dict[str, set[str]]:
    """What each resource refers to: in its stack, over an export of another one, by a parameter's name, or the bundle."""
    exports: dict[str, str] = {}
    parameters: dict[str, str] = {}
    for stack, template in templates.items():
        for output in template.get("Outputs", {}).values():
            if "Export" in output:
                exports[output["Export"]["Name"]] = next(f"{stack}/{name}" for name in _named(output["Value"]))
        for name, body in template["Resources"].items():
            if body["Type"] == "AWS::SSM::Parameter" and isinstance(body["Properties"].get("Name"), str):
                parameters[body["Properties"]["Name"]] = f"{stack}/{name}"
    references = {}
    for stack, template in templates.items():
        for name, body in template["Resources"].items():
            found = {f"{stack}/{other}" for other in _named(body)} | {exports.get(text, "") for text in _imported(body)}
            for key, declared in template.get("Parameters", {}).items():
                if f"{stack}/{key}" in found:
                    found.add(parameters.get(declared.get("Default", ""), ""))
            if any(".zip" in text for text in _strings(body)):
                found.add(BUNDLE)
            references[f"{stack}/{name}"] = found
    return references


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _named(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref":
                yield item
            elif key == "Fn::GetAtt":
                yield item[0] if isinstance(item, list) else item.partition(".")[0]
            else:
                yield from _named(item)


def _imported(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _imported(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from [item] if key == "Fn::ImportValue" else _imported(item)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def _reached(start: str, references: Mapping[str, set[str]], shown: Mapping[str, str]) -> set[str]:
    """The shown resources (and the bundle) that `start` refers to, through any that are not shown."""
    reached, seen, front = set(), {start}, [start]
    while front:
        for other in references.get(front.pop(), ()):
            if other in seen:
                continue
            seen.add(other)
            if other in shown or other == BUNDLE:
                reached.add(other)
            else:
                front.append(other)
    return reached


def _reduced(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Without the edges that say no more than a longer way does."""
    after: dict[str, set[str]] = {}
    for a, b in edges:
        after.setdefault(a, set()).add(b)

    def leads(a: str, b: str, seen: set[str]) -> bool:
        return any(c == b or (c not in seen and leads(c, b, seen | {c})) for c in after.get(a, ()))

    return {(a, b) for a, b in edges if not any(c != b and leads(c, b, {a, c}) for c in after[a])}
