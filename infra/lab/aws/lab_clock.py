"""Lab time in the local AWS: the date of every answer, and `GET /_lab/time` for whoever keeps in step with it.

The CDK CLI is told real time: where a date has moved between two answers, the AWS SDK for JavaScript takes the caller's clock
for wrong, and asks again and again whatever was refused.
"""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler

from infra.lab.aws.lab_pages import LabPages
from infra.lab.lab_time import LabTime

PAGE = "/_lab/time"
JAVASCRIPT = "aws-sdk-js"


def install(lab_time: LabTime, pages: LabPages) -> None:
    def date_time_string(handler: Any, timestamp: float | None = None) -> str:
        if timestamp is None and JAVASCRIPT not in handler.headers.get("User-Agent", ""):
            timestamp = lab_time.now()
        return formatdate(timestamp, usegmt=True)

    setattr(MotoRequestHandler, "date_time_string", date_time_string)  # noqa: B010 - http.server asks for it by that name
    pages.add("GET", PAGE, lambda _: {"now": lab_time.now(), "speed": lab_time.speed, "origin": lab_time.origin})
