"""A stack's life as CloudFormation documents it, where moto's is shorter.

- What fails while a stack is created takes the others with it: CREATE_FAILED with its reason, then ROLLBACK_COMPLETE
  (CloudFormation user guide, "Stack failure options"). moto leaves the stack as CREATE_IN_PROGRESS.
- What fails while it is updated brings the former template back: UPDATE_FAILED, then UPDATE_ROLLBACK_COMPLETE.
- Resources are deleted in the reverse of the order in which they were made; what has the deletion policy Retain stays.
- An export that another stack imports can be neither deleted nor renamed ("Exports", user guide).
- A parameter left at its default keeps it in an update that names its previous value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.cloudformation import models, parsing
from moto.cloudformation.exceptions import ValidationError

from infra.lab.aws.deletions import DELETIONS
from infra.lab.aws.stack_update import update_resources

_create_stack = models.CloudFormationBackend.create_stack
_delete_stack = models.CloudFormationBackend.delete_stack
_update = models.Stack.update
_create_resource = parsing.parse_and_create_resource
_update_resource = parsing.parse_and_update_resource
_delete_resource = parsing.ResourceMap._delete_resource


class Faults:
    """Resource types whose next creation fails: a rehearsal of what AWS refuses only when it is asked."""

    def __init__(self, kinds: list[str]) -> None:
        self.kinds = kinds

    def strike(self, kind: str) -> None:
        if kind in self.kinds:
            self.kinds.remove(kind)
            raise ValidationError(message=f"The local AWS was told to fail one {kind}")


@contextmanager
def _blamed(logical_id: str, kind: str) -> Iterator[None]:
    """Notes on the error which resource failed; the innermost one, for resources are made while others are read."""
    try:
        yield
    except Exception as error:
        if not hasattr(error, "failed_resource"):
            error.failed_resource = (logical_id, kind)  # type: ignore[attr-defined]
        raise


def _reason(error: Exception) -> str:
    return str(getattr(error, "message", "") or error)


def _tell(stack: Any, status: str, reason: str | None, resource: tuple[str, str] | None = None) -> None:
    if resource is None:
        stack.status = status
    logical_id, kind = resource or (stack.name, "AWS::CloudFormation::Stack")
    physical_id = stack.stack_id if resource is None else ""
    stack.events.append(models.Event(stack.stack_id, stack.name, logical_id, physical_id, kind, status, reason, None))


def create_stack(backend: Any, name: str, *arguments: Any, **named: Any) -> Any:
    try:
        return _create_stack(backend, name, *arguments, **named)
    except Exception as error:
        stack = next((each for each in backend.stacks.values() if each.name == name), None)
        failed = getattr(error, "failed_resource", None)
        if stack is None or failed is None:
            raise
        _tell(stack, "CREATE_FAILED", _reason(error), failed)
        _tell(stack, "ROLLBACK_IN_PROGRESS", f"The following resource(s) failed to create: [{failed[0]}]. Rollback requested.")
        _take_away(stack)
        for export in [name for name, export in backend.exports.items() if export.exporting_stack_id == stack.stack_id]:
            del backend.exports[export]
        _tell(stack, "ROLLBACK_COMPLETE", None)
        return stack


def update(stack: Any, template: str, role_arn: Any = None, parameters: Any = None, tags: Any = None) -> None:
    backend = models.cloudformation_backends[stack.account_id][stack.region_name]
    _refuse_while_imported(backend, stack, _export_names(stack.parse_template(template)))
    former, former_parameters = stack.template, dict(stack.parameters)
    try:
        _update(stack, template, role_arn, parameters=parameters, tags=tags)
    except Exception as error:
        failed = getattr(error, "failed_resource", None)
        if failed is None:
            raise
        _tell(stack, "UPDATE_FAILED", _reason(error), failed)
        _tell(stack, "UPDATE_ROLLBACK_IN_PROGRESS", f"The following resource(s) failed to update: [{failed[0]}].")
        _bring_back(stack, former, former_parameters)
    for export in stack.exports:
        backend.exports[export.name] = export


def _bring_back(stack: Any, template: str, parameters: dict[str, Any]) -> None:
    stack.template = template
    stack._parse_template()
    try:
        stack.resource_map.update(stack.template_dict, parameters)
    except Exception as error:
        failed = getattr(error, "failed_resource", None)
        if failed is None:
            raise
        _tell(stack, "UPDATE_FAILED", _reason(error), failed)
        _tell(stack, "UPDATE_ROLLBACK_FAILED", f"The following resource(s) failed to update: [{failed[0]}].")
        return
    stack.output_map = parsing.OutputMap(stack.resource_map, stack.template_dict, stack.stack_id)
    _tell(stack, "UPDATE_ROLLBACK_COMPLETE", None)


def delete_stack(backend: Any, name_or_stack_id: str) -> None:
    for stack in list(backend.stacks.values()):
        if name_or_stack_id in (stack.name, stack.stack_id):
            _refuse_while_imported(backend, stack, set())
            _delete_or_tell(backend, stack)


def _delete_or_tell(backend: Any, stack: Any) -> None:
    """moto forgets a stack that could not be deleted; CloudFormation keeps it, with what is left of it."""
    exports = dict(backend.exports)
    try:
        _delete_stack(backend, stack.stack_id)
        stack.output_map = parsing.OutputMap(stack.resource_map, {}, stack.stack_id)
    except Exception as error:
        failed = getattr(error, "failed_resource", None)
        if failed is None:
            raise
        backend.stacks[stack.stack_id] = stack
        backend.exports.update(exports)
        _tell(stack, "DELETE_FAILED", _reason(error), failed)
        _tell(stack, "DELETE_FAILED", f"The following resource(s) failed to delete: [{failed[0]}].")


def _take_away(stack: Any) -> None:
    """Nothing of the stack is left: its outputs neither, for moto makes a resource whenever an output names it."""
    stack.resource_map.delete()
    stack.output_map = parsing.OutputMap(stack.resource_map, {}, stack.stack_id)


def _export_names(template: dict[str, Any]) -> set[str]:
    """Names that are plain text once the stack's own is put in, as all of CDK's are."""
    outputs = template.get("Outputs", {}).values()
    return {output["Export"]["Name"] for output in outputs if isinstance(output.get("Export", {}).get("Name"), str)}


def _refuse_while_imported(backend: Any, stack: Any, staying: set[str]) -> None:
    for going in sorted(_export_names(stack.template_dict) - staying):
        for other in backend.stacks.values():
            if other is not stack and re.search(rf'"Fn::ImportValue": "{re.escape(going)}"', json.dumps(other.template_dict)):
                raise ValidationError(message=f"Export {going} cannot be deleted as it is in use by {other.name}")


def delete_resources(resources: Any) -> None:
    """In the reverse of the order in which they were made; what is still in use then is tried again after the others."""
    left = [name for name in reversed(resources._parsed_resources) if name in resources._resource_json_map]
    while left:
        failed: dict[str, Exception] = {}
        for name in left:
            body, resource = resources._resource_json_map[name], resources._parsed_resources[name]
            try:
                with _blamed(name, body["Type"]):
                    if resource is not None:
                        resources._delete_resource(resource, body)
                del resources._parsed_resources[name]
            except Exception as error:
                failed[name] = error
        if len(failed) == len(left):
            raise next(iter(failed.values()))
        left = list(failed)


def delete_resource(resources: Any, resource: Any, body: dict[str, Any]) -> None:
    if body.get("DeletionPolicy") == "Retain":
        return
    if body["Type"] in DELETIONS:
        DELETIONS[body["Type"]](resources._account_id, resources._region_name, resource)
    else:
        _delete_resource(resources, resource, body)


def previous_parameters(backend: Any, instance: Any, incoming_params: list[dict[str, Any]]) -> dict[str, str]:
    """An update's parameters; `UsePreviousValue` of one that was never given means its default still."""
    given = {each["ParameterKey"]: each["ParameterValue"] for each in incoming_params if "ParameterValue" in each}
    kept = [each["ParameterKey"] for each in incoming_params if each.get("UsePreviousValue")]
    return given | {key: instance.parameters[key] for key in kept if key in instance.parameters}


def install(faults: Faults) -> None:
    def create_resource(logical_id: str, body: dict[str, Any], *arguments: Any, **named: Any) -> Any:
        with _blamed(logical_id, body["Type"]):
            faults.strike(body["Type"])
            return _create_resource(logical_id, body, *arguments, **named)

    def update_resource(logical_id: str, body: dict[str, Any], *arguments: Any, **named: Any) -> Any:
        with _blamed(logical_id, body["Type"]):
            return _update_resource(logical_id, body, *arguments, **named)

    stack, backend, resources = models.Stack, models.CloudFormationBackend, parsing.ResourceMap
    replacements: tuple[tuple[Any, str, Any], ...] = (
        (parsing, "parse_and_create_resource", create_resource),
        (parsing, "parse_and_update_resource", update_resource),
        (resources, "delete", delete_resources),
        (resources, "_delete_resource", delete_resource),
        (resources, "update", update_resources),
        (stack, "update", update),
        (backend, "create_stack", create_stack),
        (backend, "delete_stack", delete_stack),
        (backend, "_resolve_update_parameters", previous_parameters),
    )
    for owner, name, ours in replacements:
        setattr(owner, name, ours)
