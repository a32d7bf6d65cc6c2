"""A stack's update in CloudFormation's order: each resource after those it names, replacements before what they replace goes.

moto deletes first, then makes what is new, then changes the rest: a new version of a function would be published before the
function has its new code, and a rule would go with its old listener (CloudFormation user guide, "Update behaviors of stack
resources").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from moto.cloudformation import parsing

# Properties whose change replaces the resource ("Update requires: Replacement", CloudFormation template reference), where moto
# changes it in place.
REPLACING = {"AWS::ElasticLoadBalancingV2::ListenerRule": ("ListenerArn",)}
# Attributes that another value is read of after a change in place: what names them is updated too, though its own body is the
# same.
MOVING = {"AWS::EC2::LaunchTemplate": ("LatestVersionNumber", "DefaultVersionNumber")}


def update_resources(resources: Any, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
    """Takes the place of moto's `ResourceMap.update`."""
    former, made = dict(resources._resource_json_map), resources._parsed_resources
    changes = resources.build_resource_diff(template, parameters)
    going = [(former[name], made.pop(name)) for name in reversed(list(made)) if name in changes["Remove"]]
    resources._template = template
    if parameters:
        resources.input_parameters = parameters
    resources.load_mapping()
    resources.load_parameters()
    resources.load_conditions()
    resources._resource_json_map = template["Resources"]
    modified = set(changes["Modify"])
    for name in in_dependency_order(template["Resources"]):
        body = template["Resources"][name]
        if any(_names_moving(body, moved, template["Resources"][moved]["Type"]) for moved in modified):
            modified.add(name)
        if name in changes["Modify"] and _replaced(former[name], body):
            going.append((former[name], made.pop(name)))
        if name in modified and name in made:
            updated = parsing.parse_and_update_resource(name, body, resources, resources._account_id, resources._region_name)
            made[name] = updated or made[name]
        elif name not in made:
            _ = resources[name]  # makes it
    for body, resource in going:
        if resource is not None:
            resources._delete_resource(resource, body)


def _names_moving(value: Any, moved: str, kind: str) -> bool:
    if isinstance(value, list):
        return any(_names_moving(item, moved, kind) for item in value)
    if not isinstance(value, dict):
        return False
    attributes = [[moved, attribute] for attribute in MOVING.get(kind, ())]
    return value.get("Fn::GetAtt") in attributes or any(_names_moving(item, moved, kind) for item in value.values())


def in_dependency_order(bodies: dict[str, Any]) -> list[str]:
    """Each resource after those that it names."""
    ordered: dict[str, None] = {}
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name in seen:
            return
        seen.add(name)
        for other in _named_in(bodies[name]):
            if other in bodies:
                visit(other)
        ordered[name] = None

    for name in bodies:
        visit(name)
    return list(ordered)


def _named_in(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _named_in(item)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key in ("Ref", "Fn::GetAtt", "DependsOn"):
            yield from [item.split(".")[0]] if isinstance(item, str) else [part for part in item if isinstance(part, str)]
        elif key == "Fn::Sub":
            text = item if isinstance(item, str) else item[0]
            yield from re.findall(r"\$\{([A-Za-z0-9]+)", text)
        yield from _named_in(item)


def _replaced(before: dict[str, Any], after: dict[str, Any]) -> bool:
    keys = REPLACING.get(after["Type"], ())
    return any(before["Properties"].get(key) != after["Properties"].get(key) for key in keys)
