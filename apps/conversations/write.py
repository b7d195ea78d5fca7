"""Replacing facts set-wise: the old rows of what was touched go, the new ones come, in one statement each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.db import connection
from django.db.models import Model

from apps.conversations import follow
from apps.conversations.models import Assignment, Finding, Generation, Run, Session
from apps.conversations.rows import Key
from apps.core.rls import CURRENT

ENCODER = msgspec.json.Encoder()


@dataclass(slots=True)
class Facts:
    """Rows of the fact tables, without the organisation."""

    sessions: list[dict[str, Any]] = field(default_factory=list)
    generations: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)


def _columns(model: type[Model]) -> dict[str, str]:
    """Column names and PostgreSQL types of a fact table."""
    return {
        field.column: field.db_type(connection) or "" for field in model._meta.concrete_fields if field.column
    }


def _insertion(model: type[Model], after: str = "") -> str:
    """INSERT of rows that come as one JSON parameter; `after` names a CTE that must have ended before."""
    columns = _columns(model)
    names = ", ".join(f'"{name}"' for name in columns if name != "organization_id")
    record = ", ".join(f'"{name}" {kind}' for name, kind in columns.items() if name != "organization_id")
    waits = f", (SELECT count(*) FROM {after}) AS ended" if after else ""
    return (
        f'INSERT INTO "{model._meta.db_table}" (organization_id, {names}) '
        f"SELECT {CURRENT}, {names} FROM json_to_recordset(%s::json) AS t({record}){waits}"
    )


def _replace(model: type[Model], stale: str, parameters: list[Any], rows: list[dict[str, Any]]) -> None:
    """Delete what `stale` (FROM … of rows `t`) names and insert `rows`, followers included, in one statement."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH gone AS (DELETE FROM {table} t {stale} RETURNING t.*), "
            f"fresh AS ({_insertion(model, after='gone')} RETURNING *){follow.folded(table)} SELECT 1",
            [*parameters, ENCODER.encode(rows).decode()],
        )


def replace_sessions(keys: Iterable[Key], facts: Facts) -> None:
    """Replace the facts of these (project, session)."""
    pairs = sorted(keys)
    stale = (
        "USING unnest(%s::bigint[], %s::text[]) AS k(project_id, session_id) "
        f"WHERE t.organization_id = {CURRENT} AND t.project_id = k.project_id AND t.session_id = k.session_id"
    )
    named = [[pair[0] for pair in pairs], [pair[1] for pair in pairs]]
    _replace(Session, stale, named, facts.sessions)
    _replace(Generation, stale, named, facts.generations)
    _replace(Finding, stale, named, facts.findings)
    _replace(Run, stale, named, facts.runs)


def replace_loose(keys: list[str], facts: Facts, gone: list[str]) -> None:
    """Replace the facts that belong to no session, by event key; what was found about events that are `gone` goes too."""
    mine = f"WHERE organization_id = {CURRENT} AND session_id IS NULL AND "
    stale = f"{mine}event_key = ANY(%s::uuid[])"
    about = f"{mine}(event_key = ANY(%s::uuid[]) OR about_key = ANY(%s::uuid[]))"
    _replace(Generation, stale, [keys], facts.generations)
    _replace(Finding, about if gone else stale, [keys, gone] if gone else [keys], facts.findings)
    _replace(Run, stale, [keys], facts.runs)


def replace_assignments(stale: list[str], rows: list[Mapping[str, Any]]) -> None:
    """Drop the assignments of these event keys and store the new ones."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM conversations_assignment WHERE organization_id = {CURRENT} "
            "AND event_key = ANY(%s::uuid[])",
            [stale],
        )
        if rows:
            cursor.execute(_insertion(Assignment), [ENCODER.encode(rows).decode()])
