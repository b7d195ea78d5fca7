"""Adding facts up in the database: one pass a fact table, whatever number of measures is asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection

from apps.accounts.models import Project
from apps.core.rls import CURRENT
from apps.events.sealed import between
from apps.metrics.formulas import LOG_GROWTH
from apps.metrics.measures.measure import Histogram, Measure
from apps.metrics.query import NONE, OTHER
from apps.metrics.rollups.values import kept_sql
from apps.metrics.sources import EVENT, Source

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
    # The edges as local days, where they are midnights and rollups may answer.
    days: list[date] | None = None
    # Dimensions that take in no further value: what is not kept counts as `(other)`.
    full: frozenset[str] = frozenset()
    # By fact table the rollup that holds all dimensions of a question that names several.
    combined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # The groups that stay apart, where that is known before anything is added up; all others are `(other)`.
    keep: frozenset[Group] | None = None

    @property
    def packs(self) -> str:
        """The condition on packs of sealed events that may hold rows of the slice."""
        return between(self.edges[0], self.edges[-1])

    def parameters(self) -> dict[str, Any]:
        return {
            **keep_parameters(self.keep or (), len(self.group_by)),
            "now": self.now,
            "edges": self.edges,
            "first": self.edges[0],
            "last": self.edges[-1],
            "agent_projects": self.agent_projects,
        }


def keep_parameters(groups: Iterable[Group], dimensions: int) -> dict[str, Any]:
    """The groups that stay apart, an array for each dimension."""
    ordered = sorted(groups)
    return {f"keep_{place}": [group[place] for group in ordered] for place in range(dimensions)}


def where(source: Source, piece: Slice, parameters: dict[str, Any], *, bounded: bool = True) -> str:
    """The condition on rows `f`: organisation, time, filters, and no test traffic unless asked for."""
    parts = [f"f.organization_id = {CURRENT}"]
    if bounded:
        parts.append(f"f.{source.time} >= %(first)s AND f.{source.time} < %(last)s")
    for name, values in sorted(piece.filters.items()):
        column = source.dimensions[name]
        parameters[f"filter_{name}"] = list(values)
        if name == "project":
            parameters[f"filter_{name}"] = project_ids(values)
            parts.append(f"f.project_id = ANY(%(filter_{name})s)")
        elif "" in values or NONE in values:
            parts.append(f"({column} = ANY(%(filter_{name})s) OR {column} IS NULL)")
        elif OTHER in values and name in piece.full:
            kept_column = kept_sql(name, column, piece.full)
            parts.append(f"({column} = ANY(%(filter_{name})s) OR {kept_column} = '{OTHER}')")
        else:
            parts.append(f"{column} = ANY(%(filter_{name})s)")
    if "environment" not in piece.filters:
        parts.append("f.environment <> 'test'")
    return " AND ".join(parts)


def project_ids(values: Iterable[str]) -> list[int]:
    """Projects by name or public id."""
    wanted = set(values)
    return [one.pk for one in Project.objects.all() if one.name in wanted or one.public_id in wanted]


def groups_sql(source: Source, piece: Slice) -> str:
    """The grouping columns after the bucket, a value where the dimension is empty."""
    return "".join(f", {column}" for column in _columns(source, piece))


def _columns(source: Source, piece: Slice) -> list[str]:
    """The dimensions grouped by, as SQL that is never null."""
    known = (kept_sql(name, source.dimensions[name], piece.full) for name in piece.group_by)
    return folded([f"coalesce({column}, '{NONE}')" for column in known], piece)


def folded(columns: list[str], piece: Slice) -> list[str]:
    """Columns of all dimensions grouped by; `(other)` for groups that do not stay apart."""
    return columns if piece.keep is None else _folded(columns)


def _folded(columns: list[str]) -> list[str]:
    """For the groups of `keep_parameters`."""
    arrays = ", ".join(f"%(keep_{place})s::text[]" for place in range(len(columns)))
    inside = f"({', '.join(columns)}) IN (SELECT * FROM unnest({arrays}))"
    return [f"CASE WHEN {inside} THEN {column} ELSE '{OTHER}' END" for column in columns]


def sums_of(
    source: Source,
    measures: list[Measure],
    piece: Slice,
    only: str = "true",
    more: Mapping[str, Any] | None = None,
) -> dict[Cell, dict[Any, Any]]:
    """Sums by (bucket, group) of one source's rows that fulfil `only`; only cells with rows."""
    parameters = piece.parameters()
    condition = where(source, piece, parameters)
    if all(measure.is_peak for measure in measures):
        # Only rows that count: an index may hold just these. Sums have a cell also where they are 0.
        condition += f" AND ({' OR '.join(sorted({f'({measure.where})' for measure in measures}))})"
    columns = ", ".join(measure.sql for measure in measures)
    width = 1 + len(piece.group_by)
    grouping = ", ".join(str(number + 1) for number in range(width))
    head = f"SELECT width_bucket(f.{source.time}, %(edges)s::timestamptz[]) - 1{groups_sql(source, piece)}, {columns} "
    said = f"WHERE {condition} AND {only}"
    sql = f"{head}FROM {source.rows(head, said, packs=piece.packs)} {said} GROUP BY {grouping}"
    return {
        (row[0], tuple(row[1:width])): dict(zip(measures, row[width:], strict=True))
        for row in fetch(sql, {**parameters, **(more or {})})
    }


