"""Asks AWS Secrets Manager for the secrets: one signed `GetSecretValue` each, and one clear line for each way it can fail.

Sources: AWS Secrets Manager API Reference, `GetSecretValue`; AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import NamedTuple

from secret_values.credentials import find_credentials
from secret_values.endpoints import read_endpoint
from secret_values.errors import SecretError, SettingError
from secret_values.exchange import Answer, Request, Unanswered, send
from secret_values.signing import Credentials, signed
from secret_values.values import read_values, unset_ones

SETTING = "CROSSOVER_SECRET"
TIMEOUT_S = 2.0
ENDPOINTS = ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL")
_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):\d{12}:secret:[A-Za-z0-9/_+=.@-]{1,519}")
_THROTTLED = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"})
_REFUSED = "the credentials are refused ({code}); they may have expired, be another account's, or this machine's clock is wrong"
_FAILURES = {
    "AccessDeniedException": "access denied; the role needs secretsmanager:GetSecretValue on it"
    " (and kms:Decrypt on its key, where that is not the account's aws/secretsmanager)",
    "ResourceNotFoundException": "there is no such secret there, or it has no current value;"
    " create it, or set CROSSOVER_SECRET to its name or ARN",
    "InvalidRequestException": "it cannot be read in its state; it may be scheduled for deletion",
    "InvalidParameterException": "Secrets Manager takes this for no name or ARN of a secret",
    "DecryptionFailure": "its KMS key cannot decrypt it; the key must be enabled and allow kms:Decrypt to the role",
    "UnrecognizedClientException": _REFUSED,
    "InvalidClientTokenId": _REFUSED,
    "ExpiredTokenException": _REFUSED,
    "InvalidSignatureException": _REFUSED,
    "SignatureDoesNotMatch": _REFUSED,
    "IncompleteSignature": _REFUSED,
}


class Location(NamedTuple):
    """Which secret, in which region, asked for at which URL."""

    secret: str
    region: str
    url: str

    def __str__(self) -> str:
        return f"{SETTING}: secret {self.secret!r} in {self.region}"


def fill(environment: MutableMapping[str, str]) -> None:
    """Put the secrets' values into `environment`, where it does not set them already. Raises `SecretError`."""
    environment.update(unset_ones(fetch(environment), environment))


def fetch(environment: Mapping[str, str], *, pause: Callable[[float], None] = time.sleep) -> dict[str, str]:
    """The values of the secrets that `CROSSOVER_SECRET` names, each variable from one of them. Raises `SecretError`."""
    locations = locate(environment)
    try:
        credentials = find_credentials(environment, pause=pause)
    except SecretError as error:
        raise type(error)(f"{locations[0]}: {error}") from None
    values: dict[str, str] = {}
    for location in locations:
        found = _values_at(location, credentials, pause)
        for name in sorted(values.keys() & found.keys()):
            raise SecretError(f"{location}: {name} is in a secret named before it too; keep it in one of them")
        values |= found
    return values


def _values_at(location: Location, credentials: Credentials, pause: Callable[[float], None]) -> dict[str, str]:
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "secretsmanager.GetSecretValue"}
    request = Request("POST", location.url, headers, json.dumps({"SecretId": location.secret}).encode())

    def signed_now() -> Request:
        return signed(request, credentials, region=location.region, service="secretsmanager", at=datetime.now(UTC))

    try:
        answer = send(signed_now, timeout_s=TIMEOUT_S, passing=_is_passing, pause=pause)
    except Unanswered as error:
        raise SecretError(f"{location}: {location.url} cannot be asked: {error}") from None
    return read_values(str(location), _secret_string(location, answer))


def locate(environment: Mapping[str, str]) -> list[Location]:
    """Read the variables that say where the secrets are, one or several with commas between them; raises `SettingError`. An ARN
    names its own region."""
    return [_locate(secret.strip(), environment) for secret in environment.get(SETTING, "").split(",")]


def _locate(secret: str, environment: Mapping[str, str]) -> Location:
    arn = _ARN.fullmatch(secret)
    if not arn and not _NAME.fullmatch(secret):
        said = f"{secret!r} must be" if secret or environment.get(SETTING) else "is not set; it is"
        raise SettingError(
            f"{SETTING}: {said} a secret's name, or its ARN as arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME"
        )
    region = arn[1] if arn else environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or ""
    if not re.fullmatch(r"[a-z0-9-]+", region):
        raise SettingError(f"{SETTING}: in which region? Set AWS_REGION, such as us-east-1, or give the secret's ARN")
    given = next((name for name in ENDPOINTS if environment.get(name)), None)
    if given is None:
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        return Location(secret, region, f"https://secretsmanager.{region}.{domain}/")
    return Location(secret, region, read_endpoint(given, environment[given]))


def _code(answer: Answer) -> str:
    """The error's type, as AWS's JSON protocol names it; empty where it is anything but a name."""
    try:
        stated = json.loads(answer.body).get("__type", "")
    except (ValueError, AttributeError, RecursionError):
        stated = ""
    said = answer.headers.get("x-amzn-errortype") or stated
    code = str(said).partition(":")[0].rpartition("#")[2]
    return code if re.fullmatch(r"[A-Za-z]{1,64}", code) else ""


def _is_passing(answer: Answer) -> bool:
    return answer.status >= 500 or answer.status == 429 or _code(answer) in _THROTTLED


def _secret_string(location: Location, answer: Answer) -> object:
    if answer.status != 200:
        code = _code(answer)
        known = _FAILURES.get(code, "Secrets Manager answered {status}" + (" ({code})" if code else ""))
        raise SecretError(f"{location}: {known.format(code=code, status=answer.status)}")
    try:
        stated = json.loads(answer.body)
        return stated.get("SecretString")
    except (ValueError, AttributeError, RecursionError):
        raise SecretError(f"{location}: {location.url} did not answer as Secrets Manager does") from None
