from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from apps.core.rls import lookup, protect, visible_to

# A slot is stored as slot * 2^32 + count. Changes may be negative, so that taking back is adding too.
TABLES = """
CREATE TABLE metrics_rollupstate (
    organization_id bigint PRIMARY KEY, version text NOT NULL, zone text NOT NULL, built_to date NOT NULL,
    first_day date, last_day date
);
CREATE TABLE metrics_rollup (
    organization_id bigint NOT NULL, source smallint NOT NULL, dimension text NOT NULL, day date NOT NULL,
    value text NOT NULL, project_id bigint NOT NULL, environment text NOT NULL,
    n bigint NOT NULL, sums numeric[] NOT NULL,
    PRIMARY KEY (organization_id, source, dimension, day, value, project_id, environment)
);
CREATE INDEX metrics_rollup_empty ON metrics_rollup (organization_id) WHERE n = 0;
CREATE TABLE metrics_rollupslots (
    organization_id bigint NOT NULL, source smallint NOT NULL, dimension text NOT NULL, day date NOT NULL,
    value text NOT NULL, histogram smallint NOT NULL, project_id bigint NOT NULL, environment text NOT NULL,
    slots bigint[] NOT NULL,
    PRIMARY KEY (organization_id, source, dimension, day, value, histogram, project_id, environment)
);
CREATE INDEX metrics_rollupslots_empty ON metrics_rollupslots (organization_id) WHERE slots = '{}';

CREATE FUNCTION llm_add(a numeric[], b numeric[]) RETURNS numeric[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $add$
    SELECT array_agg(coalesce(x, 0) + coalesce(y, 0) ORDER BY place)
    FROM unnest(a, b) WITH ORDINALITY AS t(x, y, place)
$add$;
CREATE FUNCTION llm_add_slots(a bigint[], b bigint[]) RETURNS bigint[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $add$
    SELECT coalesce(array_agg(slot * 4294967296 + n ORDER BY slot), '{}') FROM (
        SELECT (x - (((x + 2147483648) & 4294967295) - 2147483648)) >> 32 AS slot,
               sum(((x + 2147483648) & 4294967295) - 2147483648)::bigint AS n
        FROM unnest(a || b) AS x GROUP BY 1
    ) AS added WHERE n <> 0
$add$;
REVOKE ALL ON FUNCTION llm_add(numeric[], numeric[]), llm_add_slots(bigint[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION llm_add(numeric[], numeric[]), llm_add_slots(bigint[], bigint[]) TO llm_app;

CREATE INDEX conv_session_closing ON conversations_session (organization_id, closed_at);
"""
UNDO = """
DROP INDEX conv_session_closing;
DROP FUNCTION llm_add(numeric[], numeric[]); DROP FUNCTION llm_add_slots(bigint[], bigint[]);
DROP TABLE metrics_rollupslots; DROP TABLE metrics_rollup; DROP TABLE metrics_rollupstate;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("conversations", "0002_isolation"), ("events", "0003_digest_lag")]

    operations: ClassVar = [
        migrations.RunSQL(TABLES, UNDO),
        *(protect(f"metrics_{table}") for table in ("rollupstate", "rollup", "rollupslots")),
        visible_to("llm_owner", "metrics_rollupstate"),
        lookup(
            "llm_organizations_with_stale_rollups(current text)",
            "TABLE (organization_id bigint)",
            """SELECT o.id FROM accounts_organization o
               LEFT JOIN metrics_rollupstate s ON s.organization_id = o.id
               WHERE s.organization_id IS NULL OR s.version <> current OR s.zone <> o.timezone
                  OR s.built_to <> 'infinity'""",
        ),
    ]
