"""Reads a cloud assembly: the manifest and the templates that it names, as a flat list of resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.documents import read_json
from infra.errors import InputError

STACK = "aws:cloudformation:stack"


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
        found = self.properties.get("Tags")
        pairs = found.items() if isinstance(found, dict) else ((t.get("Key"), t.get("Value")) for t in found or ())
        return {str(key): value for key, value in pairs if isinstance(value, str)}

    def literal(self, *path: str, default: Any = None) -> Any:
        """The value below `path`; `InputError` where CloudFormation decides it only when it deploys."""
        value: Any = self.properties
        for key in path:
            if not isinstance(value, dict) or key not in value:
                return default
            value = value[key]
        if isinstance(value, dict) and any(key == "Ref" or key.startswith("Fn::") for key in value):
            raise InputError(
                f"{self.file}: {self.logical_id}.{'.'.join(path)}: {next(iter(value))} is decided when it is deployed; "
                "a price needs a literal value"
            )
        return value

    def whole(self, *path: str, default: int | None = None) -> int | None:
        """A whole number below `path`, which templates may also hold as text."""
        value = self.literal(*path, default=default)
        try:
            return None if value is None else int(str(value))
        except ValueError:
            raise InputError(f"{self.file}: {self.logical_id}.{'.'.join(path)}: {value!r} must be a whole number") from None


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
        if isinstance(artifact, dict) and artifact.get("type") == STACK:
            regions.add(str(artifact.get("environment", "")).rpartition("/")[2])
            resources += _stack(name, artifact, manifest_file)
    if not resources:
        raise InputError(f"{manifest_file}: names no stack with resources")
    return CloudAssembly(
        path=path, region=_one(regions, "regions", manifest_file), stage=_stage(resources, path), resources=tuple(resources)
    )


def _stack(name: str, artifact: Mapping[str, Any], manifest_file: Path) -> list[Resource]:
    template = artifact.get("properties", {}).get("templateFile")
    if not isinstance(template, str):
        raise InputError(f"{manifest_file}: {name}: properties.templateFile: must name the stack's template")
    file = manifest_file.parent / template
    document = _json(file)
    resources = document.get("Resources")
    if not isinstance(resources, dict):
        raise InputError(f"{file}: Resources: must be a table of resources")
    parameters = document.get("Parameters", {})
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
