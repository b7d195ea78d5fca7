"""Background digestion. Thin: ids in, one call, safe to run twice."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.db import connection
from django.utils import timezone

from apps.conversations.digest import digest_organization
from apps.conversations.rebuild import rebuild_if_requested
from apps.conversations.repricing import organizations_with_work, work_on
from apps.conversations.sealing import seal_organization

SEAL_AGAIN_S = 5


@shared_task(ignore_result=True)
def digest(organization_id: int) -> None:
    """Digest what one organisation has pending; a long backlog or rebuild goes back to the end of the queue."""
    is_rebuilding = rebuild_if_requested(organization_id)
    if digest_organization(organization_id) or is_rebuilding:
        digest.delay(organization_id)


@shared_task(ignore_result=True)
def digest_pending() -> None:
    """Digest every organisation with pending batches: what nudges missed, beat finds."""
    for organization_id in organizations_with_pending_work():
        digest(organization_id)


@shared_task(ignore_result=True)
def reprice_pending() -> None:
    """Go on with every re-pricing that waits to be computed or applied."""
    for organization_id in organizations_with_work():
        work_on(organization_id)


@shared_task(ignore_result=True)
def seal(organization_id: int) -> None:
    """Seal what has come to rest of an organisation, and digest what was kept out meanwhile; the rest a little later."""
    is_more = seal_organization(organization_id)
    digest(organization_id)
    if is_more:
        seal.apply_async((organization_id,), countdown=SEAL_AGAIN_S)


@shared_task(ignore_result=True)
def seal_rested() -> None:
    """Seal what has come to rest of every organisation, unless the installation wants none sealed."""
    if not settings.SEAL_EVENTS:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id FROM llm_organizations_with_events()")
        organizations = [row[0] for row in cursor.fetchall()]
    for organization_id in organizations:
        seal.delay(organization_id)


def organizations_with_pending_work() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT organization_id FROM llm_organizations_with_pending_batches(%s)", [timezone.now()]
        )
        return [row[0] for row in cursor.fetchall()]
