"""The secret is read from a real Secrets Manager (moto's), and each failure is one line that holds nothing secret."""

from __future__ import annotations

import json
import re
import socketserver
import ssl
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.certificates import make_certificates
from secret_values.errors import SecretError, SettingError
from secret_values.fetch import fetch, fill, locate
from tests.conftest import ROOT
from tests.secret_values.doubles import REGION, Asked, Cloud, Told, metadata, serving

ARN = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:prod/suppliers-AbCdEf"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "never-shown", "AWS_SESSION_TOKEN": "never-shown-either"}
VALUES = {"RAPID_KEY": "k-1", "RAPID_SECRET": 'a "b" \\ $c\n'}


def no_pause(_: float) -> None:
    pass


def new_name() -> str:
    return f"suppliers/{uuid.uuid4().hex}"


def holding(values: object) -> Told:
    return Told(200, json.dumps({"Name": "s", "SecretString": json.dumps(values)}).encode())


def failing(code: str, status: int = 400, message: str = "hush") -> Told:
    return Told(status, json.dumps({"__type": code, "Message": message}).encode(), {"x-amzn-errortype": f"{code}:"})


def fetch_from(answer: Callable[[Asked], Told], tls: ssl.SSLContext | None = None) -> dict[str, str]:
    with serving(answer, tls) as manager:
        environment = {"CROSSOVER_SECRET": "s", "AWS_REGION": REGION, "AWS_ENDPOINT_URL": manager.url, **KEYS}
        return fetch(environment, pause=no_pause)


def test_the_values_are_read_by_name_and_by_arn(cloud: Cloud) -> None:
    name = new_name()
    arn = cloud.create(name, VALUES)
    assert fetch(cloud.environment(name)) == VALUES
    assert fetch(cloud.environment(arn, AWS_REGION="us-west-2")) == VALUES, "an ARN names its own region"


def test_an_instance_reads_it_with_its_role(cloud: Cloud) -> None:
    name = new_name()
    cloud.create(name, VALUES)
    with serving(metadata) as instance:
        environment = cloud.environment(name, AWS_EC2_METADATA_SERVICE_ENDPOINT=instance.url)
        del environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
        assert fetch(environment) == VALUES


def test_a_secret_that_is_not_there_is_one_line(cloud: Cloud) -> None:
    with pytest.raises(SecretError) as failed:
        fetch(cloud.environment("nowhere"))
    assert str(failed.value) == (
        "CROSSOVER_SECRET: secret 'nowhere' in eu-west-1: there is no such secret there, or it has no current value;"
        " create it, or set CROSSOVER_SECRET to its name or ARN"
    )


def test_a_secret_that_is_to_be_deleted_is_one_line(cloud: Cloud) -> None:
    name = new_name()
    cloud.create(name, VALUES)
    cloud.client.delete_secret(SecretId=name)
    with pytest.raises(SecretError, match="it may be scheduled for deletion"):
        fetch(cloud.environment(name))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"hush", "is binary (SecretBinary); store a JSON object of text values as SecretString"),
        ("hush", "is not a JSON object of text values, such as"),
        (["hush"], "is not a JSON object of text values"),
        ({"PORT": 5432}, 'PORT: must be text in quotes, such as "8"; it is a number'),
        ({"A": "x", "hush-hush": "x"}, "name 2 of 2 must be letters, digits and underscores, no digit first"),
        ({"A": {"hush": "hush"}}, "A: must be text in quotes"),
        ({"A": None}, "it is null"),
        (
            {"LD_PRELOAD": "hush"},
            "LD_PRELOAD is not for a secret to set, as is all that begins with AWS_, LAMBDA_, LD_, PYTHON",
        ),
        ({"A": "hush\0"}, "A: holds a character that no variable can hold"),
        ({"A": "hush\ud800"}, "A: holds a character that no variable can hold"),
        ({"A": "hush\U0001ffff"}, "A: holds a character that no variable can hold"),
    ],
)
def test_a_secret_that_is_no_object_of_text_is_one_line_without_its_values(cloud: Cloud, value: object, said: str) -> None:
    name = new_name()
    cloud.create(name, value)
    with pytest.raises(SecretError, match=re.escape(said)) as failed:
        fetch(cloud.environment(name))
    assert str(failed.value).startswith(f"CROSSOVER_SECRET: secret {name!r} in eu-west-1: ")
    assert not re.search("hush|5432|\n", str(failed.value))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (failing("AccessDeniedException"), "access denied; the role needs secretsmanager:GetSecretValue on it"),
        (failing("DecryptionFailure"), "allow kms:Decrypt"),
        (failing("ExpiredTokenException"), "the credentials are refused (ExpiredTokenException)"),
        (failing("InvalidSignatureException"), "this machine's clock is wrong"),
        (failing("SomethingNewException"), "Secrets Manager answered 400 (SomethingNewException)"),
        (failing("hush hush"), "Secrets Manager answered 400"),
        (Told(403, b"<hush>"), "Secrets Manager answered 403"),
        (Told(200, b"<hush>"), "did not answer as Secrets Manager does"),
        (Told(200, b"[]"), "did not answer as Secrets Manager does"),
        (Told(500, b"hush"), "Secrets Manager answered 500"),
        (failing("ThrottlingException"), "Secrets Manager answered 400 (ThrottlingException)"),
        (Told(0), "cannot be asked: the connection failed"),
        (Told(200, b"x" * 2_000_000), "cannot be asked: no whole HTTP answer"),
    ],
)
def test_each_refusal_names_the_secret_and_what_would_be_right(told: Told, said: str) -> None:
    with pytest.raises(SecretError, match=re.escape(said)) as failed:
        fetch_from(lambda _: told)
    assert str(failed.value).startswith("CROSSOVER_SECRET: secret 's' in eu-west-1: ")
    assert failed.value.exit_code == 1
    assert not re.search("hush|never-shown|AKIATEST|\n", str(failed.value))


