"""Where credentials come from: the environment, as Lambda sets it; else the instance's role, over IMDSv2.

Source: Amazon EC2 User Guide, "Use the Instance Metadata Service" and "Retrieve security credentials from instance metadata".
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping

from secret_values.endpoints import read_endpoint
from secret_values.errors import SecretError, SettingError
from secret_values.exchange import Answer, Request, Unanswered, send
from secret_values.signing import Credentials

METADATA_SETTING = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
METADATA_URL = "http://169.254.169.254"
METADATA_TIMEOUT_S = 1.0
SESSION_S = "60"
ROLES = "/latest/meta-data/iam/security-credentials/"


def find_credentials(environment: Mapping[str, str], *, pause: Callable[[float], None] = time.sleep) -> Credentials:
    """Raises `SecretError` saying where they were looked for. `AWS_EC2_METADATA_SERVICE_ENDPOINT` and
    `AWS_EC2_METADATA_DISABLED` mean what they mean to AWS's own tools."""
    key_id, secret_key = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if key_id and secret_key:
        credentials = Credentials(key_id, secret_key, environment.get("AWS_SESSION_TOKEN") or None)
        if not _can_be_sent(credentials):
            raise SettingError(
                "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN: must hold no space or line break"
            )
        return credentials
    if key_id or secret_key:
        raise SettingError("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: set both, or neither to use the instance's role")
    if environment.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        raise SecretError("no credentials: AWS_ACCESS_KEY_ID is not set, and AWS_EC2_METADATA_DISABLED forbids the instance's")
    url = read_endpoint(METADATA_SETTING, environment.get(METADATA_SETTING) or METADATA_URL)
    return _Instance(url.rstrip("/"), pause).credentials()


class _Instance:
    """The metadata service of the instance that this runs on."""

    def __init__(self, url: str, pause: Callable[[float], None]) -> None:
        self._url = url
        self._pause = pause

    def credentials(self) -> Credentials:
        token = self._ask("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": SESSION_S})
        headers = {"X-aws-ec2-metadata-token": _word(token)}
        role = _word(self._ask("GET", ROLES, headers))
        try:
            found = json.loads(self._ask("GET", ROLES + role, headers).body)
            credentials = Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["Token"])
        except (ValueError, KeyError, TypeError):
            credentials = None
        if credentials is None or not _can_be_sent(credentials):
            raise SecretError(f"no credentials: the metadata service at {self._url} has none for the instance's role")
        return credentials

    def _ask(self, method: str, path: str, headers: Mapping[str, str]) -> Answer:
        request = Request(method, self._url + path, headers)
        try:
            answer = send(lambda: request, timeout_s=METADATA_TIMEOUT_S, pause=self._pause)
        except Unanswered as error:
            raise SecretError(
                "no credentials: AWS_ACCESS_KEY_ID is not set, and there is no instance metadata service"
                f" at {self._url} ({error}); outside AWS, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            ) from None
        if answer.status == 404 and path == ROLES:
            raise SecretError("no credentials: the instance has no role; give it an instance profile, or set AWS_ACCESS_KEY_ID")
        if answer.status != 200:
            asked = ROLES if path.startswith(ROLES) else path
            raise SecretError(f"no credentials: the metadata service at {self._url} answered {asked} with {answer.status}")
        return answer


def _word(answer: Answer) -> str:
    """The first word of an answer: a token, or the name of the one role that an instance has."""
    words: list[str] = re.findall("[!-~]+", answer.body.decode("latin-1"))
    return words[0] if words else ""


def _can_be_sent(credentials: Credentials) -> bool:
    """Whether each part fits into a header: an HTTP library that refuses one would repeat it in its error."""
    return all(part is None or (isinstance(part, str) and re.fullmatch("[!-~]+", part)) for part in credentials)
