"""What things cost: hand-overs to a human, model calls by contract, changes of history."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.accounts.models import Project, User
from apps.core.models import TenantModel
from apps.events.clock import AHEAD

DEFAULT_COST_PER_ESCALATION = Decimal("12.00")
DEFAULT_BASELINE_SHARE = Decimal("1.0")
# A name, of which only the last character may be a star.
MODEL_PATTERN = r"^[^*]+\*?$|^\*$"


class CostSetting(TenantModel):
    """In force from a local day on, for everything or for one project, channel or intent.

    Days before the first setting use $12.00 and a share of 1.0. Changing a setting changes history
    at once: deflection value is computed from sessions and settings when it is read.
    """

    effective_from = models.DateField()
    project = models.ForeignKey(
        Project, null=True, blank=True, on_delete=models.CASCADE, db_constraint=False, related_name="+"
    )
    channel = models.CharField(max_length=200, blank=True, default="")
    intent = models.CharField(max_length=200, blank=True, default="")
    cost_per_escalation = models.DecimalField(
        "cost per escalation (USD)",
        max_digits=12,
        decimal_places=4,
        default=DEFAULT_COST_PER_ESCALATION,
        validators=[MinValueValidator(0)],
    )
    baseline_share = models.DecimalField(
        "baseline escalation share",
        max_digits=6,
        decimal_places=5,
        default=DEFAULT_BASELINE_SHARE,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="Share of such sessions that would have reached a human without the assistant, 0 to 1.",
    )
    created_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-effective_from", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization_id", "effective_from", "project", "channel", "intent"],
                nulls_distinct=False,
                name="pricing_costsetting_once",
            ),
            models.CheckConstraint(
                condition=Q(baseline_share__gte=0, baseline_share__lte=1, cost_per_escalation__gte=0),
                name="pricing_costsetting_range",
            ),
        ]

    def __str__(self) -> str:
        return f"${self.cost_per_escalation} × {self.baseline_share} from {self.effective_from}"


def usd_per_million(name: str, **options: Any) -> models.DecimalField[Any, Any]:
    """A price in USD for a million tokens."""
    return models.DecimalField(
        f"{name} (USD per million tokens)",
        max_digits=14,
        decimal_places=6,
        validators=[MinValueValidator(0)],
        **options,
    )


class ContractPrice(TenantModel):
    """What the organisation pays for a model, by its contract, from a local day on.

    A row is never changed, only withdrawn: so it is known which prices counted at any instant, and a
    rebuild of the facts gives the same costs. `apps.pricing.book` says which row counts for a call.
    """

    effective_from = models.DateField(help_text="Local day from which on the price is in force.")
    provider = models.CharField(max_length=200, blank=True, default="", help_text="Empty: any provider.")
    model = models.CharField(
        max_length=200,
        help_text="The model's name as it is sent, or its beginning followed by *.",
        validators=[RegexValidator(MODEL_PATTERN, "Only the last character may be a *.")],
    )
    input_usd_per_million = usd_per_million("input")
    cache_read_usd_per_million = usd_per_million(
        "cached input", null=True, blank=True, help_text="Empty: as input."
    )
    cache_write_usd_per_million = usd_per_million(
        "cache write", null=True, blank=True, help_text="Empty: as input."
    )
    output_usd_per_million = usd_per_million("output")
    note = models.CharField(max_length=200, blank=True, default="")
    created_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-effective_from", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization_id", "effective_from", "provider", "model"],
                condition=Q(withdrawn_at=None),
                name="pricing_contractprice_once",
                violation_error_message="model: has a price from this day on; withdraw that one first.",
            ),
            models.CheckConstraint(
                condition=Q(input_usd_per_million__gte=0, output_usd_per_million__gte=0)
                & Q(model__regex=MODEL_PATTERN)
                & (Q(cache_read_usd_per_million=None) | Q(cache_read_usd_per_million__gte=0))
                & (Q(cache_write_usd_per_million=None) | Q(cache_write_usd_per_million__gte=0)),
                name="pricing_contractprice_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{f'{self.provider} ' if self.provider else ''}{self.model} from {self.effective_from}"

    @property
    def counts_from(self) -> datetime:
        """The first instant of calls that it prices without a re-pricing, where its day has come.

        A few minutes after it was entered: nothing that was stored before can lie later, clocks that
        run ahead included.
        """
        return self.created_at + AHEAD


class RepricingState(models.TextChoices):
    PROPOSED = "proposed", "Waiting"
    COMPUTING = "computing", "Computing the difference"
    READY = "ready", "Ready to be applied"
    APPLYING = "applying", "Being applied"
    APPLIED = "applied", "Applied"
    DISCARDED = "discarded", "Discarded"


ONE_AT_A_TIME = "Another re-pricing is not finished: apply or discard it first."
UNFINISHED = (
    RepricingState.PROPOSED,
    RepricingState.COMPUTING,
    RepricingState.READY,
    RepricingState.APPLYING,
)


class Repricing(TenantModel):
    """A change of what past days cost, shown before it is made: by the prices known at `created_at`.

    `by_model` lists `{"model", "calls", "changed", "before_nano", "after_nano", "unpriced_before",
    "unpriced_after"}` of the calls whose cost was not sent. Days before `done_to` are computed while
    it computes, and count by the new prices while it is being applied and afterwards.
    """

    first_day = models.DateField()
    last_day = models.DateField()
    note = models.CharField(max_length=200, blank=True, default="")
    state = models.CharField(
        max_length=16, choices=RepricingState.choices, default=RepricingState.PROPOSED, editable=False
    )
    done_to = models.DateField(null=True, editable=False)
    by_model = models.JSONField(default=list, editable=False)
    error = models.CharField(max_length=500, blank=True, default="", editable=False)
    created_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    computed_at = models.DateTimeField(null=True, editable=False)
    # Who had it applied or discarded, and when; `applied_at` is when the worker was through.
    decided_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    decided_at = models.DateTimeField(null=True, editable=False)
    applied_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization_id"],
                condition=Q(state__in=UNFINISHED),
                name="pricing_repricing_one_at_a_time",
                violation_error_message=ONE_AT_A_TIME,
            ),
            models.CheckConstraint(
                condition=Q(last_day__gte=models.F("first_day")),
                name="pricing_repricing_range",
                violation_error_message="last_day: must not be before first_day.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=RepricingState.values), name="pricing_repricing_state"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_day} to {self.last_day}"


NEEDS_VALUE = "Name the project, team, feature or customer; nothing for the organisation."


class BudgetScope(models.TextChoices):
    ORGANIZATION = "organization", "Organisation"
    PROJECT = "project", "Project"
    TEAM = "team", "Team"
    FEATURE = "feature", "Feature"
    CUSTOMER = "customer", "Customer"


class Budget(TenantModel):
    """What model calls may cost in a local calendar month: of the organisation, or of one value of a dimension."""

    scope = models.CharField(max_length=16, choices=BudgetScope.choices, default=BudgetScope.ORGANIZATION)
    value = models.CharField(
        max_length=200,
        blank=True,
        default="",
        help_text="Which project (its name or id), team, feature or customer; empty for the organisation.",
    )
    monthly_usd = models.DecimalField(
        "monthly budget (USD)",
        max_digits=14,
        decimal_places=2,
        validators=[MinValueValidator(Decimal("0.01"))],
    )
    note = models.CharField(max_length=200, blank=True, default="")
    created_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["scope", "value"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization_id", "scope", "value"],
                name="pricing_budget_once",
                violation_error_message="There is a budget of this scope and value already.",
            ),
            models.CheckConstraint(condition=Q(scope__in=BudgetScope.values), name="pricing_budget_scope"),
            models.CheckConstraint(
                condition=(Q(scope="organization") & Q(value="")) | (~Q(scope="organization") & ~Q(value="")),
                name="pricing_budget_value",
                violation_error_message=NEEDS_VALUE,
            ),
            models.CheckConstraint(condition=Q(monthly_usd__gt=0), name="pricing_budget_amount"),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} {self.value}".strip()

    def clean(self) -> None:
        """A project is named by what exists; the other dimensions may have values that are yet to come."""
        if (self.scope == BudgetScope.ORGANIZATION) is bool(self.value):
            raise ValidationError({"value": NEEDS_VALUE})
        if self.scope == BudgetScope.PROJECT:
            known = Project.objects.filter(Q(public_id=self.value) | Q(name=self.value)).first()
            if known is None:
                raise ValidationError({"value": "No project has this name or id."})
            self.value = known.public_id
