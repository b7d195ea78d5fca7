from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from apps.core.rls import composite_foreign_key, lookup, protect, visible_to

# The columns as they were when this migration was written: migrations do not follow the code.
COLUMNS = """
    organization_id bigint NOT NULL, project_id bigint NOT NULL, event_key uuid NOT NULL, batch_id bigint NOT NULL,
    at timestamptz NOT NULL, name text NOT NULL, event_id text NOT NULL, session_id text, user_id text,
    environment text NOT NULL, turn integer, response_id text, trace_id text, channel text, intent text, feature text,
    team text, customer text, segment text, release text, language text, experiment text, variant text, provider text,
    model text, model_version text, prompt_name text, prompt_version text, agent text, tool text, stage text,
    error_type text, category text, service text, source text, item text, target text, failed boolean,
    timed_out boolean, error_class text, duration_us bigint, depth integer, is_root boolean, data jsonb
"""

TABLES = f"""
CREATE TABLE events_event ({COLUMNS}) PARTITION BY RANGE (at);
CREATE INDEX events_event_session ON events_event (organization_id, session_id);
CREATE INDEX events_event_batch ON events_event (organization_id, batch_id);
CREATE INDEX events_event_time ON events_event (organization_id, at);
CREATE INDEX events_event_response ON events_event (organization_id, response_id) WHERE response_id IS NOT NULL;
CREATE INDEX events_event_person ON events_event (organization_id, user_id, at) WHERE user_id IS NOT NULL;
CREATE INDEX events_event_trace ON events_event (organization_id, trace_id)
    WHERE session_id IS NULL AND user_id IS NULL AND trace_id IS NOT NULL;
CREATE INDEX events_event_agent ON events_event (organization_id, project_id) WHERE name = 'agent_run';

-- Which ids are known, whatever their time: a unique index on the partitioned table could not say.
CREATE TABLE events_identity (
    organization_id bigint NOT NULL, event_key uuid NOT NULL, at timestamptz NOT NULL, content bigint NOT NULL,
    PRIMARY KEY (organization_id, event_key)
);
CREATE TABLE events_text (
    organization_id bigint NOT NULL, event_key uuid NOT NULL, at timestamptz NOT NULL, body jsonb NOT NULL,
    PRIMARY KEY (organization_id, event_key)
);
"""

# Weeks start on Monday 00:00 UTC. The application may ask for partitions and for the end of old
# ones, but can not create or drop anything else: it is no owner.
MAINTAIN = """
CREATE FUNCTION llm_maintain_partitions(today date, keep_days integer) RETURNS integer
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
                 AND to_date(right(c.relname, 8), 'YYYYMMDD') + 7 <= oldest LOOP
        EXECUTE format('DROP TABLE %I', child);
    END LOOP;
    RETURN made;
END $maintain$;
REVOKE ALL ON FUNCTION llm_maintain_partitions(date, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION llm_maintain_partitions(date, integer) TO llm_app;
SELECT llm_maintain_partitions((now() AT TIME ZONE 'UTC')::date, 400);
"""

PROJECT = ("organization_id", "project_id")
KEY = ("organization_id", "id")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("events", "0001_initial"), ("accounts", "0002_isolation")]

    operations: ClassVar = [
        migrations.RunSQL(
            TABLES, "DROP TABLE events_event; DROP TABLE events_identity; DROP TABLE events_text"
        ),
        *(protect(f"events_{table}") for table in ("event", "identity", "text", "batch", "rejectedevent")),
        migrations.RunSQL(MAINTAIN, "DROP FUNCTION llm_maintain_partitions(date, integer)"),
        composite_foreign_key("events_batch", PROJECT, "accounts_project", KEY),
        composite_foreign_key("events_rejectedevent", PROJECT, "accounts_project", KEY),
        visible_to("llm_owner", "events_batch"),
        visible_to("llm_operator", "events_batch"),
        lookup(
            "llm_organizations_with_pending_batches(at timestamptz)",
            "TABLE (organization_id bigint)",
            """SELECT DISTINCT organization_id FROM events_batch
               WHERE state IN ('pending', 'withdrawing') AND (next_attempt_at IS NULL OR next_attempt_at <= at)
               UNION SELECT id FROM accounts_organization WHERE recompute_requested_at IS NOT NULL""",
        ),
    ]
