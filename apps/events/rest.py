"""Base of the read API: a key with a scope, problem+json for everything that goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.keys import Identity
from apps.accounts.middleware import key_of
from apps.accounts.models import Organization, Scope
from apps.events.problems import Problem, problem_body

log = structlog.get_logger(__name__)

CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    415: "unsupported_type",
    429: "rate_limited",
}


class KeyView(APIView):
    """Answers keys with `scopes[method]` (default `read`); runs inside the key's organisation."""

    scopes: Mapping[str, str] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        identity: Identity | None = getattr(request._request, "identity", None)
        if identity is None:
            raise _unauthorized(request._request)
        scope = self.scopes.get(request.method or "", Scope.READ)
        if not identity.may(scope):
            raise Problem(403, "missing_scope", f"Authorization: the key has no `{scope}` scope.")
        self.identity = identity
        self.organization: Organization = request._request.organization  # type: ignore[attr-defined]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


def _unauthorized(request: HttpRequest) -> Problem:
    if not key_of(request):
        return Problem(401, "missing_key", "Authorization: is missing; send `Authorization: Bearer <key>`.")
    return Problem(401, "invalid_key", "Authorization: the key is unknown, expired or revoked.")


def problem_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Every error of the API as problem+json; what is nobody's fault but ours is logged and stays a 500."""
    problem = _problem_of(error)
    if problem is None:
        return None
    if problem.status >= 500 or problem.status == 400:
        _mark_for_rollback()
    response = Response(problem_body(problem), status=problem.status, content_type="application/problem+json")
    if problem.retry_after_s is not None:
        response["Retry-After"] = str(max(1, round(problem.retry_after_s)))
    if problem.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="llmmetrics"'
    return response


def _mark_for_rollback() -> None:
    if transaction.get_connection().in_atomic_block:
        transaction.set_rollback(True)


def _problem_of(error: Exception) -> Problem | None:
    if isinstance(error, Problem):
        return error
    if isinstance(error, OperationalError | InterfaceError):
        log.warning("api_database_away", error=type(error).__name__)
        return Problem(503, "database_unavailable", "The database is away; ask again.", retry_after_s=2)
    if isinstance(error, Http404 | exceptions.NotFound):
        return Problem(404, "not_found", "There is no such thing here.")
    if isinstance(error, exceptions.ValidationError):
        field, sentence = _first(error.detail)
        return Problem(400, "invalid_field", f"{field}: {sentence}" if field else sentence, field=field)
    if isinstance(error, exceptions.APIException):
        code = CODES.get(error.status_code, "error")
        return Problem(error.status_code, code, str(error.detail))
    return None


def _first(detail: Any, path: str = "") -> tuple[str, str]:
    """The first field and sentence of DRF's nested error detail."""
    if isinstance(detail, Mapping):
        key, value = next(iter(detail.items()))
        name = "" if key == "non_field_errors" else str(key)
        return _first(value, f"{path}.{name}".strip("."))
    if isinstance(detail, list):
        return _first(detail[0], path)
    return path, str(detail)