@pytest.mark.parametrize("first", [failing("ThrottlingException"), Told(429), Told(500), Told(503), Told(0)])
def test_a_passing_failure_is_tried_twice_more(first: Told) -> None:
    answers = iter([first, first])
    assert fetch_from(lambda _: next(answers, None) or holding(VALUES)) == VALUES


def test_a_refusal_is_not_tried_again() -> None:
    asked: list[Asked] = []

    def answer(request: Asked) -> Told:
        asked.append(request)
        return failing("AccessDeniedException")

    with pytest.raises(SecretError):
        fetch_from(answer)
    (only,) = asked
    assert (only.method, only.path, json.loads(only.body)) == ("POST", "/", {"SecretId": "s"})
    assert only.headers["x-amz-target"] == "secretsmanager.GetSecretValue"
    assert only.headers["x-amz-security-token"] == "never-shown-either"


def test_a_certificate_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = make_certificates(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(authority.with_name("server.pem"), authority.with_name("server.key"))
    monkeypatch.setattr(socketserver.BaseServer, "handle_error", lambda *_: None)  # of the handshake that we break off
    with pytest.raises(SecretError, match="cannot be asked: its certificate is not valid for this name"):
        fetch_from(lambda _: holding(VALUES), server)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    assert fetch_from(lambda _: holding(VALUES), server) == VALUES


def test_an_address_where_nobody_listens_is_one_line() -> None:
    with pytest.raises(SecretError, match=r"http://127\.0\.0\.1:1/ cannot be asked: the connection was refused"):
        fetch({"CROSSOVER_SECRET": "s", "AWS_REGION": REGION, "AWS_ENDPOINT_URL": "http://127.0.0.1:1", **KEYS}, pause=no_pause)


def test_a_name_that_no_host_can_have_is_one_line() -> None:
    with pytest.raises(SecretError, match=r"http://a\.\.b/ cannot be asked: no such host"):
        fetch({"CROSSOVER_SECRET": "s", "AWS_REGION": REGION, "AWS_ENDPOINT_URL": "http://a..b", **KEYS}, pause=no_pause)


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({"CROSSOVER_SECRET": "s", "AWS_REGION": "us-east-1"}, "https://secretsmanager.us-east-1.amazonaws.com/"),
        ({"CROSSOVER_SECRET": "s", "AWS_DEFAULT_REGION": "cn-north-1"}, "https://secretsmanager.cn-north-1.amazonaws.com.cn/"),
        ({"CROSSOVER_SECRET": ARN, "AWS_REGION": "us-east-1"}, "https://secretsmanager.eu-west-1.amazonaws.com/"),
        (
            {
                "CROSSOVER_SECRET": ARN,
                "AWS_ENDPOINT_URL_SECRETS_MANAGER": "https://vpce.example.com",
                "AWS_ENDPOINT_URL": "http://x",
            },
            "https://vpce.example.com/",
        ),
        ({"CROSSOVER_SECRET": ARN, "AWS_ENDPOINT_URL": "http://localhost:5000/"}, "http://localhost:5000/"),
    ],
)
def test_it_is_asked_where_the_region_or_the_endpoint_says(environment: dict[str, str], url: str) -> None:
    assert [location.url for location in locate(environment)] == [url]


