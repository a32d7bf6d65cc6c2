"""Lab time in the local AWS: the date of every answer, and `GET /_lab/time` for whoever keeps in step with it."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler

from infra.lab.aws.lab_pages import LabPages
from infra.lab.lab_time import LabTime

PAGE = "/_lab/time"


def install(lab_time: LabTime, pages: LabPages) -> None:
    def date_time_string(_: Any, timestamp: float | None = None) -> str:
        return formatdate(lab_time.now() if timestamp is None else timestamp, usegmt=True)

    setattr(MotoRequestHandler, "date_time_string", date_time_string)  # noqa: B010 - http.server asks for it by that name
    pages.add("GET", PAGE, lambda _: {"now": lab_time.now(), "speed": lab_time.speed, "origin": lab_time.origin})
