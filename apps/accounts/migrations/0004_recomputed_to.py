from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0003_operator_access")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="organization",
            name="recomputed_to",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
