"""Lab time in the local AWS: the date of every answer, and `GET /_lab/time` for whoever keeps in step with it.

The CDK CLI is told the time of life: its SDK takes a date that runs away for a clock that is wrong, and tries every refused
call again and again to put it right.
"""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler

from infra.lab.aws.lab_pages import LabPages
from infra.lab.lab_time import LabTime

PAGE = "/_lab/time"
CORRECTS_ITS_CLOCK = "aws-sdk-js"


def install(lab_time: LabTime, pages: LabPages) -> None:
    def date_time_string(handler: Any, timestamp: float | None = None) -> str:
        headers = getattr(handler, "headers", None)  # there are none where the request line was wrong
        corrects = headers is not None and CORRECTS_ITS_CLOCK in headers.get("User-Agent", "")
        now = time.time() if corrects else lab_time.now()
        return formatdate(now if timestamp is None else timestamp, usegmt=True)

    setattr(MotoRequestHandler, "date_time_string", date_time_string)  # noqa: B010 - http.server asks for it by that name
    pages.add("GET", PAGE, lambda _: {"now": lab_time.now(), "speed": lab_time.speed, "origin": lab_time.origin})
