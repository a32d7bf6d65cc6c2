"""Faults of the AWS API: calls that are throttled, fail, are never answered, or are carried out and never answered.

`POST /_lab/faults` adds one, `GET` lists them, `DELETE` takes them all away, or with `{"id": n}` one. A fault is

    action   as IAM has it, with wildcards: `elasticloadbalancing:ModifyRule`, `cloudwatch:*`; `*` is every call
    kind     throttle, error: answered so, not carried out      slow: answered `delay_s` later
             refuse: closed without an answer, not carried out  timeout: so too, after `delay_s`
             after: carried out, then closed without an answer
    times    how many calls it strikes, the client's own retries among them; null: all
    delay_s  seconds as the caller's clock counts them, for slow and timeout
    key      access key, with wildcards; null: everyone's. A person's network is dropped by refusing their key `*`
    code, status, message   for error: another one than the service's internal failure, as ExpiredToken with 400
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

import msgspec
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

from infra.errors import InputError
from infra.lab.aws.api_call import ApiCall, identify
from infra.lab.aws.api_errors import FAILURE, THROTTLING, ApiError, answer, usual
from infra.lab.aws.lab_pages import LabPages

PAGE = "/_lab/faults"
KINDS = ("throttle", "error", "timeout", "refuse", "slow", "after")
DELAYS_S = {"slow": 1.0, "timeout": 60.0}
"""Where a fault names none; a client that waits in vain gives up before."""


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fault as it is asked for."""

    action: str
    kind: str
    times: int | None = None
    delay_s: float | None = None
    key: str | None = None
    code: str | None = None
    status: int | None = None
    message: str | None = None


@dataclass(slots=True)
class Fault:
    """`struck` counts the calls it has struck; `over` is set when it is taken away, which ends what waits in it."""

    id: int
    told: Told
    struck: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def matches(self, call: ApiCall) -> bool:
        if self.told.times is not None and self.struck >= self.told.times:
            return False
        return fnmatchcase(call.name, self.told.action) and fnmatchcase(call.key, self.told.key or "*")

    @property
    def delay_s(self) -> float:
        return self.told.delay_s if self.told.delay_s is not None else DELAYS_S.get(self.told.kind, 0.0)

    def shown(self) -> dict[str, Any]:
        return {"id": self.id, "struck": self.struck, **msgspec.to_builtins(self.told)}


class ApiFaults:
    """The first of the faults that matches a call strikes it."""

    def __init__(self) -> None:
        self._faults: dict[int, Fault] = {}
        self._made = 0
        self._lock = threading.Lock()

    def add(self, told: Any) -> dict[str, Any]:
        try:
            asked = msgspec.convert(told, Told)
        except msgspec.ValidationError as error:
            raise InputError(f"fault: {error}") from None
        if asked.kind not in KINDS:
            raise InputError(f"kind must be one of {', '.join(KINDS)}, not {asked.kind!r}")
        if (asked.times is not None and asked.times < 1) or (asked.delay_s is not None and not 0 <= asked.delay_s <= 600):
            raise InputError("times must be 1 or more, and delay_s 0 to 600 seconds")
        if asked.kind != "error" and (asked.code or asked.status or asked.message):
            raise InputError("code, status and message are for the kind error")
        with self._lock:
            self._made += 1
            fault = self._faults[self._made] = Fault(self._made, asked)
        return fault.shown()

    def listed(self, _: Any = None) -> dict[str, Any]:
        with self._lock:
            return {"faults": [fault.shown() for fault in self._faults.values()]}

    def remove(self, told: Any) -> dict[str, Any]:
        """All of them, or the one whose id is told."""
        with self._lock:
            if told is None:
                going = list(self._faults)
            elif isinstance(told, dict) and told.get("id") in self._faults:
                going = [told["id"]]
            else:
                raise InputError(f"no such fault: {told!r}; there are {', '.join(map(str, self._faults)) or 'none'}")
            for id in going:
                self._faults.pop(id).over.set()
        return self.listed()

    def struck_by(self, call: ApiCall) -> Fault | None:
        with self._lock:
            fault = next((fault for fault in self._faults.values() if fault.matches(call)), None)
            if fault is not None:
                fault.struck += 1
                of = "" if fault.told.times is None else f" of {fault.told.times}"
                logging.warning(
                    "fault %d %s: %s with %s (%d%s)", fault.id, fault.told.kind, call.name, call.key, fault.struck, of
                )
            return fault

    @property
    def any(self) -> bool:
        return bool(self._faults)

    def install(self, pages: LabPages) -> None:
        """Before moto sees the request."""
        to_moto = DomainDispatcherApplication.__call__

        def call(dispatcher: Any, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            made = identify(environ) if self.any else None
            fault = self.struck_by(made) if made else None
            if made is None or fault is None:
                answered: Iterable[bytes] = to_moto(dispatcher, environ, start_response)
                return answered
            if fault.told.kind in ("throttle", "error"):
                error = _error(fault.told, made)
                body, headers = answer(made, error)
                return Response(body, status=error.status, headers=headers)(environ, start_response)
            fault.over.wait(fault.delay_s)
            if fault.told.kind == "slow":
                answered = to_moto(dispatcher, environ, start_response)
                return answered
            if fault.told.kind == "after":
                _, status, _ = run_wsgi_app(partial(to_moto, dispatcher), environ, buffered=True)
                logging.warning("fault %d: %s was answered %s, which nobody is told", fault.id, made.name, status)
            raise _hung_up(environ)

        setattr(DomainDispatcherApplication, "__call__", call)  # noqa: B010
        pages.add("POST", PAGE, self.add)
        pages.add("GET", PAGE, self.listed)
        pages.add("DELETE", PAGE, self.remove)


def _error(told: Told, call: ApiCall) -> ApiError:
    if told.kind == "throttle":
        return usual(THROTTLING, call)
    failure = usual(FAILURE, call)
    default_status = 400 if told.code else failure.status
    return ApiError(told.status or default_status, told.code or failure.code, told.message or failure.message)


def _hung_up(environ: dict[str, Any]) -> ConnectionAbortedError:
    """Without an answer; the server takes the error for a client that has gone."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return ConnectionAbortedError("the lab was told to hang up")
