from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from apps.core.rls import protect

TABLES = """
CREATE TABLE metrics_dimensionvalue (
    organization_id bigint NOT NULL, dimension text NOT NULL, value text NOT NULL, first_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, dimension, value)
);
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("metrics", "0002_active_users")]

    operations: ClassVar = [
        migrations.RunSQL(TABLES, "DROP TABLE metrics_dimensionvalue;"),
        protect("metrics_dimensionvalue"),
    ]
