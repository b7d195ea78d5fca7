"""Loading the demo's traffic through the ordinary door, once."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from itertools import islice

import msgspec
from django.utils import timezone

from apps.accounts.models import Organization, Project
from apps.conversations.digest import digest_organization
from apps.core.tenancy import tenant
from apps.dashboards.demo.traffic import generate
from apps.events.models import Batch
from apps.events.receive import ingest

SOURCE = "demo"
EVENTS_A_BATCH = 1_000


def show(done: int, whole: int) -> None:
    """A progress line on standard error: rewritten on a terminal, every tenth otherwise."""
    share = done / whole if whole else 1.0
    text = f"  demo data: {share:4.0%}  {done:,} of {whole:,} events"
    if sys.stderr.isatty():
        print(f"\r{text}", end="\n" if done >= whole else "", file=sys.stderr, flush=True)
    elif done >= whole or int(share * 10) != int((done - EVENTS_A_BATCH) / whole * 10):
        print(text, file=sys.stderr, flush=True)


def load_demo_data(organization_id: int, progress: Callable[[int, int], None] = show) -> int:
    """Send 60 days of traffic into the organisation's demo project and digest it; returns the events.

    Event ids are fixed, so that an interrupted load goes on where it stopped and a second one adds nothing.
    """
    with tenant(organization_id):
        project = Project.objects.filter(is_demo=True).order_by("id").first()
        if project is None:
            return 0
        zone = Organization.objects.get().zone
        first = Batch.objects.filter(project_id=project.pk, source=SOURCE).order_by("id").first()
    anchor = first.received_at if first is not None else timezone.now()
    events = generate(anchor.astimezone(zone))
    begun = time.monotonic()
    bodies = (msgspec.json.encode(event) for event in events)
    done = 0
    while chunk := list(islice(bodies, EVENTS_A_BATCH)):
        ingest(
            organization_id=organization_id,
            project_id=project.pk,
            body_events=chunk,
            historical=True,
            is_test=False,
            source=SOURCE,
            key_id=None,
        )
        done += len(chunk)
        progress(done, len(events))
    digest_organization(organization_id)
    print(f"  demo data: {done:,} events sent in {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return done
