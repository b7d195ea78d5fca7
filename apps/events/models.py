"""The ledger and the rejected events. The `events_event` family of tables is plain SQL (migration 0002):
it is written and read set-wise only, in `store` and `conversations.load`.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.core.models import TenantModel


class BatchState(models.TextChoices):
    PENDING = "pending", "Pending"
    DONE = "done", "Done"
    WITHDRAWING = "withdrawing", "Being withdrawn"
    WITHDRAWN = "withdrawn", "Withdrawn"


class Batch(TenantModel):
    """One received request: what was sent, what became of it, and whether it has been digested.

    The ledger a customer sees, the outbox that workers claim, and the unit of withdrawal.
    """

    project_id = models.BigIntegerField()
    key_id = models.BigIntegerField(null=True)
    source = models.CharField(max_length=16)
    received_at = models.DateTimeField()
    sent = models.IntegerField()
    accepted = models.IntegerField()
    duplicate = models.IntegerField()
    rejected = models.IntegerField()
    warned = models.IntegerField(default=0)
    first_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=12, choices=BatchState.choices)
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    error = models.TextField(default="", blank=True)
    digested_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(sent=models.F("accepted") + models.F("duplicate") + models.F("rejected")),
                name="events_batch_adds_up",
            ),
            models.UniqueConstraint(fields=["organization_id", "id"], name="events_batch_key"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["organization_id", "id"],
                condition=models.Q(state__in=["pending", "withdrawing"]),
                name="events_batch_pending",
            ),
            models.Index(fields=["organization_id", "-received_at"], name="events_batch_by_time"),
        ]

    def __str__(self) -> str:
        return f"batch {self.pk}"


class RejectedEvent(TenantModel):
    """An event that was refused, with the reason; kept for 30 days so that it can be replayed."""

    project_id = models.BigIntegerField()
    batch_id = models.BigIntegerField()
    index = models.IntegerField()
    event_id = models.CharField(max_length=200, default="", blank=True)
    field = models.CharField(max_length=200, default="", blank=True)
    code = models.CharField(max_length=40)
    message = models.TextField()
    body = models.TextField(default="", blank=True)
    is_replayable = models.BooleanField(default=True)
    historical = models.BooleanField(default=False)
    is_test = models.BooleanField(default=False)
    received_at = models.DateTimeField()
    replayed_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "-received_at"], name="events_rejected_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
