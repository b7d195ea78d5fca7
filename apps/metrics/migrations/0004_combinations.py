from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from apps.core.rls import lookup, protect, visible_to

# `name` is the dimensions in order of the alphabet, separated by commas. Days before `built_to` are kept by the digest.
TABLES = """
CREATE TABLE metrics_combination (
    organization_id bigint NOT NULL, source smallint NOT NULL, name text NOT NULL, asked_at timestamptz NOT NULL,
    built_to date NOT NULL DEFAULT '-infinity', is_too_fine boolean NOT NULL DEFAULT false,
    PRIMARY KEY (organization_id, source, name)
);
CREATE INDEX metrics_combination_unbuilt ON metrics_combination (organization_id)
    WHERE built_to <> 'infinity' AND NOT is_too_fine;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("metrics", "0003_dimension_values")]

    operations: ClassVar = [
        migrations.RunSQL(TABLES, "DROP TABLE metrics_combination;"),
        protect("metrics_combination"),
        visible_to("llm_owner", "metrics_combination"),
        lookup(
            "llm_organizations_with_unbuilt_combinations()",
            "TABLE (organization_id bigint)",
            "SELECT DISTINCT organization_id FROM metrics_combination WHERE built_to <> 'infinity' AND NOT is_too_fine",
        ),
    ]
