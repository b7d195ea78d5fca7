"""Loading the demo's traffic through the ordinary door, once, and digesting it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db.models import Max, Min, Sum
from django.utils import timezone

from apps.accounts.models import Organization, Project
from apps.conversations.digest import digest_organization, oldest_pending_at
from apps.core.tenancy import tenant
from apps.dashboards.demo.calendar import DAYS
from apps.dashboards.demo.traffic import anchor_hour, generate
from apps.events.models import Batch
from apps.events.receive import ingest

SOURCE = "demo"
EVENTS_A_BATCH = 1_000
DIGEST_PAUSE_S = 0.2

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """How far a demo project's traffic has come, read from the ledger.

    `anchor` is the instant that the traffic leads up to, in the organisation's zone: that of the first
    batch, so that a load which was interrupted goes on with the same events.
    """

    events: int
    anchor: datetime
    last_at: datetime | None

    @property
    def is_complete(self) -> bool:
        """The last event of the traffic lies exactly on the anchor's hour."""
        return self.last_at is not None and self.last_at >= anchor_hour(self.anchor)

    @property
    def percent(self) -> int:
        """How much of the 60 days is there, 0 to 100."""
        if self.last_at is None:
            return 0
        missing = (self.anchor - self.last_at) / timedelta(days=DAYS)
        return max(0, min(100, round(100 * (1 - missing))))


def demo_project() -> Project | None:
    """The active organisation's demo project, if it has one."""
    return Project.objects.filter(is_demo=True).order_by("id").first()


def loaded(project: Project, now: datetime) -> Loaded:
    """What the ledger says of this project's demo traffic; `now` is the anchor of one not begun."""
    found = Batch.objects.filter(project_id=project.pk, source=SOURCE).aggregate(
        events=Sum("accepted"), first=Min("received_at"), last=Max("last_at")
    )
    anchor = (found["first"] or now).astimezone(Organization.objects.get().zone)
    return Loaded(found["events"] or 0, anchor, found["last"])


def load_demo_data(organization_id: int, progress: Progress) -> int:
    """Send what is still missing of 60 days of traffic into the demo project, and digest it.

    Returns the events sent. `progress` is called with the events sent so far and the whole number.
    Stops where the demo is removed, or loaded by another, meanwhile; does nothing without a demo project.
    """
    with tenant(organization_id):
        project = demo_project()
        if project is None:
            return 0
        state = loaded(project, timezone.now())
    sent = 0
    if not state.is_complete:
        events = generate(state.anchor)
        for start in range(state.events, len(events), EVENTS_A_BATCH):
            chunk = events[start : start + EVENTS_A_BATCH]
            if not _send(organization_id, project.pk, start, chunk):
                return sent
            sent += len(chunk)
            progress(start + len(chunk), len(events))
    digest_whole(organization_id)
    return sent


def _send(organization_id: int, project_id: int, start: int, chunk: list[dict[str, Any]]) -> bool:
    """One batch, as long as the demo is there and holds exactly the `start` events before it.

    The project is held meanwhile, so that a removal or another load comes before or after, not between.
    """
    with tenant(organization_id):
        held = Project.objects.select_for_update(no_key=True).filter(pk=project_id, is_demo=True).first()
        if held is None or loaded(held, timezone.now()).events != start:
            return False
        ingest(
            organization_id=organization_id,
            project_id=project_id,
            body_events=[msgspec.json.encode(event) for event in chunk],
            historical=True,
            is_test=False,
            source=SOURCE,
            key_id=None,
        )
    return True


def digest_whole(organization_id: int) -> None:
    """Digest until nothing is pending; where a worker is at it already, wait for it."""
    while True:
        digest_organization(organization_id)
        with tenant(organization_id):
            if oldest_pending_at() is None:
                return
        time.sleep(DIGEST_PAUSE_S)
