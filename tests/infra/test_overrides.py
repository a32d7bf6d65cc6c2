"""Settings as given on a command line become a validated stage, or one line that says what is wrong."""

from __future__ import annotations

import pytest

from infra.commands.settings import settings_table
from infra.config import DEFAULT_STAGE, INSTANCE_TYPES
from infra.errors import InputError
from infra.overrides import flat_keys, override, settable
from tests.conftest import ROOT


def test_nothing_given_is_the_default_stage() -> None:
    assert override({}) == DEFAULT_STAGE


def test_dotted_keys_set_nested_values_of_every_kind() -> None:
    stage = override(
        {
            "stage": "prod",
            "lambda_lane.memory_mb": "2048",
            "lambda_lane.reserved_concurrency": "50",
            "container_lane.target_utilization": "0.45",
            "container_lane.instance_types": "c7g.xlarge, m7g.xlarge",
            "traffic.lane_header": "none",
            "secret": "prod/suppliers",
        }
    )
    assert stage.name == "prod"
    assert stage.lambda_lane.memory_mb == 2048
    assert stage.lambda_lane.reserved_concurrency == 50
    assert stage.container_lane.target_utilization == 0.45
    assert stage.container_lane.instance_types == ("c7g.xlarge", "m7g.xlarge")
    assert stage.traffic.lane_header is None
    assert stage.secret == "prod/suppliers"
    assert stage.container_lane.max_instances == DEFAULT_STAGE.container_lane.max_instances


def test_values_that_json_already_parsed_are_taken() -> None:
    assert override({"lambda_lane.memory_mb": 512}).lambda_lane.memory_mb == 512


def test_an_architecture_brings_its_own_instance_types() -> None:
    assert override({"arch": "x86_64"}).container_lane.instance_types == INSTANCE_TYPES["x86_64"]
    own = override({"arch": "x86_64", "container_lane.instance_types": "c7a.large"})
    assert own.container_lane.instance_types == ("c7a.large",)


