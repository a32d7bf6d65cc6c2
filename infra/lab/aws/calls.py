"""Logs each call with who made it, so that permissions can be compared with what was really called."""

from __future__ import annotations

import logging
import re
from typing import Any

from moto.core.authorization import ActionAuthenticatorMixin


def log_call(response: Any, *_: Any) -> None:
    """In place of moto's check of permissions, of which IAM's resources are no part."""
    scope = re.search(r"Credential=([^/]+)/[^/]+/[^/]+/([^/]+)/", response.headers.get("Authorization", ""))
    key, service = scope.groups() if scope else ("nobody", "none")
    logging.info("called %s:%s with %s on %s", service, response._get_action(), key, response.data.get("RoleArn", "-"))


def install() -> None:
    setattr(ActionAuthenticatorMixin, "_authenticate_and_authorize_action", log_call)  # noqa: B010
