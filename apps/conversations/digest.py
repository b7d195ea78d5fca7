"""From events to facts: claim pending batches, settle what they touch, replace its facts, mark them done.

All in one transaction per round, one worker per organisation at a time, so that a killed process
leaves either everything or nothing. A batch that fails is put off with a growing delay and shown;
it never blocks the others.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Q
from django.utils import timezone

from apps.accounts.models import Organization, Project
from apps.conversations import follow, load, neighbours, write
from apps.conversations.findings import finding_rows
from apps.conversations.generations import generation_rows
from apps.conversations.load import Key, Touched
from apps.conversations.people import assign
from apps.conversations.ratings import attach
from apps.conversations.rows import RESPONSE, EventRow
from apps.conversations.runs import run_rows
from apps.conversations.settle import Neighbours, Outline, outline, settle
from apps.conversations.write import Facts
from apps.core.tenancy import required_organization_id, tenant
from apps.events.models import Batch, BatchState

log = structlog.get_logger(__name__)

EVENTS_A_ROUND = 10_000
BATCHES_A_ROUND = 200
SESSIONS_A_STEP = 4_000
LOCK_CLASS = 7401
FACTS = ("session", "generation", "finding", "run", "assignment")
FIRST_DELAY_S = 2
LONGEST_DELAY_S = 3600
MAY_REST_BELOW_S = 5.0
REST_PER_WORK = 2
LONGEST_REST_S = 3.0


@dataclass(slots=True)
class Round:
    """What one round found to do."""

    events: int
    is_more: bool
    waited_s: float = 0.0


def digest_organization(organization_id: int) -> int:
    """Digest everything pending of an organisation; returns the events digested.

    Returns at once where another worker is at it: that one takes what is pending, beat the rest.
    """
    total = 0
    while True:
        begun = time.monotonic()
        done = _round_or_one_by_one(organization_id)
        total += done.events
        if not done.is_more:
            return total
        time.sleep(rest_after(done, time.monotonic() - begun))


def rest_after(done: Round, took_s: float) -> float:
    """Seconds to leave the machine to requests after a round that took `took_s`.

    A full round means that events arrive faster than they are digested. A burst is taken in first, and
    waiting makes the next rounds cheaper, because each session is settled once a round. A round whose
    events had waited longer is followed by the next at once, so that rests never make numbers old.
    """
    is_full = done.events >= EVENTS_A_ROUND
    return (
        min(took_s * REST_PER_WORK, LONGEST_REST_S) if is_full and done.waited_s < MAY_REST_BELOW_S else 0.0
    )


def _round_or_one_by_one(organization_id: int) -> Round:
    try:
        return _round(organization_id)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("digest_round_failed", organization_id=organization_id)
    return _one_by_one(organization_id)


def _round(organization_id: int, only: int | None = None) -> Round:
    with tenant(organization_id, durable=True):
        if not _lock(organization_id):
            return Round(0, is_more=False)
        batches = _claim(only)
        if not batches:
            return Round(0, is_more=False)
        waited_s = (timezone.now() - min(batch.received_at for batch in batches)).total_seconds()
        events = digest_batches(batches)
        return Round(events, is_more=only is None, waited_s=waited_s)


def _one_by_one(organization_id: int) -> Round:
    """After a failed round: each batch in a transaction of its own, so that only the bad one waits."""
    with tenant(organization_id):
        ids = [batch.pk for batch in _claim(None)]
    total = 0
    for batch_id in ids:
        try:
            total += _round(organization_id, only=batch_id).events
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            log.exception("digest_batch_failed", organization_id=organization_id, batch_id=batch_id)
            _put_off(organization_id, batch_id, error)
    return Round(total, is_more=False)


def _put_off(organization_id: int, batch_id: int, error: Exception) -> None:
    with tenant(organization_id):
        batch = Batch.objects.select_for_update().get(pk=batch_id)
        delay = min(FIRST_DELAY_S * 2**batch.attempts, LONGEST_DELAY_S)
        batch.attempts += 1
        batch.next_attempt_at = timezone.now() + timedelta(seconds=delay)
        batch.error = f"{type(error).__name__}: {error}"[:500]
        batch.save(update_fields=["attempts", "next_attempt_at", "error"])


def _lock(organization_id: int) -> bool:
    """One digest per organisation at a time; the lock ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK_CLASS, organization_id % 2**31])
        (got,) = cursor.fetchone() or (False,)
    return bool(got)


