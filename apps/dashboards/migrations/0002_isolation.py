from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from apps.core.rls import composite_foreign_key, protect

TABLES = ("qaitem", "qareview")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("dashboards", "0001_initial"), ("accounts", "0002_isolation")]

    operations: ClassVar = [
        *(protect(f"dashboards_{table}") for table in TABLES),
        *(
            composite_foreign_key(
                f"dashboards_{table}",
                ("organization_id", "project_id"),
                "accounts_project",
                ("organization_id", "id"),
            )
            for table in TABLES
        ),
    ]
