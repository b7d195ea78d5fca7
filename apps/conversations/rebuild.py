"""Rebuilding everything derived of an organisation from its events alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import connection

from apps.accounts.models import Organization
from apps.conversations import digest, follow, load
from apps.conversations.load import Key, Touched
from apps.conversations.sample import refresh
from apps.conversations.settling import Terms, reassign, settle_loose, settle_sessions
from apps.core.rls import CURRENT
from apps.core.tenancy import tenant

STEP = 2_000


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
    for number in range(0, len(keys), STEP):
        settle_sessions(keys[number : number + STEP], terms)
        progress(min(number + STEP, len(keys)), len(keys))
    settle_loose(load.loose_events_between(start, end), terms, [])
    refresh()
    for follower in follow.FOLLOWERS:
        follower.end()
    return len(keys)


def _remove_facts() -> None:
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
    """Rebuild the organisation's facts if a setting that they depend on was changed."""
    with tenant(organization_id):
        requested_at = Organization.objects.values_list("recompute_requested_at", flat=True).get()
        if requested_at is None:
            return False
        rebuild()
        Organization.objects.filter(recompute_requested_at=requested_at).update(recompute_requested_at=None)
    return True