def lock_and_wait() -> None:
    """Keep digests of the active organisation out until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, required_organization_id() % 2**31]
        )


def _claim(only: int | None) -> list[Batch]:
    """The oldest pending batches, up to a round's worth of events."""
    pending = Batch.objects.filter(state__in=[BatchState.PENDING, BatchState.WITHDRAWING])
    due = pending.filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=timezone.now()))
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


def digest_batches(batches: list[Batch]) -> int:
    """Settle what these batches touch and mark them done, in the caller's transaction."""
    ids = [batch.pk for batch in batches]
    for follower in follow.FOLLOWERS:
        follower.begin()
    touched = load.touched_by(ids)
    homes = load.homes_of_responses(touched.targets)
    leaving = [batch.pk for batch in batches if batch.state == BatchState.WITHDRAWING]
    gone = load.loose_events(leaving) if touched.has_loose and leaving else []
    if leaving:
        _remove_events([batch for batch in batches if batch.pk in leaving])
    follow.fold_events("f.batch_id = ANY(%s)", [[one for one in ids if one not in leaving]])
    loose = load.loose_events(ids) if touched.has_loose else []
    settle_touched(touched, homes, [*loose, *load.loose_responses(touched.targets)], gone)
    for follower in follow.FOLLOWERS:
        follower.end()
    now = timezone.now()
    Batch.objects.filter(pk__in=[one for one in ids if one not in leaving]).update(
        state=BatchState.DONE, digested_at=now, error="", next_attempt_at=None
    )
    Batch.objects.filter(pk__in=leaving).update(
        state=BatchState.WITHDRAWN, digested_at=now, error="", next_attempt_at=None
    )
    return touched.events


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
            f"WITH all_gone AS (DELETE FROM events_event WHERE organization_id = {load.ORGANIZATION} "
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


def settle_touched(touched: Touched, homes: set[Key], loose: list[EventRow], gone: list[EventRow]) -> None:
    """Replace the facts of everything that the touched events may have changed."""
    projects = {project.pk: project for project in Project.objects.all()}
    moved = reassign(touched, projects)
    # A reaction may have been assigned a session of its own before its response arrived.
    homes = homes | load.homes_of_responses(touched.targets) if moved else homes
    settle_sessions(sorted(touched.sessions | moved | homes), projects)
    settle_loose(loose, projects, gone)


def reassign(touched: Touched, projects: dict[int, Project]) -> set[Key]:
    """Derive sessions anew for people with events without one; returns the sessions this changed."""
    people = touched.loners | load.people_with_assignments(touched.people - touched.loners)
    if not people or touched.first_at is None:
        return set()
    longest = max(timedelta(minutes=project.idle_gap_minutes) for project in projects.values())
    events = load.events_of_people(people, touched.first_at - longest)
    changed: set[Key] = set()
    stale: list[str] = []
    rows: list[Mapping[str, Any]] = []
    for (project_id, user_id), pairs in events.items():
        gap = timedelta(minutes=projects[project_id].idle_gap_minutes)
        assigned = assign(pairs, user_id, gap)
        for event, present in pairs:
            new = assigned.get(event.event_key)
            if new is None:
                continue
            changed.add((project_id, new))
            if new == present:
                continue
            if present is not None:
                changed.add((project_id, present))
                stale.append(event.event_key)
            rows.append(
                {
                    "event_key": event.event_key,
                    "project_id": project_id,
                    "user_id": user_id,
                    "session_id": new,
                }
            )
    write.replace_assignments(stale, rows)
    return changed


def settle_sessions(keys: list[Key], projects: dict[int, Project]) -> None:
    """Settle sessions, then those neighbours whose fate they changed."""
    window = timedelta(hours=Organization.objects.values_list("return_window_hours", flat=True).get())
    for start in range(0, len(keys), SESSIONS_A_STEP):
        step = keys[start : start + SESSIONS_A_STEP]
        others = _settle_step(step, projects, window)
        if others:
            _settle_step(others, projects, window)


