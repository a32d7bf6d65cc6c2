"""What is left of the account's vCPUs: everything that runs in the region counts, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from infra.switching.aws import fleet, quotas
from infra.switching.aws.calls import Aws
from infra.switching.aws.fleet import Fleet
from infra.switching.aws.quotas import VcpuQuotas
from infra.switching.preflight import Quota
from tests.infra.switching.aws.moto_stage import REGION, MotoStage, refusal

OTHERS = (("m5.xlarge", False), ("m5.xlarge", False), ("im4gn.large", True), ("hpc6a.48xlarge", False), ("inf1.xlarge", True))
"""What else runs in the account: 8 vCPUs on demand and 2 on spot of the standard families, and two of other quotas."""


class ServiceQuotas:
    def get_service_quota(self, ServiceCode: str, QuotaCode: str) -> dict[str, Any]:
        return {"Quota": {"Value": {"L-1216C47A": 16.0, "L-34B43A08": 5.0}[QuotaCode]}}


def asked(stage: MotoStage, units: int, **clients: Any) -> tuple[Quota, ...]:
    aws = Aws(REGION, {"service-quotas": ServiceQuotas(), **clients})
    return VcpuQuotas(aws, Fleet(aws, stage.resources)).for_group_of(units)


@pytest.fixture
def busy(stage: MotoStage) -> Iterator[MotoStage]:
    """An account in which others run instances too, and one has stopped."""
    ec2 = boto3.client("ec2", REGION)
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ids = []
    for kind, spot in (*OTHERS, ("m5.24xlarge", False)):
        market: Any = {"InstanceMarketOptions": {"MarketType": "spot"}} if spot else {}
        made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType=kind, **market)
        ids.append(made["Instances"][0]["InstanceId"])
    ec2.stop_instances(InstanceIds=ids[-1:])
    yield stage
    ec2.terminate_instances(InstanceIds=ids)


def test_what_others_run_counts_and_the_group_s_growth_alone_is_more(busy: MotoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = (
        Quota(kind="on demand", allowed=16, used=12, more=6),  # 2 instances of the group's, 2 vCPUs each, are there
        Quota(kind="on spot", allowed=5, used=2, more=0),
    )
    assert asked(busy, 5) == expected
    monkeypatch.setattr(quotas, "PAGE", 1)
    monkeypatch.setattr(fleet, "TYPES_AT_ONCE", 1)
    assert asked(busy, 5) == expected
    assert [quota.more for quota in asked(busy, 2)] == [0, 0]


@pytest.mark.parametrize(("base", "percent", "more"), [(2, 0, [0, 6]), (1, 50, [2, 4]), (9, 0, [6, 0])])
def test_growth_is_on_demand_or_on_spot_as_the_group_s_mixture_has_it(
    stage: MotoStage, base: int, percent: int, more: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    mixture = {"OnDemandBaseCapacity": base, "OnDemandPercentageAboveBaseCapacity": percent}
    group = stage.group()
    policy = {**group["MixedInstancesPolicy"], "InstancesDistribution": mixture}
    monkeypatch.setattr(Fleet, "group", lambda fleet: {**group, "MixedInstancesPolicy": policy})
    assert [quota.more for quota in asked(stage, 5)] == more


def test_quotas_or_instances_that_may_not_be_read_are_not_known(stage: MotoStage) -> None:
    class Refusing:
        def get_paginator(self, name: str) -> Any:
            raise refusal("UnauthorizedOperation", 403)

    assert asked(stage, 5, ec2=Refusing()) == ()
    assert asked(stage, 5, **{"service-quotas": boto3.client("service-quotas", REGION)}) == ()  # moto has none for EC2
