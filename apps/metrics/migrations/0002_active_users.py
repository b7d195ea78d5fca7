from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from apps.core.rls import protect

# A user's number is never given twice: who is forgotten loses the id, the number stays taken.
# Rows of active users hold up to 2 kB and are changed often: kept whole in the page, neither packed nor moved out.
TABLES = """
CREATE TABLE metrics_usernumber (
    organization_id bigint NOT NULL, number integer NOT NULL, user_id text,
    PRIMARY KEY (organization_id, number), UNIQUE (organization_id, user_id)
);
CREATE TABLE metrics_activeusers (
    organization_id bigint NOT NULL, dimension text NOT NULL, day date NOT NULL, value text NOT NULL,
    project_id bigint NOT NULL, environment text NOT NULL, chunk integer NOT NULL,
    n integer NOT NULL, bits bytea NOT NULL,
    PRIMARY KEY (organization_id, dimension, day, value, project_id, environment, chunk)
) WITH (toast_tuple_target = 8160);
ALTER TABLE metrics_activeusers ALTER COLUMN bits SET STORAGE EXTERNAL;
"""
UNDO = "DROP TABLE metrics_activeusers; DROP TABLE metrics_usernumber;"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("metrics", "0001_rollups")]

    operations: ClassVar = [
        migrations.RunSQL(TABLES, UNDO),
        *(protect(f"metrics_{table}") for table in ("usernumber", "activeusers")),
    ]