def _settle_step(keys: list[Key], projects: dict[int, Project], window: timedelta) -> list[Key]:
    """Settle these sessions; returns stored neighbours whose return or take-back must change."""
    events = load.events_of_sessions(keys)
    outlines: dict[Key, Outline] = {}
    for key, rows in events.items():
        gap = timedelta(minutes=projects[key[0]].idle_gap_minutes)
        one = outline(key[0], key[1], rows, gap)
        if one is not None:
            outlines[key] = one
    fates, others = _fates(keys, outlines, window)
    facts = Facts()
    for key, rows in events.items():
        _settle_one(key, rows, outlines.get(key), fates.get(key, Neighbours()), projects[key[0]], facts)
    write.replace_sessions(keys, facts)
    return others


def _settle_one(
    key: Key, rows: list[EventRow], one: Outline | None, fate: Neighbours, project: Project, facts: Facts
) -> None:
    """Add the facts of one session; its own row only where the session exists."""
    session_id = key[1]
    facts.findings += finding_rows(rows, session_id)
    facts.runs += run_rows(rows, session_id)
    settled = settle(one, fate) if one is not None else None
    calls = generation_rows(
        rows,
        session_id=session_id,
        user_id=one.user_id if one else None,
        reactions=settled.reactions if settled else {},
        labels=settled.labels if settled else {},
        closed_at=one.closed_at if one else None,
        project_expects_grounding=project.grounding_expected,
    )
    facts.generations += calls
    if settled is not None:
        costs = [call["cost_nano"] for call in calls if call["cost_nano"] is not None]
        settled.row["cost_nano"] = sum(costs) if costs else None
        facts.sessions.append(settled.row)


def _fates(
    keys: Iterable[Key], outlines: dict[Key, Outline], window: timedelta
) -> tuple[dict[Key, Neighbours], list[Key]]:
    """Returns and take-backs of these sessions, and the stored neighbours for whom theirs changed."""
    settled_keys = set(keys)
    fresh = [mark for mark in map(neighbours.mark_of, outlines.values()) if mark is not None]
    before = neighbours.stored_marks(settled_keys)
    around = [
        mark for mark in neighbours.marks_around([*fresh, *before], window) if mark.key not in settled_keys
    ]
    judged = neighbours.judge([*fresh, *around], window)
    return dict(judged), neighbours.changed([*fresh, *before], around, judged, window)


def settle_loose(loose: list[EventRow], projects: dict[int, Project], gone: list[EventRow]) -> None:
    """Facts of events with neither session nor user: one trace, or one event, at a time.

    `gone` are events that were removed; what is left of their traces is settled anew.
    """
    traces = {(row.project_id, row.trace_id) for row in [*loose, *gone] if row.trace_id}
    groups: dict[Key, dict[str, EventRow]] = defaultdict(dict)
    for row in [*loose, *load.loose_events_of_traces(traces)]:
        groups[(row.project_id, row.trace_id or f"event:{row.event_key}")][row.event_key] = row
    keys = [row.event_key for row in gone] + [key for events in groups.values() for key in events]
    load.bring_reactions(groups)
    facts = Facts()
    for (project_id, _), events in groups.items():
        rows = sorted(events.values(), key=lambda row: row.order)
        facts.findings += finding_rows(rows, None)
        facts.runs += run_rows(rows, None)
        facts.generations += generation_rows(
            rows,
            session_id=None,
            user_id=None,
            reactions=attach(rows, [row for row in rows if row.name == RESPONSE]),
            labels={},
            closed_at=None,
            project_expects_grounding=projects[project_id].grounding_expected,
        )
    keys += [row["event_key"] for row in facts.findings]
    if keys:
        write.replace_loose(keys, facts)


def forget_project(project_id: int) -> None:
    """Remove every fact of a project."""
    with connection.cursor() as cursor:
        for table in FACTS:
            cursor.execute(
                f"DELETE FROM conversations_{table} WHERE organization_id = {load.ORGANIZATION} AND project_id = %s",
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
