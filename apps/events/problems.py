"""One error form for the whole HTTP contract: problem+json (RFC 9457) with a stable code."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

import msgspec
from django.http import HttpResponse


class Problem(Exception):
    """A refusal that the caller is told about: status, stable code, one sentence that names the field."""

    def __init__(
        self, status: int, code: str, detail: str, *, field: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.field = field or (detail.partition(":")[0] if ":" in detail else "")
        self.retry_after_s = retry_after_s


def problem_body(problem: Problem) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": f"about:blank#{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
    }
    if problem.field:
        body["field"] = problem.field
    return body


def problem_response(problem: Problem) -> HttpResponse:
    """The problem as `application/problem+json`, with `Retry-After` in whole seconds where it applies."""
    response = HttpResponse(
        msgspec.json.encode(problem_body(problem)),
        status=problem.status,
        content_type="application/problem+json",
    )
    if problem.retry_after_s is not None:
        response["Retry-After"] = str(max(1, math.ceil(problem.retry_after_s)))
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="llmmetrics"'
    return response
