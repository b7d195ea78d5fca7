from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

from apps.conversations.recomputing import recompute_all


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("conversations", "0005_calibration"),
        ("accounts", "0004_recomputed_to"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="sampledturn",
            name="version",
            field=models.IntegerField(default=1),
            preserve_default=False,
        ),
        recompute_all(),
    ]
