"""The ledger and the refused events as pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Count
from django.http import QueryDict

from apps.accounts.models import Organization, Project
from apps.dashboards.display import duration
from apps.events.models import Batch, BatchState, RejectedEvent

PAGE = 50
PREVIEW_CHARACTERS = 600
WITHDRAWABLE = frozenset({BatchState.PENDING, BatchState.DONE})


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A received request and what became of it; `delay` is from arrival to being in every number."""

    batch: Batch
    project: str
    received_at: datetime
    state: str
    word: str
    delay: str
    may_withdraw: bool


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A refused event; `body` only for roles that may read conversation text."""

    event: RejectedEvent
    project: str
    received_at: datetime
    body: str


def cursor(parameters: QueryDict) -> int | None:
    """List what is older than this id; anything unreadable lists from the newest."""
    text = parameters.get("before", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def batches(organization: Organization, before: int | None) -> tuple[list[BatchRow], int | None]:
    """A page of the ledger, newest first, and the cursor of the next one."""
    queryset = Batch.objects.order_by("-id")
    if before is not None:
        queryset = queryset.filter(pk__lt=before)
    found = list(queryset[: PAGE + 1])
    names = _projects()
    rows = [_batch_row(batch, names, organization) for batch in found[:PAGE]]
    return rows, found[PAGE - 1].pk if len(found) > PAGE else None


def _batch_row(batch: Batch, names: dict[int, str], organization: Organization) -> BatchRow:
    has_failed = bool(batch.error) and batch.attempts > 0 and batch.digested_at is None
    return BatchRow(
        batch=batch,
        project=names.get(batch.project_id, "–"),
        received_at=batch.received_at.astimezone(organization.zone),
        state="failed" if has_failed else batch.state,
        word="Failed, will retry" if has_failed else BatchState(batch.state).label,
        delay=duration(batch.digested_at - batch.received_at if batch.digested_at else None),
        may_withdraw=batch.state in WITHDRAWABLE,
    )


def rejected(
    organization: Organization, before: int | None, code: str, *, may_read_text: bool
) -> tuple[list[RejectedRow], int | None]:
    """A page of refused events, newest first, and the cursor of the next one."""
    queryset = RejectedEvent.objects.order_by("-id")
    if code:
        queryset = queryset.filter(code=code)
    if before is not None:
        queryset = queryset.filter(pk__lt=before)
    found = list(queryset[: PAGE + 1])
    names = _projects()
    rows = [
        RejectedRow(
            event=one,
            project=names.get(one.project_id, "–"),
            received_at=one.received_at.astimezone(organization.zone),
            body=one.body[:PREVIEW_CHARACTERS] if may_read_text else "",
        )
        for one in found[:PAGE]
    ]
    return rows, found[PAGE - 1].pk if len(found) > PAGE else None


def codes() -> list[tuple[str, int]]:
    """Reasons for refusal with how often each occurs, the most frequent first."""
    counted = (
        RejectedEvent.objects.values_list("code").annotate(events=Count("id")).order_by("-events", "code")
    )
    return [(code, events) for code, events in counted]


def rejected_path(code: str = "", before: int | None = None) -> str:
    """The address of a page of refused events."""
    query = urlencode({name: value for name, value in (("code", code), ("before", before)) if value})
    return f"/events/rejected/?{query}" if query else "/events/rejected/"


def codes_with_paths() -> list[tuple[str, int, str]]:
    """Reasons for refusal, how often each occurs, and where it is listed."""
    return [(code, events, rejected_path(code)) for code, events in codes()]


def _projects() -> dict[int, str]:
    return dict(Project.objects.values_list("id", "name"))
