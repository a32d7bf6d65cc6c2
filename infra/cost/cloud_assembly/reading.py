"""Reads a cloud assembly: the manifest and the templates that it names, as a flat list of resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from infra.documents import read_json
from infra.errors import InputError

STACK, NESTED = "aws:cloudformation:stack", "cdk:cloud-assembly"
MOST_SAID = 60
"""Characters of a wrong value in an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource of a template; references to parameters that have a default are resolved."""

    stack: str
    logical_id: str
    type: str
    properties: Mapping[str, Any]
    file: Path

    @property
    def id(self) -> str:
        """`stack/LogicalId`, as reports name it."""
        return f"{self.stack}/{self.logical_id}"

    @property
    def tags(self) -> dict[str, str]:
        found = self.properties.get("Tags", {})
        if isinstance(found, list):
            pairs = {str(part.properties.get("Key")): part.properties.get("Value") for part in self.parts("Tags")}
        else:
            pairs = found if isinstance(found, dict) else self.table("Tags")
        return {key: value for key, value in pairs.items() if isinstance(value, str)}

    def literal(self, *path: str, default: Any = None) -> Any:
        """The value below `path`; `InputError` where CloudFormation decides it only when it deploys, or where something else
        than a table stands on the way."""
        value: Any = self.properties
        for depth, key in enumerate(path):
            if not isinstance(value, dict):
                raise self.wrong(path[:depth], value, "a table")
            if key not in value:
                return default
            value = value[key]
            if isinstance(value, dict) and any(name == "Ref" or name.startswith("Fn::") for name in value):
                raise InputError(
                    f"{self.file}: {self.logical_id}.{'.'.join(path[: depth + 1])}: {next(iter(value))} is decided when it is "
                    "deployed; a price needs a literal value"
                )
        return value

    def whole(self, *path: str, default: int | None = None) -> int | None:
        """A whole number below `path`, which templates may also hold as text."""
        value = self.literal(*path, default=default)
        try:
            return None if value is None else int(str(value))
        except ValueError:
            raise self.wrong(path, value, "a whole number") from None

    def text(self, *path: str, default: str = "") -> str:
        value = self.literal(*path, default=default)
        if not isinstance(value, str):
            raise self.wrong(path, value, "text")
        return value

    def table(self, *path: str) -> dict[str, Any]:
        """The table below `path`, empty where there is none."""
        value = self.literal(*path, default={})
        if not isinstance(value, dict):
            raise self.wrong(path, value, "a table")
        return value

    def parts(self, *path: str) -> list[Resource]:
        """The tables of the list below `path`, each read as a resource is; none where there is no list."""
        value = self.literal(*path, default=[])
        if not isinstance(value, list):
            raise self.wrong(path, value, "a list")
        place = f"{self.logical_id}.{'.'.join(path)}"
        for each in value:
            if not isinstance(each, dict):
                raise self.wrong(path, each, "a list of tables; this")
        return [replace(self, logical_id=f"{place}[{number}]", properties=each) for number, each in enumerate(value)]

    def wrong(self, path: tuple[str, ...], value: object, wanted: str) -> InputError:
        """The error for a value that cannot be; cut short where it is long."""
        said = repr(value)
        said = said if len(said) <= MOST_SAID else f"{said[:MOST_SAID]}…"
        return InputError(f"{self.file}: {'.'.join((self.logical_id, *path))}: {said} must be {wanted}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudAssembly:
    """Everything that one synthesis will deploy, in the order of the manifest. `region` is None where it is not known."""

    path: Path
    region: str | None
    stage: str | None
    resources: tuple[Resource, ...]

    def of(self, kind: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.type == kind]


def read_assembly(path: Path) -> CloudAssembly:
    """The assembly in a folder; `InputError` names file, line and what would be right."""
    manifest_file = path / "manifest.json"
    if not manifest_file.is_file():
        raise InputError(f"{path}: no cloud assembly (it has no manifest.json); `make synth` writes one to cdk.out")
    manifest = _json(manifest_file)
    artifacts = manifest.get("artifacts")
    if not isinstance(artifacts, dict):
        raise InputError(f"{manifest_file}: artifacts: must be a table of artifacts")
    resources: list[Resource] = []
    regions: set[str] = set()
    for name, artifact in artifacts.items():
        if not isinstance(artifact, dict):
            raise InputError(f"{manifest_file}: artifacts.{name}: must be a table")
        if artifact.get("type") == NESTED:
            raise InputError(f"{manifest_file}: artifacts.{name}: is an assembly of its own; give --assembly that folder")
        if artifact.get("type") == STACK:
            regions.add(str(artifact.get("environment", "")).rpartition("/")[2])
            resources += _stack(name, artifact, manifest_file)
    if not resources:
        raise InputError(f"{manifest_file}: names no stack with resources")
    return CloudAssembly(
        path=path, region=_one(regions, "regions", manifest_file), stage=_stage(resources, path), resources=tuple(resources)
    )


def _stack(name: str, artifact: Mapping[str, Any], manifest_file: Path) -> list[Resource]:
    properties = artifact.get("properties")
    template = properties.get("templateFile") if isinstance(properties, dict) else None
    if not isinstance(template, str) or not template:
        raise InputError(f"{manifest_file}: {name}: properties.templateFile: must name the stack's template")
    file = manifest_file.parent / template
    document = _json(file)
    resources = document.get("Resources")
    if not isinstance(resources, dict):
        raise InputError(f"{file}: Resources: must be a table of resources")
    parameters = document.get("Parameters", {})
    if not isinstance(parameters, dict):
        raise InputError(f"{file}: Parameters: must be a table of parameters")
    found = []
    for logical_id, body in resources.items():
        if not isinstance(body, dict) or not isinstance(body.get("Type"), str):
            raise InputError(f"{file}: {logical_id}: has no Type")
        properties = body.get("Properties", {})
        if not isinstance(properties, dict):
            raise InputError(f"{file}: {logical_id}.Properties: must be a table")
        found.append(
            Resource(
                stack=name, logical_id=logical_id, type=body["Type"], properties=_resolved(properties, parameters), file=file
            )
        )
    return found


def _resolved(value: Any, parameters: Mapping[str, Any]) -> Any:
    """`{"Ref": parameter}` becomes the parameter's default, unless Systems Manager holds the value behind it."""
    if isinstance(value, dict):
        parameter = parameters.get(value["Ref"]) if value.keys() == {"Ref"} and isinstance(value["Ref"], str) else None
        if isinstance(parameter, dict) and "Default" in parameter and not str(parameter.get("Type")).startswith("AWS::SSM"):
            return parameter["Default"]
        return {key: _resolved(each, parameters) for key, each in value.items()}
    return [_resolved(each, parameters) for each in value] if isinstance(value, list) else value


def _json(file: Path) -> dict[str, Any]:
    document = read_json(file)
    if not isinstance(document, dict):
        raise InputError(f"{file}: must be a JSON object")
    return document


def _one(found: set[str], of: str, file: Path) -> str | None:
    known = sorted(found - {"", "unknown-region"})
    if len(known) > 1:
        raise InputError(f"{file}: {of} {' and '.join(known)} in one assembly; synthesize one at a time")
    return known[0] if known else None


def _stage(resources: list[Resource], path: Path) -> str | None:
    return _one({r.tags["crossover:stage"] for r in resources if "crossover:stage" in r.tags}, "stages", path)
