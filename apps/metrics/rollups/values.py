"""Which values a dimension keeps: the first ones, so that what somebody sends can not grow the rollups without bound.

Kept are the first `MAX_VALUES` values of each dimension by the time of their first event, then by the value; all later
ones are counted together as `(other)`. Only the kept ones are stored, which is enough to stay exact: a value that was
left out may come in only with an event that is earlier than all of its events before. See docs/decisions/0006-values.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from django.db import connection

from apps.core.rls import CURRENT
from apps.events.sealed import between
from apps.metrics.query import NONE, OTHER
from apps.metrics.rollups.cube import CUBES
from apps.metrics.sources import EVENT

MAX_VALUES: Final = 1000
# Of what every row carries, projects are few by nature.
GUARDED: Final = {**CUBES[EVENT.table].dimensions, "environment": EVENT.dimensions["environment"]}
# Kept beside the first values, whenever it comes: numbers leave it out unless they are asked for it.
ALWAYS_KEPT: Final = ("environment", "test")
# A rollup of this version was built with values that are no longer the kept ones.
DISPLACED: Final = "displaced"
# Events of batches that the digest has not reached yet are counted by it.
DIGESTED: Final = f"f.batch_id NOT IN (SELECT id FROM events_batch WHERE organization_id = {CURRENT} AND digested_at IS NULL)"

Value = tuple[str, str]  # dimension, value


def full_dimensions() -> frozenset[str]:
    """Dimensions of the active organisation that take in no further value."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT dimension FROM metrics_dimensionvalue WHERE organization_id = {CURRENT} "
            "GROUP BY dimension HAVING count(*) >= %s",
            [MAX_VALUES],
        )
        return frozenset(name for (name,) in cursor.fetchall())


def kept_sql(name: str, sql: str, full: frozenset[str]) -> str:
    """A dimension's SQL over rows `f` with `(other)` for what is not kept; null stays null."""
    if name not in full:
        return sql
    always = f"{sql} = '{ALWAYS_KEPT[1]}' OR " if name == ALWAYS_KEPT[0] else ""
    return (
        f"CASE WHEN {always}{sql} IN (SELECT v.value FROM metrics_dimensionvalue v WHERE v.organization_id = {CURRENT} "
        f"AND v.dimension = '{name}') THEN {sql} WHEN {sql} IS NOT NULL THEN '{OTHER}' END"
    )


def names_left_out(filters: Mapping[str, Iterable[str]], full: frozenset[str]) -> bool:
    """Whether a filter names a value that is counted under `(other)`: only facts know it."""
    asked = [(name, value) for name in full & filters.keys() for value in filters[name]]
    wanted = {one for one in asked if one[1] not in ("", NONE, OTHER)} - {ALWAYS_KEPT}
    return bool(wanted) and not wanted <= _kept({name for name, _ in wanted})


def add_events(
    condition: str,
    parameters: list[Any],
    dimensions: Iterable[str] = GUARDED,
    events: str = f"{EVENT.table} f",
) -> None:
    """Keep what events `f` that count from now on bring, and leave out what they displace.

    The caller holds the lock of the organisation's digest.
    """
    said = ", ".join(f"('{name}', {GUARDED[name]})" for name in sorted(dimensions))
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH found AS (SELECT v.dimension, v.value, min(f.at) AS first_at "
            f"FROM {events} CROSS JOIN LATERAL (VALUES {said}) AS v(dimension, value) "
            f"WHERE f.organization_id = {CURRENT} AND v.value <> '' AND (v.dimension, v.value) <> {ALWAYS_KEPT} "
            f"AND {condition} GROUP BY 1, 2), "
            "full_until AS (SELECT dimension, max(first_at) AS until FROM metrics_dimensionvalue "
            f"WHERE organization_id = {CURRENT} GROUP BY dimension HAVING count(*) >= %s) "
            "INSERT INTO metrics_dimensionvalue AS known (organization_id, dimension, value, first_at) "
            f"SELECT {CURRENT}, dimension, value, first_at FROM found LEFT JOIN full_until USING (dimension) "
            "WHERE until IS NULL OR first_at <= until "
            "ON CONFLICT (organization_id, dimension, value) DO UPDATE SET first_at = excluded.first_at "
            "WHERE excluded.first_at < known.first_at RETURNING dimension, value, xmax = 0",
            [*parameters, MAX_VALUES],
        )
        fresh = {(dimension, value) for dimension, value, is_new in cursor.fetchall() if is_new}
        if fresh and _leave_out({dimension for dimension, _ in fresh}) - fresh:
            _displace()


def remove_moments(moments: list[datetime]) -> None:
    """Find anew which values are kept where the first event of one may be among those removed (times to the
    quarter of an hour)."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT dimension, value FROM metrics_dimensionvalue WHERE organization_id = {CURRENT} "
            "AND date_bin('15 minutes', first_at, timestamptz 'epoch') = ANY(%s)",
            [moments],
        )
        doubtful: set[Value] = set(cursor.fetchall())
        if not doubtful:
            return
        dimensions = {dimension for dimension, _ in doubtful}
        full = full_dimensions() & dimensions
        before = _kept(full)
        cursor.execute(
            f"DELETE FROM metrics_dimensionvalue WHERE organization_id = {CURRENT} "
            "AND (dimension, value) IN (SELECT * FROM unnest(%s::text[], %s::text[]))",
            [[name for name, _ in doubtful], [value for _, value in doubtful]],
        )
    first = min(moments)
    add_events(f"f.{EVENT.time} >= %s AND {DIGESTED}", [first], dimensions, _all_events(between(first, None)))
    if _kept(full) != before:
        _displace()


def recount() -> None:
    """Find anew which values are kept from all events that were digested."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM metrics_dimensionvalue WHERE organization_id = {CURRENT}")
    add_events(DIGESTED, [], GUARDED, _all_events())


def _all_events(packs: str = "true") -> str:
    return EVENT.rows(*GUARDED.values(), DIGESTED, packs=packs)


def _kept(dimensions: Iterable[str]) -> set[Value]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT dimension, value FROM metrics_dimensionvalue WHERE organization_id = {CURRENT} "
            "AND dimension = ANY(%s)",
            [sorted(dimensions)],
        )
        return set(cursor.fetchall())


def _leave_out(dimensions: Iterable[str]) -> set[Value]:
    """Remove, and return, what does not belong to the first values of these dimensions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM metrics_dimensionvalue d USING (SELECT dimension, value, row_number() OVER "
            '(PARTITION BY dimension ORDER BY first_at, value COLLATE "C") AS place FROM metrics_dimensionvalue '
            f"WHERE organization_id = {CURRENT} AND dimension = ANY(%s)) late WHERE late.place > %s "
            f"AND d.organization_id = {CURRENT} AND (d.dimension, d.value) = (late.dimension, late.value) "
            "RETURNING d.dimension, d.value",
            [sorted(dimensions), MAX_VALUES],
        )
        return set(cursor.fetchall())


def _displace() -> None:
    """The stored rollups name values apart that no longer are: facts answer until they are built anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE metrics_rollupstate SET version = %s WHERE organization_id = {CURRENT}", [DISPLACED]
        )
