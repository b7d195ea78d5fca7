"""The JSON receiver: `POST /api/v1/events`. Plain Django, because the body must be read within limits."""

from __future__ import annotations

import msgspec
import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from apps.accounts.keys import Identity, identify, note_use
from apps.accounts.middleware import key_of
from apps.accounts.models import Scope
from apps.events.body import read_body, split
from apps.events.limits import note_refused_key, request_slot, take_events
from apps.events.problems import Problem, problem_response
from apps.events.receive import Verdict, ingest

log = structlog.get_logger(__name__)

DATABASE_AWAY = Problem(
    503, "database_unavailable", "The database is away; nothing was stored, send it again.", retry_after_s=2
)


@csrf_exempt
def events(request: HttpRequest) -> HttpResponse:
    """Accept a batch; 200 only after commit, 503 with `Retry-After` while the database is away."""
    try:
        if request.method != "POST":
            raise Problem(405, "method_not_allowed", "This address takes POST only.")
        verdict = receive(request)
    except Problem as problem:
        response = problem_response(problem)
        if problem.status == 405:
            response["Allow"] = "POST"
        return response
    except (OperationalError, InterfaceError) as error:
        log.warning("ingest_database_away", error=type(error).__name__)
        return problem_response(DATABASE_AWAY)
    return HttpResponse(msgspec.json.encode(verdict.as_answer()), content_type="application/json")


def receive(request: HttpRequest) -> Verdict:
    """Authenticate, read, limit and store one request."""
    identity = sender(request)
    with request_slot(identity.organization_id):
        bodies = split(read_body(request), request.headers.get("Content-Type", ""))
        take_events(identity.organization_id, len(bodies))
        verdict = ingest(
            organization_id=identity.organization_id,
            project_id=identity.project_id,
            body_events=bodies,
            historical=request.headers.get("X-Historical", "").lower() in ("true", "1"),
            is_test=identity.is_test,
            source="json",
            key_id=identity.key_id,
        )
    note_use(identity)
    return verdict


def sender(request: HttpRequest) -> Identity:
    """The identity behind the request's key; `Problem` 401 without a valid one, 403 without the scope."""
    key = key_of(request)
    if not key:
        raise Problem(401, "missing_key", "Authorization: is missing; send `Authorization: Bearer <key>`.")
    identity = identify(key)
    if identity is None:
        note_refused_key(key)
        raise Problem(401, "invalid_key", "Authorization: the key is unknown, expired or revoked.")
    if not identity.may(Scope.INGEST):
        raise Problem(403, "missing_scope", "Authorization: the key has no `ingest` scope.")
    return identity
