"""The Lambda lane's entry point under AWS's own runtime client: `lambda_handler.handler.handler`.

AWS's client calls it for one event at a time; our own client (`lambda_handler/runtime`) serves the same app without it.
"""

from __future__ import annotations

from typing import Any

from lambda_handler.application import adapter, bad_request, resume


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """One event of an ALB, an HTTP API (v2) or a function URL; returns that front's response object."""
    resume()
    try:
        return adapter(event, context)
    except ValueError:  # reading the event: no base64, or half a character; what the app raises never gets here
        return bad_request(event)
