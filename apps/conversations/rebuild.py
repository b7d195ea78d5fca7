"""Rebuilding everything derived of an organisation from its events alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from django.db import connection

from apps.accounts.models import Organization
from apps.conversations import digest, follow, load, packs
from apps.conversations.load import Touched
from apps.conversations.rows import ON_RESPONSE, Key
from apps.conversations.sample import refresh
from apps.conversations.settling import Terms, reassign, settle_loose, settle_sessions
from apps.core.rls import CURRENT
from apps.core.tenancy import tenant

SESSIONS_A_STEP = 2_000
EVENTS_A_STEP = 10_000


def rebuild(
    start: datetime | None = None,
    end: datetime | None = None,
    progress: Callable[[int, int], None] = lambda done, whole: None,
) -> int:
    """Rebuild the active organisation's facts inside one transaction; returns the sessions settled.

    Without a range every fact is removed first. With one, the sessions and single events that have
    an event in `start ≤ t < end` are settled anew. Digesting is kept out meanwhile.
    """
    digest.lock_and_wait()
    if start is None and end is None:
        _remove_facts()
    touched = _everything(start, end)
    terms = Terms.load()
    moved = reassign(touched, terms)
    keys = sorted(touched.sessions | moved | _derived(start, end))
    for number in range(0, len(keys), SESSIONS_A_STEP):
        settle_sessions(keys[number : number + SESSIONS_A_STEP], terms)
        progress(min(number + SESSIONS_A_STEP, len(keys)), len(keys))
    loose = load.loose_events_between(start, end)
    # What is said about a response counts with it, which may lie outside the range.
    targets = {
        (row.project_id, row.response_id) for row in loose if row.response_id and row.name in ON_RESPONSE
    }
    settle_loose([*loose, *load.loose_responses(targets)], terms, [])
    if end is None:
        refresh()
    for follower in follow.FOLLOWERS:
        follower.end()
    return len(keys)


def _remove_facts() -> None:
    # Sealed events are found through the facts.
    packs.unseal_all()
    with connection.cursor() as cursor:
        for table in digest.FACTS:
            cursor.execute(f"DELETE FROM conversations_{table} WHERE organization_id = {CURRENT}")
    for follower in follow.FOLLOWERS:
        follower.reset()


def _everything(start: datetime | None, end: datetime | None) -> Touched:
    """Sessions sent by callers, and people with events without one."""
    touched = Touched()
    sessions, people = load.keys_between(start, end)
    touched.sessions = sessions
    touched.loners = people
    touched.people = people
    touched.first_at = load.first_event_at() if start is None else start
    return touched


def _derived(start: datetime | None, end: datetime | None) -> set[Key]:
    return load.derived_keys_between(start, end)


def rebuild_if_requested(organization_id: int) -> bool:
    """Rebuild the organisation's facts if a setting that they depend on was changed, for one turn at most; returns
    whether more is left.

    Steps go through the events by time, each in a transaction of its own: new events are digested in between, and a
    rebuild that was killed is taken up where it ended.
    """
    turn_ends = time.monotonic() + digest.TURN_S
    while _rebuild_step(organization_id):
        if time.monotonic() >= turn_ends:
            return True
    return False


def _rebuild_step(organization_id: int) -> bool:
    """Rebuild the next events; returns whether any are left."""
    with tenant(organization_id, durable=True):
        # Whoever is at this organisation already goes on with its rebuild too.
        if (
            not Organization.objects.filter(recompute_requested_at__isnull=False).exists()
            or not digest.try_lock()
        ):
            return False
        organization = Organization.objects.get()
        requested_at = organization.recompute_requested_at
        start = organization.recomputed_to or load.first_event_at()
        end = load.moment_after(start, EVENTS_A_STEP) if start is not None else None
        if start is not None:
            rebuild(start, end)
        # A setting that was changed meanwhile begins the rebuild anew.
        Organization.objects.filter(recompute_requested_at=requested_at).update(
            recomputed_to=end, recompute_requested_at=requested_at if end else None
        )
    return True
