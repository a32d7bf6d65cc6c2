"""Lambda in the local AWS: provisioned concurrency, account and quotas, and the code that each version was deployed with."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.lab.aws.local_aws import LocalAws
from infra.switching.aws.calls import Aws
from infra.switching.aws.functions import Functions
from infra.switching.aws.resources import Resources
from tests.infra.lab.aws.live_aws import REGION, local_aws, page, until

pytestmark = pytest.mark.slow

SPEED = 30.0
NAME = "search"


class Cloud:
    """A function with its alias `live`, deployed by a stack; `functions` is what the switch sees of it."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws, self.lambdas, self.stacks = aws, aws.client("lambda"), aws.client("cloudformation")
        aws.client("s3").create_bucket(Bucket="assets")
        trust: dict[str, object] = {"Version": "2012-10-17", "Statement": []}
        self.role = aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        resources = Resources(
            stage="prod",
            region=REGION,
            url="",
            rule="",
            target_groups={},
            group="",
            function=NAME,
            table="",
            parameter="",
        )
        self.functions = Functions(Aws(REGION, {"lambda": self.lambdas}), resources)

    def asset(self, text: str) -> bytes:
        """Zipped, and in the bucket under its text."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("handler.py", text)
        self.aws.client("s3").put_object(Bucket="assets", Key=f"{text}.zip", Body=buffer.getvalue())
        return buffer.getvalue()

    def template(self, code: str, *, version: str, provisioned: int = 0, reserved: int | None = None) -> str:
        function = {
            "FunctionName": NAME,
            "Handler": "handler.handler",
            "Runtime": "python3.13",
            "Role": self.role,
            "MemorySize": 1769,
            "Architectures": ["arm64"],
            "Code": {"S3Bucket": "assets", "S3Key": f"{code}.zip"},
            **({} if reserved is None else {"ReservedConcurrentExecutions": reserved}),
        }
        alias = {
            "Name": "live",
            "FunctionName": {"Ref": "Function"},
            "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
            **({"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": provisioned}} if provisioned else {}),
        }
        resources = {
            "Function": ("Function", function),
            version: ("Version", {"FunctionName": {"Ref": "Function"}}),
            "Alias": ("Alias", alias),
        }
        body = {
            name: {"Type": f"AWS::Lambda::{kind}", "Properties": properties, "DeletionPolicy": "Retain"}
            for name, (kind, properties) in resources.items()
        }
        return json.dumps({"Resources": body})

    def kept(self) -> dict[str, Any]:
        kept: dict[str, Any] = self.lambdas.get_provisioned_concurrency_config(FunctionName=NAME, Qualifier="live")
        return kept

    def ready(self, number: int | None) -> None:
        assert page(self.aws, "PUT", "environments", {f"{NAME}:live": number}) == (200, {})


@pytest.fixture(scope="module")
def deployed() -> Iterator[Cloud]:
    with local_aws(live=False, speed=SPEED) as aws:
        cloud = Cloud(aws)
        cloud.asset("first")
        cloud.stacks.create_stack(StackName="lambda", TemplateBody=cloud.template("first", version="One"))
        yield cloud


@pytest.fixture
def cloud(deployed: Cloud) -> Iterator[Cloud]:
    """With no provisioned concurrency, and nothing told of it."""
    deployed.ready(None)
    deployed.lambdas.delete_provisioned_concurrency_config(FunctionName=NAME, Qualifier="live")
    yield deployed
    page(deployed.aws, "PUT", "quotas", {"lambda-concurrency": 1_000})
    deployed.lambdas.delete_function_concurrency(FunctionName=NAME)


def test_a_function_without_any_has_the_accounts_environments(cloud: Cloud) -> None:
    assert cloud.functions.most() == cloud.functions.ready() == 1_000
    assert cloud.functions.floor() == 0
    assert cloud.functions.memory_mb() == 1_769
    with pytest.raises(ClientError) as missing:
        cloud.kept()
    assert missing.value.response["Error"]["Code"] == "ProvisionedConcurrencyConfigNotFoundException"


def test_it_is_in_progress_until_the_lab_tells_that_as_many_are_ready(cloud: Cloud) -> None:
    cloud.ready(0)
    cloud.lambdas.put_provisioned_concurrency_config(FunctionName=NAME, Qualifier="live", ProvisionedConcurrentExecutions=2)
    assert (cloud.kept()["Status"], cloud.functions.ready(), cloud.functions.floor()) == ("IN_PROGRESS", 0, 2)
    cloud.ready(2)
    assert (cloud.kept()["Status"], cloud.functions.ready()) == ("READY", 2)
    cloud.functions.raise_to(5)
    assert (cloud.functions.floor(), cloud.functions.ready()) == (5, 2)
    cloud.ready(7)
    assert cloud.kept()["AvailableProvisionedConcurrentExecutions"] == 5
    (listed,) = cloud.lambdas.list_provisioned_concurrency_configs(FunctionName=NAME)["ProvisionedConcurrencyConfigs"]
    assert listed["FunctionArn"].endswith(f":{NAME}:live")
    cloud.functions.release(0)
    assert cloud.functions.floor() == 0


def test_it_is_ready_after_a_minute_where_nobody_tells(cloud: Cloud) -> None:
    began = cloud.aws.time.now()
    cloud.lambdas.put_provisioned_concurrency_config(FunctionName=NAME, Qualifier="live", ProvisionedConcurrentExecutions=3)
    assert cloud.kept()["Status"] == "IN_PROGRESS"
    until(lambda: cloud.kept()["Status"] == "READY")
    assert cloud.aws.time.now() - began >= 60


def test_more_than_the_function_may_have_is_refused(cloud: Cloud) -> None:
    cloud.lambdas.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=10)
    assert cloud.functions.most() == 10
    for qualifier, asked in (("live", 11), ("$LATEST", 1)):
        with pytest.raises(ClientError) as refused:
            cloud.lambdas.put_provisioned_concurrency_config(
                FunctionName=NAME, Qualifier=qualifier, ProvisionedConcurrentExecutions=asked
            )
        assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_the_account_has_what_no_function_has_reserved_and_its_limit_can_be_set(cloud: Cloud) -> None:
    assert page(cloud.aws, "PUT", "quotas", {"lambda-concurrency": 400})[1]["lambda-concurrency"] == 400
    cloud.lambdas.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=50)
    limit = cloud.lambdas.get_account_settings()["AccountLimit"]
    assert (limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]) == (400, 350)


def test_vcpus_that_an_account_may_run_are_told_and_can_be_set(cloud: Cloud) -> None:
    quotas = cloud.aws.client("service-quotas")
    page(cloud.aws, "PUT", "quotas", {"vcpus-spot": 64})
    asked = [quotas.get_service_quota(ServiceCode="ec2", QuotaCode=code) for code in ("L-1216C47A", "L-34B43A08")]
    assert [each["Quota"]["Value"] for each in asked] == [640.0, 64.0]


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("environments", {"search": 1}, "search: must be function:alias, and its value a whole number not below 0, or null"),
        ("environments", {"search:live": -1}, "search:live: must be function:alias, and its value a whole number"),
        ("quotas", {"vcpus": 1}, "vcpus is no quota here; there are lambda-concurrency, vcpus-on-demand, vcpus-spot"),
        ("quotas", {"vcpus-spot": "many"}, "vcpus-spot must be a whole number, not below 0"),
    ],
)
def test_what_is_told_amiss_is_one_line(cloud: Cloud, path: str, body: Any, said: str) -> None:
    status, answer = page(cloud.aws, "PUT", path, body)
    assert status == 400
    assert answer["error"].startswith(f"/_lab/{path}: {said}")


def test_a_new_deployment_moves_the_alias_and_each_version_keeps_its_code(cloud: Cloud) -> None:
    first, second = cloud.asset("first"), cloud.asset("second")
    cloud.ready(4)
    template = cloud.template("second", version="Two", provisioned=4, reserved=20)
    cloud.stacks.update_stack(StackName="lambda", TemplateBody=template)
    assert cloud.lambdas.get_alias(FunctionName=NAME, Name="live")["FunctionVersion"] == "2"
    assert (cloud.functions.floor(), cloud.functions.most()) == (4, 20)
    for qualifier, code in (("1", first), ("live", second)):
        answer = cloud.lambdas.get_function(FunctionName=NAME, Qualifier=qualifier)
        assert answer["Configuration"]["Architectures"] == ["arm64"]
        with urllib.request.urlopen(answer["Code"]["Location"], timeout=5) as fetched:
            assert fetched.read() == code
    cloud.ready(None)
    cloud.stacks.update_stack(StackName="lambda", TemplateBody=cloud.template("second", version="Two"))
    assert cloud.functions.floor() == 0
