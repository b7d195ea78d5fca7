"""What the page of re-pricings shows: the difference by model, how far it is computed, and what was decided before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.accounts.models import Organization
from apps.conversations.repricing import COUNTS
from apps.core.time_buckets import local_day
from apps.dashboards.display import amount
from apps.pricing.models import UNFINISHED, ContractPrice, Repricing, RepricingState

NANO = Decimal(10**9)
HISTORY = 20
WORKING = (RepricingState.PROPOSED, RepricingState.COMPUTING, RepricingState.APPLYING)


class RepricingForm(forms.ModelForm):  # type: ignore[type-arg]
    """A range of local days to price anew."""

    class Meta:
        model = Repricing
        fields = ("first_day", "last_day", "note")
        labels = {"first_day": "First day", "last_day": "Last day", "note": "Why"}
        widgets = {
            "first_day": forms.DateInput(attrs={"type": "date", "class": "form-control"}),
            "last_day": forms.DateInput(attrs={"type": "date", "class": "form-control"}),
            "note": forms.TextInput(attrs={"class": "form-control", "maxlength": 200}),
        }

    def clean_last_day(self) -> date:
        """Days that have not ended are priced by what is known now anyway."""
        day: date = self.cleaned_data["last_day"]
        if day > local_day(timezone.now(), Organization.objects.get().zone):
            raise ValidationError("The last day must not lie in the future.")
        return day


@dataclass(frozen=True, slots=True)
class Line:
    """What one model cost and would cost, in dollars as text."""

    title: str
    calls: int
    changed: int
    before: str
    after: str
    difference: str
    unpriced_before: int
    unpriced_after: int


def repricing_context(form: RepricingForm) -> dict[str, Any]:
    """The unfinished re-pricing with its difference, or the form; and the finished ones."""
    current = Repricing.objects.filter(state__in=UNFINISHED).first()
    finished = Repricing.objects.exclude(state__in=UNFINISHED)
    finished = finished.select_related("created_by", "decided_by")[:HISTORY]
    return {
        "form": form,
        "current": current,
        "is_working": current is not None and current.state in WORKING,
        "is_ready": current is not None and current.state == RepricingState.READY,
        "days": days_done(current) if current else None,
        "lines": lines_of(current) if current else [],
        "whole": line("All models", total(current)) if current else None,
        "history": [(one, line("", total(one))) for one in finished],
        "has_contracts": ContractPrice.objects.filter(withdrawn_at=None).exists(),
    }


def days_done(row: Repricing) -> tuple[int, int]:
    """(days gone through, days in all)."""
    whole = (row.last_day - row.first_day).days + 1
    return ((row.done_to - row.first_day).days if row.done_to else 0), whole


def lines_of(row: Repricing) -> list[Line]:
    """A line a model, then their sum where there are several."""
    lines = [line(one["model"], one) for one in row.by_model]
    return [*lines, line("All models", total(row))] if len(lines) > 1 else lines


def total(row: Repricing) -> dict[str, int]:
    """The numbers of all models together."""
    return {name: sum(one[name] for one in row.by_model) for name in COUNTS}


def line(title: str, counts: Mapping[str, int]) -> Line:
    difference = (counts["after_nano"] - counts["before_nano"]) / NANO
    return Line(
        title=title,
        calls=counts["calls"],
        changed=counts["changed"],
        before=amount(counts["before_nano"] / NANO, "usd"),
        after=amount(counts["after_nano"] / NANO, "usd"),
        difference=("+" if difference > 0 else "") + amount(difference, "usd"),
        unpriced_before=counts["unpriced_before"],
        unpriced_after=counts["unpriced_after"],
    )
