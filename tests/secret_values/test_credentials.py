"""Credentials: the environment's, else the instance's role by IMDSv2; every failure says where they were looked for."""

from __future__ import annotations

import re
import time

import pytest

from secret_values.credentials import METADATA_SETTING, find_credentials
from secret_values.errors import SecretError, SettingError
from tests.secret_values.doubles import Asked, Double, Told, metadata, serving

KEYS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hush"}


def no_pause(_: float) -> None:
    pass


def on(double: Double) -> dict[str, str]:
    return {METADATA_SETTING: f"{double.url}/"}


def test_the_environments_come_first_and_ask_nobody() -> None:
    with serving(metadata) as instance:
        assert tuple(find_credentials({**KEYS, **on(instance)})) == ("AKIA", "hush", None)
        assert find_credentials({**KEYS, "AWS_SESSION_TOKEN": "t"}).token == "t"
        assert instance.asked == []


def test_else_the_instances_role_is_asked_with_a_session_token() -> None:
    with serving(metadata) as instance:
        assert tuple(find_credentials(on(instance))) == ("ASIAROLE", "role-secret", "role-token")
        assert [asked.method for asked in instance.asked] == ["PUT", "GET", "GET"]


def test_a_metadata_service_that_stumbles_is_asked_again() -> None:
    stumbles = iter([Told(503), Told(0)])
    with serving(lambda asked: next(stumbles, None) or metadata(asked)) as instance:
        assert find_credentials(on(instance), pause=no_pause).key_id == "ASIAROLE"


def test_one_that_holds_its_answer_back_is_given_up_in_seconds() -> None:
    with serving(lambda _: Told(-2)) as instance:
        started = time.monotonic()
        with pytest.raises(SecretError, match=r"there is no instance metadata service at \S+ \(no answer within 1 s\)"):
            find_credentials(on(instance), pause=no_pause)
    assert 2.5 < time.monotonic() - started < 8


@pytest.mark.parametrize(
    ("path", "told", "said"),
    [
        ("/latest/api/token", Told(403), "answered /latest/api/token with 403"),
        ("/latest/meta-data/iam/security-credentials/", Told(404), "the instance has no role; give it an instance profile"),
        ("/latest/meta-data/iam/security-credentials/crossover-instance", Told(200, b'{"Code": "Failed"}'), "has none for the"),
        ("/latest/meta-data/iam/security-credentials/crossover-instance", Told(200, b"<html>"), "has none for the"),
        ("/latest/meta-data/iam/security-credentials/", Told(200, b"\r\n"), "has none for the instance's role"),
    ],
)
def test_what_the_metadata_service_lacks_is_one_line(path: str, told: Told, said: str) -> None:
    def answer(asked: Asked) -> Told:
        return told if asked.path == path else metadata(asked)

    with serving(answer) as instance, pytest.raises(SecretError, match=re.escape(said)) as failed:
        find_credentials(on(instance), pause=no_pause)
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize(
    ("environment", "kind", "said"),
    [
        ({"AWS_ACCESS_KEY_ID": "AKIA"}, SettingError, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: set both, or neither"),
        ({**KEYS, "AWS_SECRET_ACCESS_KEY": "hush\n"}, SettingError, "must hold no space or line break"),
        ({"AWS_EC2_METADATA_DISABLED": "true"}, SecretError, "AWS_EC2_METADATA_DISABLED forbids the instance's"),
        ({METADATA_SETTING: "imds"}, SettingError, f"{METADATA_SETTING}: must be http(s)://host[:port]"),
        ({METADATA_SETTING: "http://"}, SettingError, f"{METADATA_SETTING}: must be http(s)://host[:port]"),
        ({METADATA_SETTING: "http://127.0.0.1:abc"}, SettingError, f"{METADATA_SETTING}: must be http(s)://host[:port]"),
        ({METADATA_SETTING: "http://[::1"}, SettingError, f"{METADATA_SETTING}: must be http(s)://host[:port]"),
        ({METADATA_SETTING: "http://a:hush@b"}, SettingError, "without path, query or credentials"),
        ({METADATA_SETTING: "http://a..b"}, SecretError, "(no such host); outside AWS"),
        ({METADATA_SETTING: "http://127.0.0.1:1"}, SecretError, "(the connection was refused); outside AWS"),
    ],
)
def test_no_credentials_say_what_would_be_right(environment: dict[str, str], kind: type[SecretError], said: str) -> None:
    with pytest.raises(kind, match=re.escape(said)) as failed:
        find_credentials(environment, pause=no_pause)
    assert "hush" not in str(failed.value)
