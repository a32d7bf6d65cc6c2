"""Clients of AWS for what only reads it: one line for what goes wrong."""

from __future__ import annotations

import os

import pytest
from botocore import exceptions as wrong
from botocore.parsers import ResponseParserError

from infra.aws_calls import AwsClients, asked
from infra.errors import InputError, KitError
from tests.infra.switching.aws.moto_stage import refusal


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (refusal("AccessDenied", 403, "not authorized\nto do it", "GetIt"), "the figures: .*not authorized to do it"),
        (
            refusal("ExpiredTokenException"),
            "the figures: the AWS credentials have expired; renew them, as with `aws sso login`",
        ),
        (refusal("RequestExpired"), "the figures: AWS refuses what this machine's clock signs: set the clock"),
        (wrong.NoCredentialsError(), "no AWS credentials were found"),
        (wrong.EndpointConnectionError(endpoint_url="http://x"), 'the figures: Could not connect .* "http://x"'),
        (ResponseParserError("invalid XML\nreceived"), "the figures: what answers does not speak as AWS does: a proxy"),
        (wrong.ParamValidationError(report="odd"), "the figures: Parameter validation failed: odd"),
    ],
)
def test_an_error_of_aws_is_one_line_that_says_what_was_asked(error: Exception, said: str) -> None:
    with pytest.raises(KitError, match=said) as told, asked("the figures"):
        raise error
    assert "\n" not in str(told.value)


def test_a_region_or_a_profile_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    with pytest.raises(InputError, match="region: give --region, or set AWS_REGION"):
        AwsClients(None)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(InputError, match=r"AWS credentials: .*nobody"):
        AwsClients(None)


def test_an_endpoint_that_is_no_url_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    with pytest.raises(InputError, match="AWS_ENDPOINT_URL, or the profile's endpoint_url: Invalid endpoint: nonsense"):
        AwsClients("eu-west-1").client("cloudwatch")


def test_a_client_is_made_once_with_time_outs() -> None:
    aws = AwsClients("eu-west-1")
    client = aws.client("cloudwatch")
    assert aws.client("cloudwatch") is client
    assert (client.meta.config.connect_timeout, client.meta.config.read_timeout) == (3, 30)
    assert client.meta.region_name == aws.region == "eu-west-1"
