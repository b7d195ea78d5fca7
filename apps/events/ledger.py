"""What can be done with batches afterwards: withdraw one, replay refused events, forget a project."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from apps.accounts.models import ApiKey
from apps.core.tenancy import required_organization_id
from apps.events.limits import was_refused_lately
from apps.events.models import Batch, BatchState, RejectedEvent
from apps.events.nudge import nudge
from apps.events.receive import Verdict, ingest
from apps.events.sealed import unseal_sql

REPLAY_AT_ONCE = 2_000
KEPT_DAYS = 30


def withdraw(batch_id: int) -> Batch | None:
    """Mark a batch for withdrawal; the digest removes its events and everything derived from them.

    None where the organisation has no such batch. Withdrawing twice changes nothing.
    """
    batch: Batch | None = Batch.objects.select_for_update().filter(pk=batch_id).first()
    if batch is None or batch.state in (BatchState.WITHDRAWING, BatchState.WITHDRAWN):
        return batch
    batch.state = BatchState.WITHDRAWING
    batch.next_attempt_at = None
    batch.save(update_fields=["state", "next_attempt_at"])
    organization_id = required_organization_id()
    transaction.on_commit(lambda: nudge(organization_id))
    return batch


def replayable() -> list[RejectedEvent]:
    """Refused events of the last 30 days that were not replayed yet, oldest first."""
    since = timezone.now() - timedelta(days=KEPT_DAYS)
    return list(
        RejectedEvent.objects.filter(is_replayable=True, replayed_at=None, received_at__gte=since).order_by(
            "id"
        )[:REPLAY_AT_ONCE]
    )


def replay(ids: list[int] | None = None) -> list[Verdict]:
    """Send refused events through the door again (all, or those with `ids`), a verdict per project.

    What is accepted or already known is marked as replayed; what is refused again stays as it was
    and is not listed twice.
    """
    rows = [row for row in replayable() if ids is None or row.pk in ids]
    verdicts: list[Verdict] = []
    groups: dict[tuple[int, bool, bool], list[RejectedEvent]] = {}
    for row in rows:
        groups.setdefault((row.project_id, row.historical, row.is_test), []).append(row)
    for (project_id, historical, is_test), group in groups.items():
        verdict = ingest(
            organization_id=required_organization_id(),
            project_id=project_id,
            body_events=[row.body.encode() for row in group],
            historical=historical,
            is_test=is_test,
            source="replay",
            key_id=None,
        )
        failed = {int(error["index"]) for error in verdict.errors}
        done = [row.pk for index, row in enumerate(group) if index not in failed]
        RejectedEvent.objects.filter(pk__in=done).update(replayed_at=timezone.now())
        RejectedEvent.objects.filter(batch_id=verdict.batch_id).delete()
        verdicts.append(verdict)
    return verdicts


def recent_problems(project_id: int) -> list[str]:
    """Why nothing may be arriving: one sentence each, newest first; empty where nothing went wrong."""
    prefixes = ApiKey.objects.filter(project_id=project_id).values_list("prefix", flat=True)
    sentences = [
        f"A request with the key {prefix}… was refused." for prefix in prefixes if was_refused_lately(prefix)
    ]
    since = timezone.now() - timedelta(hours=1)
    refused = RejectedEvent.objects.filter(project_id=project_id, received_at__gte=since).order_by("-id")[:5]
    return sentences + [row.message for row in refused]


def delete_project_events(project_id: int) -> int:
    """Remove every event, id, text, batch and refused event of a project; returns the events removed."""
    organization_id = required_organization_id()
    with connection.cursor() as cursor:
        cursor.execute(
            unseal_sql("s.organization_id = %s AND s.project_id = %s"), [organization_id, project_id]
        )
        for table in ("events_identity", "events_text"):
            cursor.execute(
                f"DELETE FROM {table} t USING events_event e WHERE t.organization_id = %s AND e.organization_id = %s "
                "AND e.event_key = t.event_key AND e.project_id = %s",
                [organization_id, organization_id, project_id],
            )
        cursor.execute(
            "DELETE FROM events_event WHERE organization_id = %s AND project_id = %s",
            [organization_id, project_id],
        )
        removed = int(cursor.rowcount)
    RejectedEvent.objects.filter(project_id=project_id).delete()
    Batch.objects.filter(project_id=project_id).delete()
    return removed
