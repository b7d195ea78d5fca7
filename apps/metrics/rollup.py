"""Adding facts up in the database: one pass a fact table, whatever number of metrics is asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from apps.accounts.models import Project
from apps.metrics.formulas import LOG_GROWTH
from apps.metrics.measures.measure import Histogram, Measure
from apps.metrics.query import NONE
from apps.metrics.sources import EVENT, SOURCES, Source

ORGANIZATION = "NULLIF(current_setting('app.organization_id', true), '')::bigint"

Group = tuple[str, ...]
Cell = tuple[int, Group]


@dataclass(frozen=True, slots=True)
class Slice:
    """Which rows count and how they are grouped: the same for every source."""

    edges: list[datetime]
    group_by: Group
    filters: Mapping[str, tuple[str, ...]]
    now: datetime
    agent_projects: list[int]

    def parameters(self) -> dict[str, Any]:
        return {
            "now": self.now,
            "edges": self.edges,
            "first": self.edges[0],
            "last": self.edges[-1],
            "agent_projects": self.agent_projects,
        }


def where(source: Source, piece: Slice, parameters: dict[str, Any], *, bounded: bool = True) -> str:
    """The condition on rows `f`: organisation, time, filters, and no test traffic unless asked for."""
    parts = [f"f.organization_id = {ORGANIZATION}"]
    if bounded:
        parts.append(f"f.{source.time} >= %(first)s AND f.{source.time} < %(last)s")
    for name, values in sorted(piece.filters.items()):
        column = source.dimensions[name]
        parameters[f"filter_{name}"] = list(values)
        if name == "project":
            projects = [
                project.pk
                for project in Project.objects.all()
                if project.name in values or project.public_id in values
            ]
            parameters[f"filter_{name}"] = projects
            parts.append(f"f.project_id = ANY(%(filter_{name})s)")
        elif "" in values or NONE in values:
            parts.append(f"({column} = ANY(%(filter_{name})s) OR {column} IS NULL)")
        else:
            parts.append(f"{column} = ANY(%(filter_{name})s)")
    if "environment" not in piece.filters:
        parts.append("f.environment <> 'test'")
    return " AND ".join(parts)


def groups_sql(source: Source, piece: Slice) -> str:
    """The grouping columns after the bucket, a value where the dimension is empty."""
    return "".join(f", coalesce({source.dimensions[name]}, '{NONE}')" for name in piece.group_by)


def sums(measures: Iterable[Measure], piece: Slice) -> dict[Cell, dict[Any, Any]]:
    """Sums by (bucket, group) of all measures; only cells with rows, and 0 for what a cell lacks."""
    wanted = list(dict.fromkeys(measures))
    cells: dict[Cell, dict[Any, Any]] = defaultdict(dict)
    for source in SOURCES:
        own = [measure for measure in wanted if measure.source is source]
        if not own:
            continue
        parameters = piece.parameters()
        condition = where(source, piece, parameters)
        columns = ", ".join(measure.sql for measure in own)
        grouping = ", ".join(str(number + 1) for number in range(1 + len(piece.group_by)))
        sql = (
            f"SELECT width_bucket(f.{source.time}, %(edges)s::timestamptz[]) - 1{groups_sql(source, piece)}, {columns} "
            f"FROM {source.table} f WHERE {condition} GROUP BY {grouping}"
        )
        for row in fetch(sql, parameters):
            width = 1 + len(piece.group_by)
            cell = (row[0], tuple(row[1:width]))
            cells[cell].update(zip(own, row[width:], strict=True))
    return cells


def slots(histograms: Iterable[Histogram], piece: Slice) -> dict[Cell, dict[Any, Any]]:
    """Counts by slot for each (bucket, group) and histogram; zero values stand in slot -1."""
    cells: dict[Cell, dict[Any, Any]] = defaultdict(dict)
    for histogram in dict.fromkeys(histograms):
        parameters = {**piece.parameters(), "log_growth": LOG_GROWTH}
        condition = where(histogram.source, piece, parameters)
        slot = f"CASE WHEN {histogram.value} > 0 THEN ceil(ln(({histogram.value})::float8) / %(log_growth)s)::int ELSE -1 END"
        grouping = ", ".join(str(number + 1) for number in range(2 + len(piece.group_by)))
        sql = (
            f"SELECT width_bucket(f.{histogram.source.time}, %(edges)s::timestamptz[]) - 1"
            f"{groups_sql(histogram.source, piece)}, {slot}, count(*) FROM {histogram.source.table} f "
            f"WHERE {condition} AND {histogram.where} GROUP BY {grouping}"
        )
        for row in fetch(sql, parameters):
            held = cells[(row[0], tuple(row[1:-2]))].setdefault(histogram, {})
            held[row[-2]] = row[-1]
    return cells


def kept_columns(
    piece: Slice, keep: list[Group] | None, other: Group, parameters: dict[str, Any]
) -> list[str]:
    """The grouping columns over events; groups outside `keep` become `other`."""
    columns = [f"coalesce({EVENT.dimensions[name]}, '{NONE}')" for name in piece.group_by]
    if keep is None:
        return columns
    rows = []
    for number, group in enumerate(keep):
        parameters.update({f"g{number}_{place}": part for place, part in enumerate(group)})
        rows.append("(" + ", ".join(f"%(g{number}_{place})s" for place in range(len(group))) + ")")
    inside = f"({', '.join(columns)}) IN ({', '.join(rows)})"
    return [f"CASE WHEN {inside} THEN {column} ELSE '{other[0]}' END" for column in columns]


def distinct_users(
    windows: list[tuple[datetime, datetime]],
    piece: Slice,
    keep: list[Group] | None,
    other: Group,
    only: str = "true",
) -> dict[Cell, int]:
    """Exact distinct users by (window, group) of the events that fulfil `only`; groups outside `keep`
    are counted together as `other`."""
    parameters: dict[str, Any] = {
        **piece.parameters(),
        "starts": [window[0] for window in windows],
        "ends": [window[1] for window in windows],
    }
    condition = where(EVENT, piece, parameters, bounded=False)
    columns = kept_columns(piece, keep, other, parameters)
    selected = "".join(f", {column}" for column in columns)
    grouping = ", ".join(str(number + 1) for number in range(1 + len(columns)))
    sql = (
        f"SELECT w.number - 1{selected}, count(DISTINCT f.user_id) "
        "FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) WITH ORDINALITY AS w(a, b, number) "
        f"JOIN {EVENT.table} f ON f.at >= w.a AND f.at < w.b WHERE {condition} AND f.user_id IS NOT NULL "
        f"AND {only} GROUP BY {grouping}"
    )
    return {(row[0], tuple(row[1:-1])): row[-1] for row in fetch(sql, parameters)}


def projects_with_agent_runs() -> list[int]:
    """Projects that ever sent an `agent_run`: elsewhere a response counts as a run."""
    return [
        project_id
        for (project_id,) in fetch(
            "SELECT p.id FROM accounts_project p WHERE p.organization_id = "
            f"{ORGANIZATION} AND EXISTS (SELECT 1 FROM events_event e WHERE e.organization_id = {ORGANIZATION} "
            "AND e.project_id = p.id AND e.name = 'agent_run')",
            {},
        )
    ]


def fetch(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
