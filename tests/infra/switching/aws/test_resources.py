"""A stage is found by its stacks, or one clear line says why not."""

from __future__ import annotations

import pytest

from infra.errors import InputError, KitError
from infra.switching.aws.calls import Aws, served_at
from infra.switching.aws.clock import AwsClock
from infra.switching.aws.resources import find, prefix_of
from tests.infra.switching.aws.moto_stage import REGION, MotoStage, make_stack


def test_a_stage_is_what_its_stacks_say(stage: MotoStage) -> None:
    found = stage.resources
    assert (found.group, found.function, found.table) == ("prod-group", "prod-function", "crossover-prod-switch")
    assert found.account == "123456789012"
    assert found.load_balancer.startswith("app/prod/")
    assert found.target_group("container").startswith("targetgroup/c/")
    assert found.changing == ()


def test_names_are_those_of_the_stacks() -> None:
    from infra.config import Stage

    assert prefix_of("prod_eu") == Stage(name="prod_eu").resource_prefix


def test_a_stage_that_is_not_there_or_not_in_this_region_is_one_line(stage: MotoStage) -> None:
    with pytest.raises(KitError, match=r"stage 'moon' is not deployed in us-east-1: no stack crossover-moon-traffic; check"):
        find(stage.aws, "moon")
    with pytest.raises(KitError, match=r"stage 'prod' is not deployed in eu-west-1"):
        find(Aws("eu-west-1"), "prod")


def test_a_stage_with_one_lane_cannot_be_switched(stage: MotoStage) -> None:
    for end in ("foundation", "lambda", "traffic"):
        make_stack(f"crossover-single-{end}", {})
    with pytest.raises(KitError, match=r"no stack crossover-single-container in us-east-1: a switch needs both lanes"):
        find(stage.aws, "single")


def test_a_stage_of_an_older_version_is_told_to_be_deployed_anew(stage: MotoStage) -> None:
    for end in ("foundation", "lambda", "container", "traffic"):
        make_stack(f"crossover-old-{end}", {})
    with pytest.raises(KitError, match=r"stack crossover-old-traffic has no output Url: deploy the stage anew"):
        find(stage.aws, "old")


def test_no_credentials_and_no_region_are_one_line(cloud: MotoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(InputError, match="region: give --region, or set AWS_REGION"):
        Aws(None)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(InputError, match="nobody"):
        Aws(REGION)


def test_without_credentials_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, f"{tmp_path}/none")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(KitError, match="no AWS credentials were found"):
        find(Aws(REGION), "prod")


def test_clocks_are_awss_as_far_as_its_answers_tell() -> None:
    answer = {"ResponseMetadata": {"HTTPHeaders": {"date": "Thu, 26 Nov 2026 06:00:00 GMT"}}}
    assert served_at(answer) == 1_795_672_800.0
    assert served_at({"ResponseMetadata": {"HTTPHeaders": {"date": "noon"}}}) is None
    import time

    assert AwsClock(time.time() + 500).skew_s == pytest.approx(500, abs=2)
    assert AwsClock(time.time() + 1).skew_s == 0.0
    assert AwsClock(None).skew_s == 0.0
