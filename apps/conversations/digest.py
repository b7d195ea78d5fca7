"""From events to facts: claim pending batches, settle what they touch, replace its facts, mark them done.

All in one transaction per round, one worker per organisation at a time, so that a killed process
leaves either everything or nothing. A batch that fails is put off with a growing delay and shown;
it never blocks the others.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import structlog
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.conversations import follow, load, packs, settling
from apps.conversations.rows import Key
from apps.core.rls import CURRENT
from apps.core.tenancy import required_organization_id, tenant
from apps.events.models import Batch, BatchState

log = structlog.get_logger(__name__)

EVENTS_A_ROUND = 10_000
BATCHES_A_ROUND = 200
LOCK_CLASS = 7401
FACTS = ("session", "generation", "finding", "run", "assignment")
FIRST_DELAY_S = 2
LONGEST_DELAY_S = 3600
MAY_REST_BELOW_S = 5.0
REST_PER_WORK = 2
LONGEST_REST_S = 3.0
# Then other organisations have their turn.
TURN_S = 20.0


def digest_organization(organization_id: int) -> bool:
    """Digest what is pending of an organisation, for one turn at most; returns whether more is left.

    Returns at once where another worker is at it: that one takes what is pending, beat the rest.
    """
    turn_ends = time.monotonic() + TURN_S
    while True:
        begun = time.monotonic()
        waited_s = _round_or_one_by_one(organization_id)
        if waited_s is None or not _has_pending(organization_id):
            return False
        if time.monotonic() >= turn_ends:
            return True
        time.sleep(rest_after(time.monotonic() - begun, waited_s))


def rest_after(took_s: float, waited_s: float) -> float:
    """Seconds to leave the machine to requests after a round that left something pending.

    A burst is taken in first, and waiting makes the next rounds cheaper, because each session is settled
    once a round. A round whose events had waited longer is followed by the next at once, so that rests
    never make numbers old.
    """
    return min(took_s * REST_PER_WORK, LONGEST_REST_S) if waited_s < MAY_REST_BELOW_S else 0.0


def _round_or_one_by_one(organization_id: int) -> float | None:
    try:
        return _round(organization_id)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("digest_round_failed", organization_id=organization_id)
    _one_by_one(organization_id)
    return None


def _round(organization_id: int, only: int | None = None) -> float | None:
    """Digest a round's worth; returns how many seconds its oldest batch had waited, None where there was none."""
    with tenant(organization_id, durable=True):
        if not try_lock():
            return None
        batches = _claim(only)
        if not batches:
            return None
        waited_s = (timezone.now() - min(batch.received_at for batch in batches)).total_seconds()
        digest_batches(batches)
        return waited_s


def _one_by_one(organization_id: int) -> None:
    """After a failed round: each batch in a transaction of its own, so that only the bad one waits."""
    with tenant(organization_id):
        ids = [batch.pk for batch in _claim(None)]
    for batch_id in ids:
        try:
            _round(organization_id, only=batch_id)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            log.exception("digest_batch_failed", organization_id=organization_id, batch_id=batch_id)
            _put_off(organization_id, batch_id, error)


def _has_pending(organization_id: int) -> bool:
    with tenant(organization_id):
        return has_due()


def _put_off(organization_id: int, batch_id: int, error: Exception) -> None:
    with tenant(organization_id):
        batch = Batch.objects.select_for_update().get(pk=batch_id)
        delay = min(FIRST_DELAY_S * 2**batch.attempts, LONGEST_DELAY_S)
        batch.attempts += 1
        batch.next_attempt_at = timezone.now() + timedelta(seconds=delay)
        batch.error = f"{type(error).__name__}: {error}"[:500]
        batch.save(update_fields=["attempts", "next_attempt_at", "error"])


def try_lock(kind: int = LOCK_CLASS) -> bool:
    """Keep digests (or others of a kind) of the active organisation out until the transaction ends; False where one
    is at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [kind, required_organization_id() % 2**31])
        (got,) = cursor.fetchone() or (False,)
    return bool(got)


def lock_and_wait() -> None:
    """Keep digests of the active organisation out until the transaction ends, after the one that is at it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, required_organization_id() % 2**31]
        )


def has_due() -> bool:
    """Whether the active organisation has batches that a digest would take now."""
    return _due().exists()


def _due() -> QuerySet[Batch]:
    pending = Batch.objects.filter(state__in=[BatchState.PENDING, BatchState.WITHDRAWING])
    return pending.filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=timezone.now()))


