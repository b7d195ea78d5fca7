"""Labels of turns by an organisation's own people, and the calibrations that were chosen from them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import CompositePrimaryKey, Q

from apps.core.models import TenantModel


class SampledTurn(TenantModel):
    """A user message drawn to be labelled, at `place` of its sample (`draw` counts samples from 1).

    `stratum_turns` is how many turns its stratum had when it was drawn. `found` are the signals of
    the message ({name: [value, evidence]}, no words of the user's own), so that labels can be held
    against any calibration after the text is gone; `version` is that of the detector that found them.
    `score` is the one at drawing.
    """

    pk = CompositePrimaryKey("organization_id", "draw", "project_id", "event_key")
    draw = models.IntegerField()
    project_id = models.BigIntegerField()
    event_key = models.UUIDField()
    session_id = models.TextField()
    place = models.IntegerField()
    stratum = models.TextField()
    stratum_turns = models.IntegerField()
    score = models.FloatField()
    found = models.JSONField()
    version = models.IntegerField()
    is_first = models.BooleanField()
    drawn_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.draw}.{self.place}"


class TurnLabel(TenantModel):
    """What one person said of a message; `is_frustrated` is None where they skipped it."""

    pk = CompositePrimaryKey("organization_id", "project_id", "event_key", "labeller_id")
    project_id = models.BigIntegerField()
    event_key = models.UUIDField()
    labeller_id = models.BigIntegerField()
    is_frustrated = models.BooleanField(null=True)
    score = models.FloatField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.event_key} by {self.labeller_id}"


class Calibration(TenantModel):
    """A choice of threshold and offset, with what was measured under it; the active one is in force.

    `threshold` None is the detector's own. `figures` are `estimates.Figures` as a mapping (each
    estimate [value, low, high]); of a fit they are held out: measured on turns that it had not seen.
    It holds for the `version` of the detector that it was measured under.
    """

    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField()
    created_by_id = models.BigIntegerField()
    version = models.IntegerField()
    threshold = models.FloatField(null=True)
    offset = models.FloatField(default=0.0)
    turns = models.IntegerField()
    figures = models.JSONField()
    is_active = models.BooleanField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization_id"], condition=Q(is_active=True), name="conv_calibration_active"
            ),
        ]

    def __str__(self) -> str:
        if self.threshold is None:
            return "the default"
        return f"threshold {self.threshold:.3f}, offset {self.offset:+.2f}"
