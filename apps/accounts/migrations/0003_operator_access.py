from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0002_isolation")]

    operations: ClassVar = [
        migrations.AlterModelOptions(
            name="organization",
            options={"verbose_name": "organisation", "verbose_name_plural": "organisation"},
        ),
        migrations.AlterModelOptions(name="membership", options={"verbose_name": "member"}),
        migrations.AlterModelOptions(name="apikey", options={"verbose_name": "API key"}),
        migrations.AlterModelOptions(
            name="auditentry", options={"ordering": ["-at", "-id"], "verbose_name_plural": "audit entries"}
        ),
        migrations.CreateModel(
            name="OperatorAccess",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        primary_key=True, serialize=False, auto_created=True, verbose_name="ID"
                    ),
                ),
                ("method", models.CharField(max_length=8)),
                ("path", models.CharField(max_length=2000)),
                ("address", models.GenericIPAddressField(null=True)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"verbose_name_plural": "operator accesses", "ordering": ["-at", "-id"]},
        ),
        migrations.RunSQL(
            "REVOKE UPDATE, DELETE ON accounts_operatoraccess FROM llm_app",
            "GRANT UPDATE, DELETE ON accounts_operatoraccess TO llm_app",
        ),
        # Operators see who belongs to an organisation, never a password hash.
        migrations.RunSQL(
            "GRANT SELECT (id, email, is_active, last_login) ON accounts_user TO llm_operator",
            "REVOKE SELECT (id, email, is_active, last_login) ON accounts_user FROM llm_operator",
        ),
    ]
