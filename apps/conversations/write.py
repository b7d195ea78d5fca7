"""Replacing facts set-wise: the old rows of what was touched go, the new ones come, in one statement each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from django.db import connection
from django.db.models import Model

from apps.conversations.load import ORGANIZATION, Key
from apps.conversations.models import Assignment, Generation, Session

ENCODER = msgspec.json.Encoder()


def _columns(model: type[Model]) -> dict[str, str]:
    """Column names and PostgreSQL types of a fact table."""
    return {
        field.column: field.db_type(connection) or "" for field in model._meta.concrete_fields if field.column
    }


def _insert(model: type[Model], rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    columns = _columns(model)
    names = ", ".join(f'"{name}"' for name in columns if name != "organization_id")
    record = ", ".join(f'"{name}" {kind}' for name, kind in columns.items() if name != "organization_id")
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{model._meta.db_table}" (organization_id, {names}) '
            f"SELECT {ORGANIZATION}, {names} FROM json_to_recordset(%s::json) AS t({record})",
            [ENCODER.encode(rows).decode()],
        )


def replace_sessions(
    keys: Iterable[Key], sessions: list[dict[str, Any]], generations: list[dict[str, Any]]
) -> None:
    """Replace the facts of these (project, session)."""
    pairs = sorted(keys)
    projects, names = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    with connection.cursor() as cursor:
        for table in ("conversations_session", "conversations_generation"):
            cursor.execute(
                f"DELETE FROM {table} t USING unnest(%s::bigint[], %s::text[]) AS k(project_id, session_id) "
                f"WHERE t.organization_id = {ORGANIZATION} AND t.project_id = k.project_id AND t.session_id = k.session_id",
                [projects, names],
            )
    _insert(Session, sessions)
    _insert(Generation, generations)


def replace_generations(keys: list[str], rows: list[dict[str, Any]]) -> None:
    """Replace generations that belong to no session, by event key."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM conversations_generation WHERE organization_id = {ORGANIZATION} "
            "AND session_id IS NULL AND event_key = ANY(%s::uuid[])",
            [keys],
        )
    _insert(Generation, rows)


def replace_assignments(stale: list[str], rows: list[Mapping[str, Any]]) -> None:
    """Drop the assignments of these event keys and store the new ones."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM conversations_assignment WHERE organization_id = {ORGANIZATION} "
            "AND event_key = ANY(%s::uuid[])",
            [stale],
        )
    _insert(Assignment, [dict(row) for row in rows])
