"""The ledger over HTTP: batches, their withdrawal, refused events and their replay."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import audit
from apps.accounts.models import Scope
from apps.events import ledger
from apps.events.models import Batch, RejectedEvent
from apps.events.problems import Problem
from apps.events.rest import KeyView

PAGE = 100


def cursor_of(request: Request) -> int | None:
    """The `cursor` parameter: list what is older than this id."""
    text = request.query_params.get("cursor")
    if not text:
        return None
    if not text.isdigit() or len(text) > 18:
        raise Problem(400, "bad_cursor", "cursor: must be the `next` of an earlier answer.")
    return int(text)


def page_of(queryset: Any, cursor: int | None) -> tuple[list[Any], str | None]:
    """A page, newest first, and the cursor of the next one."""
    if cursor is not None:
        queryset = queryset.filter(pk__lt=cursor)
    rows = list(queryset.order_by("-id")[: PAGE + 1])
    return rows[:PAGE], str(rows[PAGE - 1].pk) if len(rows) > PAGE else None


def batch_json(batch: Batch) -> dict[str, Any]:
    return {
        "batch_id": str(batch.pk),
        "source": batch.source,
        "received_at": batch.received_at.isoformat(),
        "sent": batch.sent,
        "accepted": batch.accepted,
        "duplicate": batch.duplicate,
        "rejected": batch.rejected,
        "first_at": batch.first_at and batch.first_at.isoformat(),
        "last_at": batch.last_at and batch.last_at.isoformat(),
        "state": batch.state,
        "error": batch.error,
        "digested_at": batch.digested_at and batch.digested_at.isoformat(),
    }


CURSOR = OpenApiParameter("cursor", str, description="The `next` of the page before.")


class Batches(KeyView):
    """GET: the ledger, newest first, 100 a page."""

    @extend_schema(operation_id="v1_batches_list", parameters=[CURSOR], responses={200: dict})
    def get(self, request: Request) -> Response:
        rows, following = page_of(Batch.objects.all(), cursor_of(request))
        return Response({"batches": [batch_json(row) for row in rows], "next": following})


class OneBatch(KeyView):
    """GET one batch; DELETE withdraws it: its events go, and the KPIs follow."""

    scopes = {"DELETE": Scope.ADMIN}

    @extend_schema(responses={200: dict})
    def get(self, request: Request, batch_id: int) -> Response:
        batch = Batch.objects.filter(pk=batch_id).first()
        if batch is None:
            raise Http404
        return Response(batch_json(batch))

    @extend_schema(responses={202: dict})
    def delete(self, request: Request, batch_id: int) -> Response:
        batch = ledger.withdraw(batch_id)
        if batch is None:
            raise Http404
        audit.record("batch.withdrawn", f"batch {batch_id}", actor_label=f"key {self.identity.key_id}")
        return Response(batch_json(batch), status=202)


class RejectedEvents(KeyView):
    """GET: refused events of the last 30 days with their reason; bodies only with the `text` scope."""

    @extend_schema(parameters=[CURSOR, OpenApiParameter("code", str)], responses={200: dict})
    def get(self, request: Request) -> Response:
        rows = RejectedEvent.objects.all()
        code = request.query_params.get("code")
        if code:
            rows = rows.filter(code=code)
        page, following = page_of(rows, cursor_of(request))
        may_read = self.identity.may(Scope.TEXT)
        return Response({"rejected_events": [self.row(row, may_read) for row in page], "next": following})

    @staticmethod
    def row(row: RejectedEvent, may_read_text: bool) -> dict[str, Any]:
        found = {
            "id": str(row.pk),
            "batch_id": str(row.batch_id),
            "index": row.index,
            "event_id": row.event_id or None,
            "field": row.field,
            "code": row.code,
            "message": row.message,
            "received_at": row.received_at.isoformat(),
            "replayed_at": row.replayed_at and row.replayed_at.isoformat(),
        }
        return {**found, "body": row.body} if may_read_text else found


class Replay(KeyView):
    """POST `{"ids": […]}` or `{}` for all: refused events go through the door again."""

    scopes = {"POST": Scope.ADMIN}

    @extend_schema(request=dict, responses={200: dict})
    def post(self, request: Request) -> Response:
        body = request.data if isinstance(request.data, dict) else {}
        ids = body.get("ids")
        if ids is not None and not (isinstance(ids, list) and all(str(one).isdigit() for one in ids)):
            raise Problem(400, "invalid_field", "ids: must be a list of ids of refused events.")
        verdicts = ledger.replay(None if ids is None else [int(one) for one in ids])
        audit.record(
            "rejected_events.replayed",
            f"{sum(one.sent for one in verdicts)} events",
            actor_label=f"key {self.identity.key_id}",
        )
        return Response(
            {
                "replayed": sum(verdict.sent for verdict in verdicts),
                "accepted": sum(verdict.accepted for verdict in verdicts),
                "duplicate": sum(verdict.duplicate for verdict in verdicts),
                "rejected": sum(verdict.rejected for verdict in verdicts),
                "errors": [error for verdict in verdicts for error in verdict.errors],
            }
        )
