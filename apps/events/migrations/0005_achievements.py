"""What people achieved apart from all other events: few, and looked for by person."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("events", "0004_reactions")]

    operations: ClassVar = [
        migrations.RunSQL(
            "CREATE INDEX events_event_achieved ON events_event (organization_id, user_id, at) "
            "WHERE name IN ('goal_completed', 'activation') AND user_id IS NOT NULL",
            "DROP INDEX events_event_achieved",
        )
    ]
