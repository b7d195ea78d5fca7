"""Migration operations for the second lock: row-level security, composite foreign keys, look-ups.

Policies read the tenant setting through NULLIF because the setting is '' (not NULL) once a
transaction that set it has ended.
"""

from __future__ import annotations

from django.db import migrations

CURRENT = "NULLIF(current_setting('app.organization_id', true), '')::bigint"


def protect_sql(table: str, column: str = "organization_id") -> str:
    """SQL that closes a table (or partition) to everything but the active organisation's rows."""
    return f"""
ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON "{table}" USING ("{column}" = {CURRENT}) WITH CHECK ("{column}" = {CURRENT});
"""


def protect(table: str, column: str = "organization_id") -> migrations.RunSQL:
    """Close `table` to everything but rows whose `column` is the active organisation."""
    undo = f"""
DROP POLICY IF EXISTS tenant ON "{table}";
ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY;
ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY;
"""
    return migrations.RunSQL(protect_sql(table, column), undo)


def composite_foreign_key(
    table: str,
    columns: tuple[str, ...],
    to_table: str,
    to_columns: tuple[str, ...],
    on_delete: str = "CASCADE",
) -> migrations.RunSQL:
    """A foreign key that can not reach another organisation's row: the organisation is part of it."""
    name = f"{table}_{'_'.join(columns[1:])}_fk"[:63]
    mine = ", ".join(f'"{column}"' for column in columns)
    theirs = ", ".join(f'"{column}"' for column in to_columns)
    return migrations.RunSQL(
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" FOREIGN KEY ({mine}) '
        f'REFERENCES "{to_table}" ({theirs}) ON DELETE {on_delete} DEFERRABLE INITIALLY DEFERRED',
        f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"',
    )


def visible_to(role: str, table: str, columns: tuple[str, ...] = ()) -> migrations.RunSQL:
    """Let `role` read all rows of `table` (of `columns` only, where given); used for look-ups and operators."""
    what = f" ({', '.join(columns)})" if columns else ""
    policy = f"visible_to_{role}"
    return migrations.RunSQL(
        f'CREATE POLICY {policy} ON "{table}" FOR SELECT TO {role} USING (true); '
        f'GRANT SELECT{what} ON "{table}" TO {role};',
        f'REVOKE SELECT ON "{table}" FROM {role}; DROP POLICY {policy} ON "{table}";',
    )


def lookup(signature: str, returns: str, body: str) -> migrations.RunSQL:
    """A SECURITY DEFINER function that answers with ids only, callable by the application role.

    The listed exceptions to tenancy: what must be found before the organisation is known.
    """
    return migrations.RunSQL(
        f"CREATE OR REPLACE FUNCTION {signature} RETURNS {returns} LANGUAGE sql STABLE SECURITY DEFINER "
        f"SET search_path = public, pg_temp AS $lookup${body}$lookup$; "
        f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC; GRANT EXECUTE ON FUNCTION {signature} TO llm_app;",
        f"DROP FUNCTION {signature};",
    )
