"""What each option of the Lambda lane puts into its template: fronts, runtime client, warm starts, Managed Instances."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.overrides import override
from tests.conftest import ROOT
from tests.infra.stacks.conftest import Assembly, Synthesize, unexplained_findings
from tests.infra.stacks.test_assembly import every_string
from tests.infra.stacks.test_lanes import statements

pytestmark = pytest.mark.slow  # starts Node

Make = Callable[..., Assembly]
ALONE = {"lanes": "lambda"}
URL = {**ALONE, "lambda_lane__front": "function_url"}
API = {**ALONE, "lambda_lane__front": "http_api"}
ASYNCIO = {"lambda_lane__runtime_client": "asyncio"}
MANAGED = {**ASYNCIO, "lambda_lane__managed_concurrency": 64, "lambda_lane__memory_mb": 4096}


@pytest.fixture(scope="module")
def make(synthesize: Synthesize, tiny_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """The foundation and the Lambda stack of a stage with these settings, each set once, checked against AwsSolutions."""
    from aws_cdk import App, Validations
    from cdk_nag import AwsSolutionsChecks

    from infra.components.release import Release
    from infra.stacks.foundation import FoundationStack
    from infra.stacks.lanes import LambdaStack

    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    made: dict[str, Assembly] = {}

    def run(**settings: object) -> Assembly:
        key = json.dumps(settings, sort_keys=True)
        if key not in made:
            stage = override({name.replace("__", "."): value for name, value in settings.items()})
            directory = tmp_path_factory.mktemp("cdk.out")
            release = Release(zip_path=tiny_zip, sha256="0" * 64, git_revision=None, suppliers_url=stage.suppliers_url)
            app = App(outdir=str(directory), context=context)
            foundation = FoundationStack(app, f"{stage.resource_prefix}-foundation", stage=stage)
            LambdaStack(app, f"{stage.resource_prefix}-lambda", stage=stage, release=release, network=foundation.network)
            Validations.of(app).add_plugins(AwsSolutionsChecks(app))
            app.synth()
            made[key] = Assembly(stage, directory, release.sha256)
        return made[key]

    return run


def function(assembly: Assembly) -> dict[str, Any]:
    return assembly.one("lambda", "AWS::Lambda::Function")


def permissions(assembly: Assembly) -> list[dict[str, Any]]:
    found = assembly.all("lambda", "AWS::Lambda::Permission").values()
    return sorted((body["Properties"] for body in found), key=lambda properties: str(properties["Action"]))


def kinds(assembly: Assembly) -> set[str]:
    return {body["Type"] for body in assembly.template("lambda")["Resources"].values()}


def live_alias(assembly: Assembly) -> tuple[str, dict[str, Any]]:
    ((name, alias),) = assembly.all("lambda", "AWS::Lambda::Alias").items()
    return name, alias["Properties"]


def test_by_default_nothing_is_kept_warm_reserved_or_wrapped(default: Assembly) -> None:
    found = function(default)
    assert not {"SnapStart", "ReservedConcurrentExecutions", "CapacityProviderConfig", "TracingConfig", "VpcConfig"} & set(
        found
    )
    assert not {"DeadLetterConfig", "Layers"} & set(found)
    assert "ProvisionedConcurrencyConfig" not in live_alias(default)[1]
    assert "AWS_LAMBDA_EXEC_WRAPPER" not in found["Environment"]["Variables"]
    assert "AWS::Lambda::EventInvokeConfig" not in kinds(default)


def test_logs_are_json_and_let_lines_without_a_level_through(default: Assembly) -> None:
    (log_group,) = default.all("lambda", "AWS::Logs::LogGroup")
    assert function(default)["LoggingConfig"] == {
        "ApplicationLogLevel": "INFO",
        "LogFormat": "JSON",
        "LogGroup": {"Ref": log_group},
        "SystemLogLevel": "INFO",
    }


def test_the_bundles_own_client_is_started_by_its_wrapper_script_and_nothing_else_changes(make: Make) -> None:
    plain, wrapped = function(make()), function(make(**ASYNCIO))
    variables = wrapped["Environment"]["Variables"]
    script = variables.pop("AWS_LAMBDA_EXEC_WRAPPER").removeprefix("/var/task/")
    assert variables == plain["Environment"]["Variables"]
    assert (ROOT / script).stat().st_mode & 0o111, "Lambda runs it"
    assert {name: value for name, value in wrapped.items() if name != "Environment"} == {
        name: value for name, value in plain.items() if name != "Environment"
    }


def test_provisioned_concurrency_is_the_aliases(make: Make) -> None:
    _, alias = live_alias(make(lambda_lane__provisioned_concurrency=5))
    assert alias["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": 5}


def test_snap_start_is_of_published_versions_and_keeps_no_old_one(make: Make) -> None:
    assembly = make(lambda_lane__snap_start=True)
    assert function(assembly)["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    (version,) = assembly.all("lambda", "AWS::Lambda::Version").values()
    assert version.get("DeletionPolicy", "Delete") == "Delete", "each is billed for its snapshot"


def test_the_functions_disk_is_in_the_template_where_it_is_billed(make: Make) -> None:
    assert "EphemeralStorage" not in function(make())
    assert function(make(lambda_lane__ephemeral_mb=2048))["EphemeralStorage"] == {"Size": 2048}


@pytest.mark.parametrize("settings", [URL, API])
def test_another_front_takes_the_load_balancers_place(make: Make, settings: dict[str, object]) -> None:
    assembly = make(**settings)
    assert "AWS::ElasticLoadBalancingV2::TargetGroup" not in kinds(assembly)
    assert "elasticloadbalancing.amazonaws.com" not in every_string(assembly.template("lambda"))
    assert {"FunctionName", "Url"} <= set(assembly.template("lambda")["Outputs"])


def test_function_url_is_for_signed_requests_of_the_aliases_invokers(make: Make) -> None:
    assembly = make(**URL)
    url = assembly.one("lambda", "AWS::Lambda::Url")
    assert (url["AuthType"], url["InvokeMode"], url["Qualifier"]) == ("AWS_IAM", "BUFFERED", "live")
    assert "AWS::Lambda::Permission" not in kinds(assembly), "nobody is let in who has no permission of their own"


def test_public_function_url_grants_both_actions_and_invoking_through_the_url_alone(make: Make) -> None:
    assembly = make(**URL, lambda_lane__function_url_auth="none")
    assert assembly.one("lambda", "AWS::Lambda::Url")["AuthType"] == "NONE"
    invoke, invoke_url = permissions(assembly)
    assert (invoke["Action"], invoke["Principal"], invoke["InvokedViaFunctionUrl"]) == ("lambda:InvokeFunction", "*", True)
    assert (invoke_url["Action"], invoke_url["Principal"]) == ("lambda:InvokeFunctionUrl", "*")
    assert invoke_url["FunctionUrlAuthType"] == "NONE"
    assert invoke["FunctionName"] == invoke_url["FunctionName"] == {"Ref": live_alias(assembly)[0]}


def test_http_api_hands_everything_to_the_alias_at_a_limited_rate(make: Make) -> None:
    assembly = make(**API, lambda_lane__api_requests_per_s=50)
    alias, _ = live_alias(assembly)
    integration = assembly.one("lambda", "AWS::ApiGatewayV2::Integration")
    assert (integration["IntegrationType"], integration["PayloadFormatVersion"]) == ("AWS_PROXY", "2.0")
    assert integration["IntegrationUri"] == {"Ref": alias}
    assert assembly.one("lambda", "AWS::ApiGatewayV2::Route")["RouteKey"] == "$default"
    stage = assembly.one("lambda", "AWS::ApiGatewayV2::Stage")
    assert stage["DefaultRouteSettings"] == {"ThrottlingBurstLimit": 50, "ThrottlingRateLimit": 50}
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    ((permission),) = permissions(assembly)
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert every_string(permission["SourceArn"])[-1] == "/*"


def test_http_apis_access_logs_are_json_without_what_was_searched_for(make: Make) -> None:
    assembly = make(**API)
    settings = assembly.one("lambda", "AWS::ApiGatewayV2::Stage")["AccessLogSettings"]
    fields = json.loads(settings["Format"])
    assert fields["status"] == "$context.status"
    assert not [value for value in fields.values() if "query" in value.lower()]
    (logs,) = [name for name in assembly.all("lambda", "AWS::Logs::LogGroup") if "AccessLogs" in name]
    assert logs in every_string(settings["DestinationArn"])


def test_managed_instances_carry_the_published_version(make: Make) -> None:
    assembly = make(**MANAGED)
    ((provider, _),) = assembly.all("lambda", "AWS::Lambda::CapacityProvider").items()
    assert function(assembly)["CapacityProviderConfig"]["LambdaManagedInstancesCapacityProviderConfig"] == {
        "CapacityProviderArn": {"Fn::GetAtt": [provider, "Arn"]},
        "ExecutionEnvironmentMemoryGiBPerVCpu": 2,
        "PerExecutionEnvironmentMaxConcurrency": 64,
    }
    assert function(assembly)["PublishToLatestPublished"] is False
    assert function(assembly)["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] == "/var/task/lambda_handler/start"
    ((name, version),) = assembly.all("lambda", "AWS::Lambda::Version").items()
    assert version["Properties"]["FunctionScalingConfig"] == {"MaxExecutionEnvironments": 30, "MinExecutionEnvironments": 3}
    assert version.get("DeletionPolicy", "Delete") == "Delete", "an old version would keep instances running"
    assert live_alias(assembly)[1]["FunctionVersion"] == {"Fn::GetAtt": [name, "Version"]}
    assert assembly.one("lambda", "AWS::ElasticLoadBalancingV2::TargetGroup")["TargetType"] == "lambda"


def test_managed_instances_stand_in_the_stages_subnets_behind_closed_doors(make: Make) -> None:
    assembly = make(**MANAGED)
    provider = assembly.one("lambda", "AWS::Lambda::CapacityProvider")
    assert len(provider["VpcConfig"]["SubnetIds"]) == 2
    assert provider["InstanceRequirements"] == {"Architectures": ["arm64"]}
    assert provider["CapacityProviderScalingConfig"]["MaxVCpuCount"] == 60
    ((name, group),) = assembly.all("lambda", "AWS::EC2::SecurityGroup").items()
    assert provider["VpcConfig"]["SecurityGroupIds"] == [{"Fn::GetAtt": [name, "GroupId"]}]
    assert "SecurityGroupIngress" not in group["Properties"]
    assert [rule["FromPort"] for rule in group["Properties"]["SecurityGroupEgress"]] == [443]
    roles = {name: body["Properties"] for name, body in assembly.all("lambda", "AWS::IAM::Role").items()}
    (operator,) = [role for name, role in roles.items() if "Operator" in name]
    assert every_string(operator["ManagedPolicyArns"])[-1] == ":iam::aws:policy/AWSLambdaManagedEC2ResourceOperator"
    assert operator["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}
    (own,) = statements(assembly, "lambda")
    assert own["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]


def test_a_function_that_moves_to_managed_instances_is_another_one(make: Make) -> None:
    assert set(make(**MANAGED).all("lambda", "AWS::Lambda::Function")).isdisjoint(make().all("lambda", "AWS::Lambda::Function"))


def test_cfn_lint_finds_nothing_unexplained_in_any_option(make: Make) -> None:
    public = {**URL, "lambda_lane__function_url_auth": "none"}
    options = [make(**settings) for settings in (URL, public, API, MANAGED, {**ASYNCIO, "lambda_lane__snap_start": True})]
    assert unexplained_findings(*options, stack="lambda") == []


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        (API, "AwsSolutions-APIG4"),
        (MANAGED, "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AWSLambdaManagedEC2ResourceOperator]"),
    ],
)
def test_each_option_has_a_reason_for_its_one_finding(
    make: Make, settings: dict[str, object], rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("lambda_front", "managed_capacity"):
        monkeypatch.setattr(f"infra.components.{module}.acknowledge", lambda *_: None)
    with pytest.raises(RuntimeError, match="AwsSolutions") as refused:
        make(**settings, stage="refused")
    report = json.loads(Path(str(refused.value).rpartition(": ")[2]).read_text())
    (nag,) = [plugin for plugin in report["pluginReports"] if plugin["pluginName"] == "AwsSolutions"]
    assert [violation["ruleName"] for violation in nag["violations"]] == [rule]
