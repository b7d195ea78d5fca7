"""Changing what past days cost: the difference first, from the facts; then, when applied, the facts.

Both go a local day at a time, each in a transaction of its own, so that a killed worker goes on where
it was, and the digest runs in between. While a re-pricing is applied the days before `done_to` count by
the new prices and the others by the old: a rebuild at any moment gives what the tables show.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final

import structlog
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Q
from django.utils import timezone

from apps.accounts.models import Organization
from apps.conversations import digest
from apps.conversations.models import Generation
from apps.conversations.rebuild import rebuild
from apps.core.tenancy import tenant
from apps.core.time_buckets import local_midnight
from apps.pricing.book import PriceBook
from apps.pricing.models import Repricing, RepricingState
from apps.pricing.prices import Tokens

log = structlog.get_logger(__name__)

# A worker leaves after this time; the next beat goes on.
LONGEST_S = 240.0
FETCHED = 5_000
COMPUTED: Final = (RepricingState.PROPOSED, RepricingState.COMPUTING)
WORKED_ON: Final = (*COMPUTED, RepricingState.APPLYING)
COUNTS: Final = ("calls", "changed", "before_nano", "after_nano", "unpriced_before", "unpriced_after")
# In the order of `Tokens`.
BUCKETS: Final = (
    "tokens_input",
    "tokens_cache_read",
    "tokens_cache_write",
    "tokens_output",
    "tokens_reasoning",
)


def organizations_with_work() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id FROM llm_organizations_with_repricings()")
        return [row[0] for row in cursor.fetchall()]


def work_on(organization_id: int) -> None:
    """Go on with what the organisation's re-pricing waits for; returns at once where another worker is at it."""
    until = time.monotonic() + LONGEST_S
    try:
        while _step(organization_id) and time.monotonic() < until:
            pass
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("repricing_failed", organization_id=organization_id)
        said = f"{type(error).__name__}: {error}"[:500]
        with tenant(organization_id):
            Repricing.objects.filter(state__in=WORKED_ON).update(error=said)


def _step(organization_id: int) -> bool:
    """One local day; False when nothing is left to do."""
    with tenant(organization_id, durable=True):
        waiting = Repricing.objects.select_for_update(skip_locked=True).filter(state__in=WORKED_ON)
        row: Repricing | None = waiting.first()
        if row is None:
            return False
        day = row.done_to or row.first_day
        row.done_to, row.error = day + timedelta(days=1), ""
        is_last = day >= row.last_day
        ended_at = timezone.now() if is_last else None
        if row.state in COMPUTED:
            _compute(row, day)
            row.state = RepricingState.READY if is_last else RepricingState.COMPUTING
            row.computed_at = ended_at
        else:
            _apply(row, day)
            row.state = RepricingState.APPLIED if is_last else RepricingState.APPLYING
            row.applied_at = ended_at
        row.save()
    return not is_last


def _compute(row: Repricing, day: date) -> None:
    """Add a day's costs before and after to the difference."""
    book = PriceBook.load(proposed=row)
    found = {one["model"]: Counter({name: one[name] for name in COUNTS}) for one in row.by_model}
    for call in _priceable(day):
        tokens = Tokens(*(call[name] for name in BUCKETS))
        price = book.price(call["provider"], call["model"], call["model_version"], call["at"], tokens)
        before, after = call["cost_nano"], price.nano if price else None
        found.setdefault(call["model_version"] or call["model"] or "(none)", Counter()).update(
            calls=1,
            changed=before != after,
            before_nano=before or 0,
            after_nano=after or 0,
            unpriced_before=before is None,
            unpriced_after=after is None,
        )
    row.by_model = [
        {"model": model, **{name: int(counts[name]) for name in COUNTS}}
        for model, counts in sorted(found.items())
    ]


def _bounds(day: date) -> tuple[datetime, datetime]:
    zone = Organization.objects.get().zone
    return local_midnight(day, zone), local_midnight(day + timedelta(days=1), zone)


def _priceable(day: date) -> Iterator[dict[str, Any]]:
    """A local day's calls whose cost was not sent and whose tokens can be priced."""
    start, end = _bounds(day)
    is_priceable = Q(cost_source__in=("contract", "list")) | Q(is_unpriced=True)
    calls = Generation.objects.filter(is_priceable, at__gte=start, at__lt=end)
    columns = ("at", "provider", "model", "model_version", "cost_nano", *BUCKETS)
    return iter(calls.values(*columns).iterator(chunk_size=FETCHED))


def _apply(row: Repricing, day: date) -> None:
    """Settle a day anew, with the digest kept out from before the new prices count until they are in."""
    digest.lock_and_wait()
    Repricing.objects.filter(pk=row.pk).update(done_to=row.done_to)
    rebuild(*_bounds(day))