def _claim(only: int | None) -> list[Batch]:
    """The oldest pending batches, up to a round's worth of events."""
    due = _due()
    if only is not None:
        due = due.filter(pk=only)
    claimed: list[Batch] = []
    events = 0
    for batch in due.select_for_update(skip_locked=True).order_by("id")[:BATCHES_A_ROUND]:
        claimed.append(batch)
        events += batch.accepted
        if events >= EVENTS_A_ROUND:
            break
    return claimed


def digest_batches(batches: list[Batch]) -> None:
    """Settle what these batches touch and mark them done, in the caller's transaction."""
    ids = [batch.pk for batch in batches]
    leaving = [batch for batch in batches if batch.state == BatchState.WITHDRAWING]
    coming = [batch.pk for batch in batches if batch.state != BatchState.WITHDRAWING]
    for follower in follow.FOLLOWERS:
        follower.begin()
    packs.unseal_batches(leaving)
    touched = load.touched_by(ids)
    homes = load.homes_of_responses(touched.targets)
    gone = load.loose_events([batch.pk for batch in leaving]) if touched.has_loose and leaving else []
    if leaving:
        touched.sessions |= _release([batch.pk for batch in leaving])
        _remove_events(leaving)
    follow.fold_events("f.batch_id = ANY(%s)", [coming])
    loose = load.loose_events(ids) if touched.has_loose else []
    settling.settle_touched(touched, homes, [*loose, *load.loose_responses(touched.targets)], gone)
    for follower in follow.FOLLOWERS:
        follower.end()
    _mark([batch.pk for batch in leaving], BatchState.WITHDRAWN)
    _mark(coming, BatchState.DONE)


def _mark(batch_ids: list[int], state: BatchState) -> None:
    Batch.objects.filter(pk__in=batch_ids).update(
        state=state, digested_at=timezone.now(), error="", next_attempt_at=None
    )


def _release(batch_ids: list[int]) -> set[Key]:
    """Take events of withdrawn batches out of the sessions that were derived for them; returns these."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM conversations_assignment a USING events_event e "
            f"WHERE a.organization_id = {CURRENT} AND e.organization_id = {CURRENT} AND e.event_key = a.event_key "
            "AND e.user_id = a.user_id AND e.session_id IS NULL AND e.batch_id = ANY(%s) "
            "RETURNING a.project_id, a.session_id",
            [batch_ids],
        )
        return set(cursor.fetchall())


def _remove_events(batches: list[Batch]) -> None:
    """Delete the events, ids and texts of withdrawn batches; the ids may then be sent again.

    A batch that was withdrawn before its digest has never counted.
    """
    for counted in (True, False):
        ids = [batch.pk for batch in batches if (batch.digested_at is not None) is counted]
        if ids:
            _remove_events_of(ids, counted=counted)


def _remove_events_of(batch_ids: list[int], *, counted: bool) -> None:
    unseen = "" if counted else " WHERE false"
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH all_gone AS (DELETE FROM events_event WHERE organization_id = {CURRENT} "
            "AND batch_id = ANY(%s) RETURNING *), "
            f"gone AS (SELECT * FROM all_gone{unseen}), fresh AS (SELECT * FROM all_gone WHERE false), "
            "ids AS (DELETE FROM events_identity i USING all_gone g WHERE i.organization_id = g.organization_id "
            "AND i.event_key = g.event_key), "
            "texts AS (DELETE FROM events_text t USING all_gone g WHERE t.organization_id = g.organization_id "
            f"AND t.event_key = g.event_key){follow.folded('events_event')} "
            "SELECT DISTINCT date_bin('15 minutes', at, timestamptz 'epoch') FROM gone",
            [batch_ids],
        )
        moments = [moment for (moment,) in cursor.fetchall()]
    for follower in follow.FOLLOWERS:
        follower.events_removed(moments)


def forget_project(project_id: int) -> None:
    """Remove every fact of a project."""
    with connection.cursor() as cursor:
        for table in FACTS:
            cursor.execute(
                f"DELETE FROM conversations_{table} WHERE organization_id = {CURRENT} AND project_id = %s",
                [project_id],
            )
    for follower in follow.FOLLOWERS:
        follower.forget(project_id)


def oldest_pending_at() -> datetime | None:
    """When the oldest batch that is not yet digested was received."""
    return (
        Batch.objects.filter(state__in=[BatchState.PENDING, BatchState.WITHDRAWING])
        .order_by("received_at")
        .values_list("received_at", flat=True)
        .first()
    )