def test_several_secrets_are_read_each_where_it_is(cloud: Cloud) -> None:
    first, second = new_name(), new_name()
    cloud.create(first, VALUES)
    arn = cloud.create(second, {"CACHE_PASSWORD": "x"})
    assert fetch(cloud.environment(f"{first}, {arn}")) == {**VALUES, "CACHE_PASSWORD": "x"}
    locations = locate({"CROSSOVER_SECRET": f"s,{ARN}", "AWS_REGION": "us-east-1"})
    assert [location.region for location in locations] == ["us-east-1", "eu-west-1"]


def test_a_variable_in_two_secrets_is_refused_by_its_name_alone(cloud: Cloud) -> None:
    first, second = new_name(), new_name()
    cloud.create(first, {"TOKEN": "hush"})
    cloud.create(second, {"OTHER": "hush", "TOKEN": "hush"})
    said = f"secret '{second}' in {REGION}: TOKEN is in a secret named before it too"
    with pytest.raises(SecretError, match=re.escape(said)) as failed:
        fetch(cloud.environment(f"{first},{second}"))
    assert "hush" not in str(failed.value)


def test_one_of_several_that_cannot_be_read_is_named(cloud: Cloud) -> None:
    name = new_name()
    cloud.create(name, VALUES)
    with pytest.raises(SecretError, match=r"secret 'nowhere' in .*no such secret"):
        fetch(cloud.environment(f"{name},nowhere"))


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "CROSSOVER_SECRET: is not set; it is a secret's name, or its ARN"),
        ({"CROSSOVER_SECRET": "a b"}, "CROSSOVER_SECRET: 'a b' must be a secret's name, or its ARN"),
        ({"CROSSOVER_SECRET": "s,", "AWS_REGION": "x"}, "CROSSOVER_SECRET: '' must be a secret's name, or its ARN"),
        ({"CROSSOVER_SECRET": "arn:aws:s3:::bucket"}, "must be a secret's name, or its ARN"),
        ({"CROSSOVER_SECRET": "s"}, "in which region? Set AWS_REGION, such as us-east-1, or give the secret's ARN"),
        ({"CROSSOVER_SECRET": ARN, "AWS_ENDPOINT_URL": "x"}, "AWS_ENDPOINT_URL: must be http(s)://host[:port]"),
        ({"CROSSOVER_SECRET": ARN, "AWS_ENDPOINT_URL": "http://a:hush@b"}, "without path, query or credentials"),
        ({"CROSSOVER_SECRET": ARN, "AWS_ENDPOINT_URL": "http://b:99999"}, "must be http(s)://host[:port]"),
        ({"CROSSOVER_SECRET": ARN, "AWS_ENDPOINT_URL": "http://b:0"}, "must be http(s)://host[:port]"),
        ({"CROSSOVER_SECRET": ARN, "AWS_ENDPOINT_URL": "http://@b"}, "must be http(s)://host[:port]"),
    ],
)
def test_a_wrong_setting_is_one_line_and_a_usage_error(environment: dict[str, str], said: str) -> None:
    with pytest.raises(SettingError, match=re.escape(said)) as failed:
        fetch(environment)
    assert failed.value.exit_code == 2
    assert not re.search("hush|\n", str(failed.value))


def test_what_the_environment_sets_wins(cloud: Cloud) -> None:
    name = new_name()
    cloud.create(name, {"RAPID_KEY": "secret's", "RAPID_SECRET": "secret's", "EMPTY": "secret's"})
    environment = cloud.environment(name, RAPID_KEY="own", EMPTY="")
    fill(environment)
    assert (environment["RAPID_KEY"], environment["RAPID_SECRET"], environment["EMPTY"]) == ("own", "secret's", "")


def test_reading_a_secret_imports_no_library() -> None:
    unwanted = ("httpx", "msgspec", "boto3", "botocore", "asyncio", "argparse", "app")
    code = f"import secret_values.fetch, sys; print([name for name in {unwanted} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