def slots_of(histogram: Histogram, piece: Slice) -> dict[Cell, dict[int, int]]:
    """Counts by slot for each (bucket, group); zero values stand in slot -1."""
    parameters = piece.parameters()
    condition = where(histogram.source, piece, parameters)
    width = 1 + len(piece.group_by)
    grouping = ", ".join(str(number + 1) for number in range(width + 1))
    source = histogram.source
    head = (
        f"SELECT width_bucket(f.{source.time}, %(edges)s::timestamptz[]) - 1"
        f"{groups_sql(source, piece)}, {slot_sql(histogram.value)}, count(*) "
    )
    said = f"WHERE {condition} AND {histogram.where}"
    sql = f"{head}FROM {source.rows(head, said, packs=piece.packs)} {said} GROUP BY {grouping}"
    found: dict[Cell, dict[int, int]] = defaultdict(dict)
    for row in fetch(sql, parameters):
        found[row[0], tuple(row[1:width])][row[-2]] = row[-1]
    return found


def slot_sql(value: str) -> str:
    """The log-spaced slot of a value in whole micro-units; zero stands in slot -1."""
    return f"CASE WHEN {value} > 0 THEN ceil(ln(({value})::float8) / {LOG_GROWTH!r})::int ELSE -1 END"


def kept_columns(piece: Slice, keep: list[Group] | None, parameters: dict[str, Any]) -> list[str]:
    """The grouping columns over events; groups outside `keep` become `(other)`."""
    return kept(_columns(EVENT, piece), keep, parameters)


def kept(columns: list[str], keep: list[Group] | None, parameters: dict[str, Any]) -> list[str]:
    """Columns of all dimensions grouped by; `(other)` for groups outside `keep`, where that is given."""
    if keep is None:
        return columns
    parameters.update(keep_parameters(keep, len(columns)))
    return _folded(columns)


def distinct_users(
    windows: list[tuple[datetime, datetime]],
    piece: Slice,
    keep: list[Group] | None,
    only: str = "true",
    heads: str = "count(DISTINCT f.user_id)",
) -> dict[Cell, Any]:
    """Exact distinct users (or what `heads` makes of them) by (window, group) of the events that fulfil `only`;
    groups outside `keep` are counted together as `(other)`."""
    parameters: dict[str, Any] = {
        **piece.parameters(),
        "starts": [window[0] for window in windows],
        "ends": [window[1] for window in windows],
    }
    condition = where(EVENT, piece, parameters, bounded=False)
    columns = kept_columns(piece, keep, parameters)
    selected = "".join(f", {column}" for column in columns)
    grouping = ", ".join(str(number + 1) for number in range(1 + len(columns)))
    head = f"SELECT w.number - 1{selected}, {heads} "
    said = f"WHERE {condition} AND f.user_id IS NOT NULL AND {only}"
    packs = between(min(parameters["starts"], default=None), max(parameters["ends"], default=None))
    sql = (
        f"{head}FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) WITH ORDINALITY AS w(a, b, number) "
        f"JOIN {EVENT.rows(head, said, packs=packs)} ON f.at >= w.a AND f.at < w.b {said} GROUP BY {grouping}"
    )
    return {(row[0], tuple(row[1:-1])): row[-1] for row in fetch(sql, parameters)}


def projects_with_agent_runs() -> list[int]:
    """Projects that ever sent an `agent_run`: elsewhere a response counts as a run."""
    return [
        project_id
        for (project_id,) in fetch(
            "SELECT p.id FROM accounts_project p WHERE p.organization_id = "
            f"{CURRENT} AND (EXISTS (SELECT 1 FROM events_event e WHERE e.organization_id = {CURRENT} "
            "AND e.project_id = p.id AND e.name = 'agent_run') OR EXISTS (SELECT 1 FROM events_sealed s "
            f"WHERE s.organization_id = {CURRENT} AND s.project_id = p.id AND s.has_agent_runs))",
            {},
        )
    ]


def fetch(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
