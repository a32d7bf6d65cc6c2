"""What the container stack promises the programs on its instances (docs/instances.md)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.infra.stacks.conftest import Assembly

pytestmark = pytest.mark.slow  # starts Node


def template_data(assembly: Assembly) -> dict[str, Any]:
    data: dict[str, Any] = assembly.one("container", "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    return data


def test_instances_tags_have_keys_that_the_metadata_service_takes(default: Assembly) -> None:
    """With InstanceMetadataTags an instance whose tag keys hold a space or a slash is not launched."""
    group = default.one("container", "AWS::AutoScaling::AutoScalingGroup")
    (specified,) = [spec for spec in template_data(default)["TagSpecifications"] if spec["ResourceType"] == "instance"]
    keys = {tag["Key"] for tag in [*group["Tags"], *specified["Tags"]]}
    assert {"crossover:stage", "crossover:lane"} <= keys
    assert [key for key in keys if not re.fullmatch(r"[A-Za-z0-9+=.,_:@-]+", key)] == []


def test_instances_know_the_target_group_that_they_leave(default: Assembly) -> None:
    (target_group,) = default.all("container", "AWS::ElasticLoadBalancingV2::TargetGroup")
    (_, parts) = template_data(default)["UserData"]["Fn::Base64"]["Fn::Join"]
    after = parts[parts.index({"Ref": target_group}) + 1]
    assert parts[parts.index({"Ref": target_group}) - 1].endswith('"target_group": "') and after.startswith('"')
