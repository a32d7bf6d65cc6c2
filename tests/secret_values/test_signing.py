"""Signatures are botocore's to the letter, for keys that stay and keys that pass."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from secret_values.exchange import Request
from secret_values.signing import Credentials, signed

AT = datetime(2027, 3, 1, 9, 5, 7, tzinfo=UTC)
TARGET = {"X-Amz-Target": "secretsmanager.GetSecretValue", "Content-Type": "application/x-amz-json-1.1"}


def by_botocore(request: Request, credentials: Credentials, region: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What botocore's signer adds, its clock held at `AT`."""
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda remove_tzinfo=True: AT.replace(tzinfo=None))
    made = AWSRequest(method=request.method, url=request.url, headers=dict(request.headers), data=request.body)
    SigV4Auth(BotocoreCredentials(*credentials), "secretsmanager", region).add_auth(made)
    return dict(made.headers.items())


@pytest.mark.parametrize("token", [None, "IQoJb3JpZ2luX2VjE/+=="])
@pytest.mark.parametrize(
    ("request_", "region"),
    [
        (Request("POST", "https://secretsmanager.us-east-1.amazonaws.com/", TARGET, b'{"SecretId": "a/b"}'), "us-east-1"),
        (Request("POST", "http://localhost:5000/", TARGET, b'{"SecretId": "x"}'), "eu-west-1"),
        (Request("POST", "https://vpce-0a1b.secretsmanager.eu-central-1.vpce.amazonaws.com/", TARGET, b""), "eu-central-1"),
        (Request("POST", "https://example.com/a path/~x", {"x-spaced": "  a   b "}, "é".encode()), "cn-north-1"),
        (Request("GET", "https://example.com", {"B": "2", "a": "1"}), "us-gov-west-1"),
    ],
)
def test_it_signs_as_botocore_does(request_: Request, region: str, token: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)
    expected = by_botocore(request_, credentials, region, monkeypatch)
    ours = signed(request_, credentials, region=region, service="secretsmanager", at=AT).headers
    for name in ("Authorization", "X-Amz-Date"):
        assert ours[name] == expected[name]
    assert ours.get("X-Amz-Security-Token") == expected.get("X-Amz-Security-Token") == token


def test_nothing_of_a_key_is_shown() -> None:
    credentials = Credentials("AKIDEXAMPLE", "hush", "token")
    request = signed(Request("POST", "http://x/", TARGET), credentials, region="r", service="s", at=AT)
    assert repr(credentials) == "Credentials(…)"
    assert repr(request) == "Request('POST', 'http://x/')"
