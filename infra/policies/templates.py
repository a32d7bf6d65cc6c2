"""Reads what `cdk synth` wrote: the resource types and names of a stage's stacks, and what deploying them assumes and reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.config import Stage
from infra.errors import InputError

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Synthesized:
    """`stacks` are the stage's stacks and their resources, `assumed` and `assets` ARN patterns of what the CDK CLI assumes and
    where it uploads, `parameters` the names of Systems Manager parameters that the templates read."""

    stacks: Mapping[str, tuple[Resource, ...]]
    assumed: tuple[str, ...]
    assets: tuple[str, ...]
    version_parameters: tuple[str, ...]
    parameters: tuple[str, ...]

    @property
    def resources(self) -> tuple[Resource, ...]:
        return tuple(resource for resources in self.stacks.values() for resource in resources)

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(sorted({resource["Type"] for resource in self.resources}))

    def of(self, resource_type: str) -> tuple[Mapping[str, Any], ...]:
        """The properties of the resources of a type."""
        return tuple(each.get("Properties", {}) for each in self.resources if each["Type"] == resource_type)

    def texts(self, pattern: str) -> tuple[str, ...]:
        """What `pattern` finds in any text of any resource."""
        return tuple(sorted({match for text in every_text(self.resources) for match in re.findall(pattern, text)}))


def read_synthesized(folder: Path, stage: Stage) -> Synthesized:
    """What stands in a cloud assembly of this stage. Raises `InputError` where there is none, or another stage's."""
    prefix = f"{stage.resource_prefix}-"
    how = f"write it with `npx cdk synth --quiet -c stage={stage.name}`"
    try:
        artifacts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["artifacts"]
        stacks = {name: body["properties"] for name, body in artifacts.items() if body["type"] == "aws:cloudformation:stack"}
        templates = {
            name: json.loads((folder / properties["templateFile"]).read_text(encoding="utf-8"))
            for name, properties in stacks.items()
            if name.startswith(prefix)
        }
        published = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob(f"{prefix}*.assets.json"))]
    except OSError as error:
        raise InputError(f"{folder}: holds no synthesized stacks ({error.strerror}); {how}") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{folder}: is not what `cdk synth` writes; {how}") from None
    if not templates:
        raise InputError(f"{folder}: holds {', '.join(stacks) or 'no stacks'}, none of stage {stage.name}; {how}")
    used = [stacks[name] for name in templates]
    destinations = [place for each in published for file in each["files"].values() for place in file["destinations"].values()]
    return Synthesized(
        stacks={name: tuple(template.get("Resources", {}).values()) for name, template in templates.items()},
        assumed=_patterns(
            [each["assumeRoleArn"] for each in (*used, *destinations)] + [each["lookupRole"]["arn"] for each in used],
            stage.account,
        ),
        assets=_patterns([f"arn:aws:s3:::{each['bucketName']}" for each in destinations], stage.account),
        version_parameters=_patterns([each["bootstrapStackVersionSsmParameter"] for each in used], stage.account),
        parameters=_patterns([name for template in templates.values() for name in _parameters(template)], stage.account),
    )


def text_of(value: Any) -> str:
    """A template's value as text, `*` for whatever is known at deployment only."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        if "Fn::Join" in value:
            separator, parts = value["Fn::Join"]
            return str(separator).join(map(text_of, parts)) if isinstance(parts, list) else "*"
        if "Fn::Sub" in value:
            return re.sub(r"\$\{[^}]*\}", "*", text_of(value["Fn::Sub"]))
        if value.get("Ref") == "AWS::Partition":
            return "aws"
    return "*"


def every_text(value: Any) -> Iterator[str]:
    """Every text of a template, joined ones as one."""
    if isinstance(value, str) or (isinstance(value, Mapping) and {"Fn::Join", "Fn::Sub"} & value.keys()):
        yield text_of(value)
    if isinstance(value, Mapping):
        for each in value.values():
            yield from every_text(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from every_text(each)


def _parameters(template: Mapping[str, Any]) -> Iterator[str]:
    for parameter in template.get("Parameters", {}).values():
        if parameter["Type"].startswith("AWS::SSM::Parameter::Value<"):
            yield parameter["Default"]
    for text in every_text(template.get("Resources", {})):
        # `resolve:ssm:NAME` of a launch template, `{{resolve:ssm:NAME:VERSION}}` of CloudFormation
        yield from re.findall(r"resolve:ssm(?:-secure)?:([A-Za-z0-9_./-]+)", text)


def _patterns(texts: list[str], account: str | None) -> tuple[str, ...]:
    """ARNs and names, with `*` for the account where the stage does not name it."""
    known = {"${AWS::Partition}": "aws", "${AWS::AccountId}": account or "*"}
    return tuple(sorted({re.sub(r"\$\{[^}]*\}", lambda found: known.get(found[0], "*"), text) for text in texts}))
