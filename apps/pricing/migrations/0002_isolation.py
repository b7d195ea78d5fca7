from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from apps.core.rls import composite_foreign_key, protect


class Migration(migrations.Migration):
    dependencies: ClassVar = [("pricing", "0001_initial"), ("accounts", "0002_isolation")]

    operations: ClassVar = [
        protect("pricing_costsetting"),
        composite_foreign_key("pricing_costsetting", ("organization_id",), "accounts_organization", ("id",)),
        composite_foreign_key(
            "pricing_costsetting",
            ("organization_id", "project_id"),
            "accounts_project",
            ("organization_id", "id"),
        ),
    ]
