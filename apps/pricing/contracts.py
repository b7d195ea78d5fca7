"""Withdrawing contract prices and deciding on re-pricings; every change with its audit entry.

`actor` is what `audit.record` takes to know who did it: `request`, `actor` or `actor_label`.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from apps.accounts import audit
from apps.pricing.models import ContractPrice, Repricing, RepricingState

DISCARDABLE = (RepricingState.PROPOSED, RepricingState.COMPUTING, RepricingState.READY)


def withdraw(row: ContractPrice, **actor: Any) -> bool:
    """Have a price count no longer for what happens from now on; False where it was withdrawn already."""
    now = timezone.now()
    if not ContractPrice.objects.filter(pk=row.pk, withdrawn_at=None).update(withdrawn_at=now):
        return False
    audit.record("contract_price.withdrawn", audit.target_of(row), before=audit.snapshot(row), **actor)
    return True


def propose(row: Repricing, **actor: Any) -> None:
    """Store a valid proposal; the worker computes what it would change."""
    row.save()
    audit.record("repricing.created", audit.target_of(row), after=audit.snapshot(row), **actor)


def apply(row: Repricing, **actor: Any) -> bool:
    """Have the worker change history; False where the difference is not shown yet or was decided upon."""
    ready = Repricing.objects.filter(pk=row.pk, state=RepricingState.READY)
    if not ready.update(state=RepricingState.APPLYING, done_to=row.first_day):
        return False
    audit.record(
        "repricing.applied",
        audit.target_of(row),
        before={"cost_nano": total(row, "before_nano")},
        after={"cost_nano": total(row, "after_nano"), "calls_changed": total(row, "changed")},
        **actor,
    )
    return True


def discard(row: Repricing, **actor: Any) -> bool:
    """Give a proposal up; False where it is being applied or was decided upon."""
    if not Repricing.objects.filter(pk=row.pk, state__in=DISCARDABLE).update(state=RepricingState.DISCARDED):
        return False
    audit.record("repricing.discarded", audit.target_of(row), **actor)
    return True


def total(row: Repricing, name: str) -> int:
    """The sum over all models of one of the numbers of `by_model`."""
    return sum(one[name] for one in row.by_model)
