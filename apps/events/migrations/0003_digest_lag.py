"""How far digestion is behind, for the readiness probe, which knows no organisation."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from apps.core.rls import lookup


class Migration(migrations.Migration):
    dependencies: ClassVar = [("events", "0002_events")]

    operations: ClassVar = [
        lookup(
            "llm_oldest_pending_batch()",
            "timestamptz",
            "SELECT min(received_at) FROM events_batch WHERE state IN ('pending', 'withdrawing')",
        ),
    ]
