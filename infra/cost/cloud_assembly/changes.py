"""What differs between two cloud assemblies and may change the bill: resources that are new, gone, or have other properties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.cost.cloud_assembly.free import free_because
from infra.cost.cloud_assembly.reading import CloudAssembly, Resource

# What a resource is called or runs, which has no price of its own.
WITHOUT_PRICE = frozenset(
    {"Code", "DashboardBody", "Description", "Environment", "KeyPolicy", "Tags", "TagSpecifications", "UserData"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceChange:
    """One resource in two assemblies. `what` is new, gone, or the properties that differ with both values."""

    id: str
    type: str
    what: str


def resource_changes(before: CloudAssembly, after: CloudAssembly) -> tuple[ResourceChange, ...]:
    """Resources that cost something and differ, in the order of the templates; those gone come last."""
    old = {each.id: each for each in before.resources if free_because(each) is None}
    new = {each.id: each for each in after.resources if free_because(each) is None}
    found = []
    for name, resource in new.items():
        what = "new" if name not in old else ", ".join(_differences(old[name], resource))
        if what:
            found.append(ResourceChange(id=name, type=resource.type, what=what))
    found += [ResourceChange(id=name, type=each.type, what="gone") for name, each in old.items() if name not in new]
    return tuple(found)


def _differences(before: Resource, after: Resource) -> Iterator[str]:
    was, now = dict(_leaves(before.properties)), dict(_leaves(after.properties))
    for path in [*now, *(path for path in was if path not in now)]:
        if was.get(path) != now.get(path):
            yield f"{path} {_said(was.get(path))} → {_said(now.get(path))}"


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        if any(key == "Ref" or key.startswith("Fn::") for key in value):
            return  # which resource it is, not how large
        for key, each in value.items():
            if key not in WITHOUT_PRICE:
                yield from _leaves(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _leaves(each, f"{path}[{number}]")
    else:
        yield path, value


def _said(value: Any) -> str:
    return "not set" if value is None else str(value)
