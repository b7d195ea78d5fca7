"""What a human hand-over costs: effective-dated settings, with overrides by project, channel and intent."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from apps.accounts.models import Project, User
from apps.core.models import TenantModel

DEFAULT_COST_PER_ESCALATION = Decimal("12.00")
DEFAULT_BASELINE_SHARE = Decimal("1.0")


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
                condition=models.Q(baseline_share__gte=0, baseline_share__lte=1, cost_per_escalation__gte=0),
                name="pricing_costsetting_range",
            ),
        ]

    def __str__(self) -> str:
        return f"${self.cost_per_escalation} × {self.baseline_share} from {self.effective_from}"
