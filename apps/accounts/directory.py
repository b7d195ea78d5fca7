"""Finding organisations before one is active: ids only, for commands."""

from __future__ import annotations

from django.db import connection


def organization_ids(named: str | None = None) -> list[int]:
    """Ids of all organisations, or of those with this public id or name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id FROM llm_organizations(%s)", [named])
        return [row[0] for row in cursor.fetchall()]
