"""The one error shape of every answer that is not a success:

{"error": {"code": "invalid_request", "message": "…", "fields": [{"field": "adults", "reason": "must be 1 to 9, got 0"}]}}

`fields` is present for a 422, `outcomes` when no supplier answered; nothing else is ever added.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.core.errors import AllSuppliersFailed
from app.core.models import SupplierOutcome
from app.web.query import InvalidRequest, WrongField

log = logging.getLogger("crossover.web")

CODES = {404: "not_found", 405: "method_not_allowed", 503: "unavailable"}


class ErrorDetail(Struct, frozen=True, omit_defaults=True):
    code: str
    message: str
    fields: tuple[WrongField, ...] = ()
    outcomes: tuple[SupplierOutcome, ...] = ()


class ErrorBody(Struct, frozen=True):
    error: ErrorDetail


def error_response(
    status: int,
    code: str,
    message: str,
    *,
    fields: Sequence[WrongField] = (),
    outcomes: Sequence[SupplierOutcome] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    body = ErrorBody(ErrorDetail(code, message, tuple(fields), tuple(outcomes)))
    return Response(msgspec.json.encode(body), status, headers, "application/json")


def no_supplier_answered(error: AllSuppliersFailed) -> Response:
    return error_response(503, "no_supplier_answered", str(error), outcomes=error.outcomes, headers={"Retry-After": "1"})


def install_error_handlers(app: Starlette) -> None:
    """Give every failure of `app` the one error shape; an unexpected one is logged, and its answer tells no internals."""

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, InvalidRequest)
        return error_response(422, "invalid_request", str(error), fields=error.fields)

    async def nobody(_: Request, error: Exception) -> Response:
        assert isinstance(error, AllSuppliersFailed)
        return no_supplier_answered(error)

    async def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        headers = dict(error.headers) if error.headers else None
        return error_response(error.status_code, CODES.get(error.status_code, "error"), str(error.detail), headers=headers)

    async def unexpected(request: Request, error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return error_response(500, "internal_error", "the service failed to answer; the failure has been logged")

    app.add_exception_handler(InvalidRequest, invalid)
    app.add_exception_handler(AllSuppliersFailed, nobody)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)
