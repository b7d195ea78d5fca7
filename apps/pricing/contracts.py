"""Withdrawing contract prices and deciding on re-pricings; every change with its audit entry.

`actor` is what `audit.record` takes to know who did it: `request`, `actor` or `actor_label`.
"""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import User
from apps.pricing.models import UNFINISHED, ContractPrice, Repricing, RepricingState

DISCARDABLE = (RepricingState.PROPOSED, RepricingState.COMPUTING, RepricingState.READY)


def withdraw(row: ContractPrice, **actor: Any) -> bool:
    """Have a price count no longer for what happens from now on; False where it was withdrawn already."""
    now = timezone.now()
    if not ContractPrice.objects.filter(pk=row.pk, withdrawn_at=None).update(withdrawn_at=now):
        return False
    audit.record("contract_price.withdrawn", audit.target_of(row), before=audit.snapshot(row), **actor)
    return True


def propose(row: Repricing, **actor: Any) -> bool:
    """Store a valid proposal, of which the worker computes what it would change.

    False where another one was stored after this one was validated: the database keeps one at a time.
    """
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        if Repricing.objects.filter(state__in=UNFINISHED).exists():
            return False
        raise
    audit.record("repricing.created", audit.target_of(row), after=audit.snapshot(row), **actor)
    return True


def apply(row: Repricing, by: User | None = None, **actor: Any) -> bool:
    """Have the worker change history; False where the difference is not shown yet or was decided upon."""
    ready = Repricing.objects.filter(pk=row.pk, state=RepricingState.READY)
    if not ready.update(state=RepricingState.APPLYING, done_to=row.first_day, **_decision(by)):
        return False
    audit.record(
        "repricing.applied",
        audit.target_of(row),
        before={"cost_nano": total(row, "before_nano")},
        after={"cost_nano": total(row, "after_nano"), "calls_changed": total(row, "changed")},
        **actor,
    )
    return True


def discard(row: Repricing, by: User | None = None, **actor: Any) -> bool:
    """Give a proposal up; False where it is being applied or was decided upon."""
    open_one = Repricing.objects.filter(pk=row.pk, state__in=DISCARDABLE)
    if not open_one.update(state=RepricingState.DISCARDED, **_decision(by)):
        return False
    audit.record("repricing.discarded", audit.target_of(row), **actor)
    return True


def _decision(by: User | None) -> dict[str, Any]:
    return {"decided_by": by, "decided_at": timezone.now()}


def total(row: Repricing, name: str) -> int:
    """The sum over all models of one of the numbers of `by_model`."""
    return sum(one[name] for one in row.by_model)