def test_every_field_of_a_stage_can_be_set() -> None:
    keys = settable()
    assert {"name", "region", "network.cidr", "traffic.certificate_arn", "container_lane.port"} <= set(keys)
    assert not [
        key
        for key in keys
        if key in ("lambda_lane", "container_lane", "network", "traffic", "search", "cache", "watch", "switch")
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"lambda_lane.memmory_mb": "1"}, "'lambda_lane.memmory_mb' is not known; did you mean 'lambda_lane.memory_mb'"),
        ({"colour": "red"}, "'colour' is not known; `crossover settings` lists them"),
        ({"lambda_lane.memory_mb": "lots"}, "'lambda_lane.memory_mb': 'lots' must be a whole number"),
        ({"container_lane.target_utilization": "half"}, "'half' must be a number"),
        ({"lambda_lane.memory_mb": "64"}, "lambda_lane.memory_mb: must be 128 to 10240"),
        ({"stage": "9lives"}, "name: '9lives' must be 1 to 32 letters"),
        ({"region": "mars"}, "region: 'mars' must be a region's code"),
        ({"python": "2.7"}, "python: '2.7', must be 3.11"),
        ({"suppliers_url": "ftp://x"}, "must be an http:// or https:// URL"),
        ({"container_lane.instance_types": "c7g.large,c7i.large"}, "are not all arm64"),
        ({"container_lane.instance_types": "c7g.large,c7g.xlarge"}, "must share one size"),
        ({"container_lane.instance_types": ""}, "name at least one type"),
        ({"network.availability_zones": "a"}, "must be two or more letters"),
        ({"network.cidr": "10.0.0.0"}, "must be an IPv4 network of /16 to /22"),
        ({"traffic.lambda_weight": "1000"}, "traffic weights: each must be 0 to 999 and not both 0"),
        ({"traffic.container_weight": "0"}, "not both 0"),
        ({"traffic.idle_timeout_s": "75"}, "must be 1 to 74, less than the service's keep-alive"),
        ({"traffic.certificate_arn": "cert"}, "must be the ARN of an ACM certificate"),
        ({"lambda_lane.log_retention_days": "13"}, "lambda_lane.log_retention_days: must be 1, 3"),
        ({"container_lane.min_instances": "0"}, "container_lane.min_instances: must be 1 to max_instances"),
        ({"secret": "my secret"}, "secret: 'my secret' must be a secret's name, or its whole ARN with the six characters"),
        ({"secret": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x"}, "must be a secret's name, or its whole ARN"),
        ({"search.ops": "yes"}, "setting 'search.ops': 'yes' must be true or false"),
        ({"search.deadline_ms": "5"}, "search.deadline_ms: must be 50 to 60000, or none"),
        ({"search.otlp_endpoint": "collector:4318"}, "search.otlp_endpoint: 'collector:4318' must be an http://"),
        ({"account": "123"}, "account: '123' must be an account's twelve digits"),
        ({"lanes": "lambda,moon"}, "lanes: 'lambda,moon' must be lambda,container, lambda or container"),
        ({"lanes": ""}, "lanes: '' must be lambda,container, lambda or container"),
        ({"lambda_lane.front": "function_url"}, "lambda_lane.front: function_url only with lanes=lambda"),
        ({"lambda_lane.front": "door"}, "lambda_lane.front: 'door', must be load_balancer, function_url or http_api"),
        (
            {"lambda_lane.managed_concurrency": "16", "lambda_lane.memory_mb": "2048"},
            "managed_concurrency: needs lambda_lane.runtime_client=asyncio",
        ),
        ({"lambda_lane.managed_concurrency": "16"}, "lambda_lane.memory_mb: must be a multiple of 2048 with managed_conc"),
        ({"lambda_lane.managed_concurrency": "16", "python": "3.12"}, "managed_concurrency: needs python 3.13 or newer"),
        ({"lambda_lane.function_url_auth": "anyone"}, "lambda_lane.function_url_auth: 'anyone', must be iam or none"),
        ({"lambda_lane.api_requests_per_s": "0"}, "lambda_lane.api_requests_per_s: must be 1 to 10000"),
        (
            {"lanes": "lambda", "lambda_lane.front": "http_api", "lambda_lane.timeout_s": "31"},
            "lambda_lane.timeout_s: must be at most 30 behind an HTTP API",
        ),
        ({"lambda_lane.snap_start": "true", "python": "3.11"}, "lambda_lane.snap_start: needs python 3.12 or newer"),
        (
            {"lambda_lane.reserved_concurrency": "5", "lambda_lane.provisioned_concurrency": "6"},
            "lambda_lane.provisioned_concurrency: must be at most reserved_concurrency",
        ),
        ({"container_lane.schedules": "6@7am"}, "container_lane.schedules: '6@7am' must be min=N@ and five cron fields"),
        ({"container_lane.schedules": "min=101@0 7 * * 1-5"}, "N at least 1 and at most max_instances"),
        ({"container_lane.schedules": "min=0@0 7 * * 1-5"}, "N at least 1 and at most max_instances"),
        ({"container_lane.schedules": "min=6@0 25 * * 1-5"}, "'min=6@0 25 * * 1-5' must be min=N@ and five cron fields"),
        ({"network.egress": "pigeon"}, "network.egress: 'pigeon', must be public, nat_gateway, nat_instance or ipv6"),
        ({"network.nat_instance_type": "small"}, "network.nat_instance_type: 'small' must be an instance type, as t4g.small"),
        ({"traffic.domain": "search.example.com"}, "traffic.domain and traffic.hosted_zone_id: give both or neither"),
        ({"traffic.lane_header": "X-Crossover-Token"}, "traffic.lane_header: x-crossover-token is the token's own header"),
        ({"traffic.waf_log_days": "30"}, "traffic.waf_log_days: must be none, or with traffic.waf=true 1, 3"),
        ({"traffic.waf_log_days": "2", "traffic.waf": "true"}, "traffic.waf_log_days: must be none, or with traffic.waf=true"),
        ({"traffic.access_log_days": "0"}, "traffic.access_log_days: must be 1 to 3650, or none"),
        ({"cache.kind": "floppy"}, "cache.kind: 'floppy', must be none, serverless or nodes"),
        ({"cache.kind": "nodes", "lanes": "lambda"}, "cache.kind: only with the container lane"),
        ({"watch.email": "ops"}, "watch.email: 'ops' must be one e-mail address"),
        ({"watch.runbooks_url": "wiki"}, "watch.runbooks_url: 'wiki' must be an http:// or https:// URL without a slash"),
        ({"watch.monthly_budget_usd": "500"}, "watch.monthly_budget_usd: needs watch.email"),
        ({"container_lane.spot_percent": "101"}, "container_lane.spot_percent: must be 0 to 100"),
    ],
)
def test_wrong_settings_say_what_and_what_would_be_right(given: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as refused:
        override(given)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["c7g.large", "m6gd.large", "c6gn.large", "x2gd.large", "im4gn.large", "is4gen.large"])
def test_graviton_types_are_arm(name: str) -> None:
    assert override({"container_lane.instance_types": name}).container_lane.instance_types == (name,)


@pytest.mark.parametrize("name", ["c7i.large", "m6a.large", "c6in.large", "g4dn.xlarge", "g5.xlarge", "i4i.large"])
def test_others_are_x86(name: str) -> None:
    assert override({"arch": "x86_64", "container_lane.instance_types": name}).architecture == "x86_64"


def test_every_setting_is_documented_as_the_command_prints_it() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    assert page.endswith("\n\n" + settings_table()), "crossover settings --markdown prints the table anew"


def test_an_empty_group_changes_nothing_and_an_empty_table_is_no_value() -> None:
    assert flat_keys({"network": {}, "region": "eu-west-1"}) == {"region": "eu-west-1"}
    with pytest.raises(InputError, match=r"lambda_lane\.memory_mb"):
        override(flat_keys({"lambda_lane": {"memory_mb": {}}}))
