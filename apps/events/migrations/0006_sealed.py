"""Packs of events that were sealed, how far an organisation has been sealed, and weeks without the room that this left."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from apps.core.rls import lookup, protect

# The columns as they were when this migration was written. An array is null where all its values are.
ARRAYS = """
    derived_id uuid[], derived_end integer[], event_id text[], data text[], batch_id bigint[], at timestamptz[], name text[],
    session_id text[], user_id text[], environment text[], turn integer[], response_id text[], trace_id text[],
    channel text[], intent text[], feature text[], team text[], customer text[], segment text[], release text[],
    language text[], experiment text[], variant text[], provider text[], model text[], model_version text[],
    prompt_name text[], prompt_version text[], agent text[], tool text[], stage text[], error_type text[],
    category text[], service text[], source text[], item text[], target text[], failed boolean[], timed_out boolean[],
    error_class text[], duration_us bigint[], depth integer[], is_root boolean[]
"""

TABLES = f"""
CREATE TABLE events_sealed (
    organization_id bigint NOT NULL, project_id bigint NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY,
    n integer NOT NULL, first_at timestamptz NOT NULL, last_at timestamptz NOT NULL,
    low bigint NOT NULL, high bigint NOT NULL, has_agent_runs boolean NOT NULL,
    responses integer[], people integer[], {ARRAYS},
    PRIMARY KEY (organization_id, id)
) WITH (toast_tuple_target = 256);
CREATE INDEX events_sealed_time ON events_sealed (organization_id, last_at);
CREATE INDEX events_sealed_agent ON events_sealed (organization_id, project_id) WHERE has_agent_runs;

CREATE TABLE events_sealing (
    organization_id bigint PRIMARY KEY, sealed_to timestamptz NOT NULL, digested_at timestamptz NOT NULL
);
"""

# The Monday of a partition; null of any other name, which a plan may ask for as well.
WEEK = """
CREATE OR REPLACE FUNCTION llm_partition_week(name name) RETURNS date LANGUAGE sql IMMUTABLE AS
    $week$ SELECT CASE WHEN name ~ '^events_event_[0-9]{8}$' THEN to_date(right(name, 8), 'YYYYMMDD') END $week$;
"""
MAINTAIN = """
CREATE OR REPLACE FUNCTION llm_maintain_partitions(today date, keep_days integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $maintain$
DECLARE
    week date; child text; made integer := 0; oldest date;
BEGIN
    IF keep_days < 35 OR keep_days > 400 THEN RAISE EXCEPTION 'keep_days must be 35 to 400'; END IF;
    oldest := date_trunc('week', today - keep_days)::date;
    FOR number IN 0..59 LOOP
        week := oldest + number * 7;
        EXIT WHEN week > today + 14;
        child := 'events_event_' || to_char(week, 'YYYYMMDD');
        IF to_regclass(child) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF events_event FOR VALUES FROM (%L) TO (%L)', child,
                           week::text || ' 00:00:00+00', (week + 7)::text || ' 00:00:00+00');
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', child);
            EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', child);
            EXECUTE format('CREATE POLICY tenant ON %I USING (organization_id = '
                'NULLIF(current_setting(''app.organization_id'', true), '''')::bigint) WITH CHECK (organization_id = '
                'NULLIF(current_setting(''app.organization_id'', true), '''')::bigint)', child);
            EXECUTE format('REVOKE ALL ON %I FROM llm_app', child);
            made := made + 1;
        END IF;
    END LOOP;
    FOR child IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                 WHERE i.inhparent = 'events_event'::regclass
                 AND llm_partition_week(c.relname) + 7 <= oldest LOOP
        EXECUTE format('DROP TABLE %I', child);
    END LOOP;
    DELETE FROM events_sealed WHERE last_at < oldest::timestamp AT TIME ZONE 'UTC';
    RETURN made;
END $maintain$;
"""

# A week that is over and mostly sealed is written anew without the room that the sealed events left, one a call. Its
# comment says how many pages remained, so that a week of few large events is not written again and again.
COMPACT = """
CREATE FUNCTION llm_compact_partition(before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '200ms' AS $compact$
DECLARE
    child record;
BEGIN
    SELECT c.oid, c.relname, x.indexrelid::regclass::text AS by_time INTO child
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_index x ON x.indrelid = c.oid
    JOIN pg_inherits y ON y.inhrelid = x.indexrelid AND y.inhparent = 'events_event_time'::regclass
    WHERE i.inhparent = 'events_event'::regclass AND llm_partition_week(c.relname) + 7 <= before
    AND c.reltuples >= 0 AND pg_relation_size(c.oid) > greatest(1048576, 1500 * c.reltuples)
    AND pg_relation_size(c.oid) / 8192 > 1.5 * coalesce(
        substring(obj_description(c.oid, 'pg_class') FROM '^compacted to ([0-9]+) pages$')::bigint, 0)
    ORDER BY pg_relation_size(c.oid) DESC LIMIT 1;
    IF child.oid IS NULL THEN RETURN 0; END IF;
    EXECUTE format('CLUSTER %I USING %s', child.relname, child.by_time);
    EXECUTE format('COMMENT ON TABLE %I IS %L', child.relname,
                   'compacted to ' || pg_relation_size(child.oid) / 8192 || ' pages');
    RETURN 1;
END $compact$;
REVOKE ALL ON FUNCTION llm_compact_partition(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION llm_compact_partition(date) TO llm_app;
"""
# Whoever drops the partitions past the longest retention sees packs that are as old, and no others.
EXPIRED = """
CREATE POLICY expired ON events_sealed TO llm_owner USING (last_at < now() - interval '400 days');
GRANT SELECT, DELETE ON events_sealed TO llm_owner;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("events", "0005_achievements")]

    operations: ClassVar = [
        # Without a way back: dropping the packs would drop the events in them.
        migrations.RunSQL(TABLES),
        protect("events_sealed"),
        protect("events_sealing"),
        migrations.RunSQL(WEEK),
        migrations.RunSQL(MAINTAIN),
        migrations.RunSQL(EXPIRED),
        migrations.RunSQL(COMPACT),
        lookup(
            "llm_organizations_with_events()",
            "TABLE (organization_id bigint)",
            """SELECT o.id FROM accounts_organization o
               WHERE EXISTS (SELECT FROM events_batch b WHERE b.organization_id = o.id AND b.accepted > 0)""",
        ),
    ]
