"""The second lock for contract prices and re-pricings, and how a worker finds re-pricings."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from apps.core.rls import composite_foreign_key, lookup, protect, visible_to

TABLES = ("contractprice", "repricing")


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("pricing", "0003_contracts_and_repricings"),
        ("accounts", "0002_isolation"),
    ]

    operations: ClassVar = [
        *(protect(f"pricing_{table}") for table in TABLES),
        *(
            composite_foreign_key(f"pricing_{table}", ("organization_id",), "accounts_organization", ("id",))
            for table in TABLES
        ),
        visible_to("llm_owner", "pricing_repricing"),
        lookup(
            "llm_organizations_with_repricings()",
            "TABLE (organization_id bigint)",
            "SELECT DISTINCT organization_id FROM pricing_repricing "
            "WHERE state IN ('proposed', 'computing', 'applying')",
        ),
    ]
