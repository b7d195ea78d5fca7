"""Thresholds: from which value on a metric is a warning, or critical."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Project, User
from apps.core.models import TenantModel
from apps.metrics.catalogue import METRICS, Metric

MAX_WINDOW_DAYS = 90
# The order of severity; each step must be at least as bad as the one before.
LEVELS = ("target", "warning", "critical")


class Preset(models.TextChoices):
    STRICT = "strict", "Strict"
    NORMAL = "normal", "Normal"
    RELAXED = "relaxed", "Relaxed"


def judged_metrics() -> dict[str, Metric]:
    """Metrics that have a better and a worse direction; the others can have no threshold."""
    return {key: metric for key, metric in METRICS.items() if metric.direction != "none"}


def metric_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Metrics that can have a threshold, by lens."""
    lenses: dict[str, list[tuple[str, str]]] = {}
    for key, metric in judged_metrics().items():
        lenses.setdefault(metric.lens, []).append((key, metric.title))
    return list(lenses.items())


def plain(value: Decimal) -> str:
    """A number as people write it: no exponent, no trailing zeros."""
    return format(value.normalize(), "f")


def level_field(help_text: str) -> models.DecimalField[Decimal | None, Decimal | None]:
    return models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True, help_text=help_text)


class Threshold(TenantModel):
    """Target, warning and critical value of a metric, for the organisation or for one project.

    A value exactly at a threshold keeps it; only a worse one breaches it.
    """

    metric = models.CharField(max_length=64, choices=metric_choices)
    project = models.ForeignKey(
        Project,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        db_constraint=False,
        related_name="+",
        help_text="Empty: the whole organisation.",
    )
    target = level_field("What you aim for. Ratios are 0 to 1, latencies milliseconds, money US dollars.")
    warning = level_field("A worse value is a warning.")
    critical = level_field("A worse value is critical.")
    window_days = models.PositiveSmallIntegerField(
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_WINDOW_DAYS)],
        help_text="Complete local days that are looked at together: 1, 7, 30 …",
    )
    minimum_sample = models.PositiveIntegerField(
        default=30,
        validators=[MinValueValidator(1)],
        help_text="With fewer observations in the window nothing is judged.",
    )
    source = models.CharField(
        max_length=400, blank=True, default="", help_text="Where these figures come from."
    )
    preset = models.CharField(max_length=8, choices=Preset.choices, blank=True, default="", editable=False)
    is_enabled = models.BooleanField("enabled", default=True, help_text="Off: this metric is not judged.")
    updated_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["metric", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization_id", "metric", "project"],
                nulls_distinct=False,
                name="alerts_threshold_once",
                violation_error_message="metric: this metric has a threshold for this project already.",
            ),
            models.CheckConstraint(
                condition=Q(window_days__gte=1, window_days__lte=MAX_WINDOW_DAYS, minimum_sample__gte=1),
                name="alerts_threshold_window",
            ),
            models.CheckConstraint(
                condition=Q(target__isnull=False) | Q(warning__isnull=False) | Q(critical__isnull=False),
                name="alerts_threshold_not_empty",
                violation_error_message="target: give at least one of target, warning and critical.",
            ),
            # The direction is declared in code; that warning lies between the two others holds for both.
            models.CheckConstraint(
                condition=Q(target__isnull=True)
                | Q(warning__isnull=True)
                | Q(critical__isnull=True)
                | Q(warning__gte=F("target"), critical__gte=F("warning"))
                | Q(warning__lte=F("target"), critical__lte=F("warning")),
                name="alerts_threshold_in_order",
                violation_error_message="warning: must lie between target and critical.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_metric_display()}{f' in {self.project}' if self.project_id else ''}"

    def clean(self) -> None:
        """Refuse values on the wrong side of the metric's direction, and ratios outside 0..1."""
        metric = METRICS.get(self.metric)
        if metric is None:
            return  # The field's own choices say so already.
        if metric.direction == "none":
            raise ValidationError(
                {"metric": f"metric: neither more nor less {metric.key} is better; it has no threshold."}
            )
        errors = {**self._range_errors(metric), **self._order_errors(metric)}
        if errors:
            raise ValidationError(errors)

    def _given(self) -> list[tuple[str, Decimal]]:
        """The levels that are set, mildest first; what is no number the field itself refuses."""
        levels = [(level, getattr(self, level)) for level in LEVELS]
        return [(level, value) for level, value in levels if value is not None and value.is_finite()]

    def _range_errors(self, metric: Metric) -> dict[str, str]:
        if metric.unit != "ratio":
            return {}
        return {
            level: f"{level}: {plain(value)} is no ratio; {metric.key} lies between 0 and 1."
            for level, value in self._given()
            if not 0 <= value <= 1
        }

    def _order_errors(self, metric: Metric) -> dict[str, str]:
        """Each given level must be at least as bad as the one given before it."""
        errors: dict[str, str] = {}
        word, bound = ("lower", "at least") if metric.direction == "down" else ("higher", "at most")
        for (milder, mild), (level, value) in pairwise(self._given()):
            if value != mild and is_better(metric, value, mild):
                errors[level] = (
                    f"{level}: {plain(value)} is better than {milder} {plain(mild)}; {metric.key} is better "
                    f"when {word}, so {level} must be {bound} {milder}."
                )
        return errors


def is_better(metric: Metric, value: Decimal, other: Decimal) -> bool:
    """Whether `value` is strictly better than `other` in the metric's direction."""
    return value < other if metric.direction == "down" else value > other
