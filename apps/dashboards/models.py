"""The review queue: sessions drawn for people to read, and what they said of them.

The scores that count are events (`evaluation`, source human); these rows only say who has read what.
"""

from __future__ import annotations

from django.db import models
from django.db.models import CompositePrimaryKey

from apps.core.models import TenantModel


class Reason(models.TextChoices):
    """Why a session was drawn."""

    LOW_GROUNDING = "low_grounding", "Low grounding"
    FRUSTRATED = "frustrated", "Frustration spike"
    RANDOM = "random", "Random sample"


class QaItem(TenantModel):
    """A session in the queue."""

    pk = CompositePrimaryKey("organization_id", "project_id", "session_id")
    project_id = models.BigIntegerField()
    session_id = models.TextField()
    reason = models.CharField(max_length=16, choices=Reason.choices)
    drawn_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.session_id} ({self.get_reason_display()})"


class QaReview(TenantModel):
    """One person's scores of one session, by criterion, 0 to 1; given once and not changed."""

    pk = CompositePrimaryKey("organization_id", "project_id", "session_id", "reviewer_id")
    project_id = models.BigIntegerField()
    session_id = models.TextField()
    reviewer_id = models.BigIntegerField()
    scores = models.JSONField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.session_id} by {self.reviewer_id}"
