from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("conversations", "0003_answers_and_runs"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="session",
            name="comparable_turns",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="session",
            name="refined_turns",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="session",
            name="repeating_turns",
            field=models.IntegerField(default=0),
        ),
    ]
