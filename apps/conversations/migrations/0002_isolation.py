from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from apps.core.rls import composite_foreign_key, protect

PROJECT = ("organization_id", "project_id")
KEY = ("organization_id", "id")
TABLES = ("session", "generation", "assignment")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("conversations", "0001_initial"), ("events", "0002_events")]

    operations: ClassVar = [
        *(protect(f"conversations_{table}") for table in TABLES),
        *(
            composite_foreign_key(f"conversations_{table}", PROJECT, "accounts_project", KEY)
            for table in TABLES
        ),
    ]
