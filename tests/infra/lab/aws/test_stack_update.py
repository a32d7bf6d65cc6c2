"""The local AWS makes each resource after those it names."""

from __future__ import annotations

import pytest

from infra.lab.aws.stack_update import in_dependency_order


@pytest.mark.parametrize(
    "reference",
    [
        {"Ref": "Function"},
        {"Fn::GetAtt": ["Function", "Arn"]},
        {"Fn::GetAtt": "Function.Arn"},
        {"Fn::Sub": "arn:${Function}:live"},
        {"Fn::Join": ["", ["a", {"Ref": "Function"}]]},
    ],
)
def test_a_resource_comes_after_what_it_names_however_it_is_named(reference: object) -> None:
    bodies = {
        "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": reference}},
        "Function": {"Type": "AWS::Lambda::Function", "DependsOn": "Role"},
        "Role": {"Type": "AWS::IAM::Role"},
    }
    assert in_dependency_order(bodies) == ["Role", "Function", "Version"]
