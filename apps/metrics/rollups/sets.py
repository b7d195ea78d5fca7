"""Who was active: exact sets of users by local day and one dimension, kept in step with the events.

Distinct people do not add up, sets of them do. Every user of an organisation has a small number, a set
is a bitmap of numbers (see `bitmap`). A dimension without any value on a day, in a project and environment
stores nothing there: who was active without a value is then everybody. With its first value the
others are copied under the empty one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection

from apps.core.rls import CURRENT
from apps.events.sealed import between
from apps.metrics.rollups import bitmap, values
from apps.metrics.rollups.cube import CUBES, VERSION
from apps.metrics.rollups.fold import BUILT, TOTAL, columns_sql, environment_sql, grouping_sql
from apps.metrics.rollups.values import DIGESTED
from apps.metrics.sources import EVENT

CUBE = CUBES[EVENT.table]
# The columns that are read of an event.
NEEDED = " ".join(["f.user_id f.project_id f.environment", *CUBE.dimensions.values()])
SLICE_HOURS = 6
DAY = f"(f.{EVENT.time} AT TIME ZONE s.zone)::date"

Place = tuple[date, int, str]  # local day, project, environment
Key = tuple[str, date, str, int, str, int]  # dimension, local day, value, project, environment, chunk


def add_events(
    condition: str, parameters: list[Any], days: str = BUILT, events: str = f"{EVENT.table} f"
) -> None:
    """Add the users of events `f` to the sets of their days; `days` says which (see `fold_sql`).

    The caller holds the lock of the organisation's digest.
    """
    with connection.cursor() as cursor:
        _give_numbers(cursor, f"{events} WHERE {condition}", parameters)
        found = _found(cursor, condition, parameters, days, events)
        split = _split(cursor, found)
        _copy_totals(cursor, found, split)
        wanted = {key: places for key, places in found.items() if (key[0], (key[1], *key[3:5])) in split}
        _write(cursor, wanted)


def recount(days: Iterable[date]) -> None:
    """Count the users of whole local days anew from the events that were digested."""
    for day in days:
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM metrics_activeusers WHERE organization_id = {CURRENT} AND day = %s", [day]
            )
        # A local day lies within 14 hours before and 36 hours after its midnight in UTC; a few hours fit in memory.
        start = datetime.combine(day, time(), UTC)
        for hours in range(-24, 48, SLICE_HOURS):
            bounds = [start + timedelta(hours=hours + more) for more in (0, SLICE_HOURS)]
            condition = f"f.{EVENT.time} >= %s AND f.{EVENT.time} < %s AND {DIGESTED}"
            events = EVENT.rows(condition, NEEDED, packs=between(*bounds))
            add_events(condition, bounds, f"= '{day.isoformat()}'", events)


def recount_moments(moments: list[datetime]) -> None:
    """Count anew the days, of those that are built, in which these moments lie."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT {DAY} FROM unnest(%s::timestamptz[]) AS f(at) JOIN metrics_rollupstate s "
            f"ON s.organization_id = {CURRENT} AND s.version = '{VERSION}' AND {DAY} {BUILT}",
            [moments],
        )
        days = [day for (day,) in cursor.fetchall()]
    recount(days)


def _give_numbers(cursor: Any, events: str, parameters: list[Any]) -> None:
    """A number for everybody in `events`, rows `f` with their condition, who has none yet."""
    cursor.execute(
        "INSERT INTO metrics_usernumber (organization_id, number, user_id) "
        f"SELECT {CURRENT}, (SELECT coalesce(max(number), -1) FROM metrics_usernumber "
        f"WHERE organization_id = {CURRENT}) + row_number() OVER (ORDER BY p.user_id), p.user_id "
        f"FROM (SELECT DISTINCT f.user_id FROM {events} AND f.organization_id = {CURRENT} "
        f"AND f.user_id IS NOT NULL) p WHERE NOT EXISTS (SELECT FROM metrics_usernumber u "
        f"WHERE u.organization_id = {CURRENT} AND u.user_id = p.user_id)",
        parameters,
    )


def _found(
    cursor: Any, condition: str, parameters: list[Any], days: str, events: str
) -> dict[Key, list[int]]:
    """Places in the chunk by key, of everybody and of each dimension alone."""
    full = values.full_dimensions()
    columns = f"{environment_sql(full)} AS environment, f.user_id, {columns_sql(CUBE, full)}"
    named, sets = grouping_sql(CUBE)
    # A young table has no statistics, and every user would be looked for among all.
    cursor.execute("SET LOCAL enable_nestloop = off")
    cursor.execute(
        f"SELECT {named}, day, project_id, environment, number >> {bitmap.CHUNK_BITS}, "
        f"array_agg(number & {bitmap.CHUNK - 1}) FROM (SELECT DISTINCT {DAY} AS day, f.project_id, "
        f"{columns} FROM {events} JOIN metrics_rollupstate s "
        f"ON s.organization_id = {CURRENT} AND s.version = '{VERSION}' AND {DAY} {days} "
        f"WHERE f.organization_id = {CURRENT} AND f.user_id IS NOT NULL AND {condition}) f "
        f"JOIN metrics_usernumber u ON u.organization_id = {CURRENT} AND u.user_id = f.user_id "
        f"GROUP BY day, project_id, environment, number >> {bitmap.CHUNK_BITS}, GROUPING SETS ({sets})",
        parameters,
    )
    rows = cursor.fetchall()
    cursor.execute("SET LOCAL enable_nestloop = on")
    return {
        (dimension, day, value, project_id, environment, chunk): places
        for dimension, value, day, project_id, environment, chunk, places in rows
    }


def _split(cursor: Any, found: dict[Key, list[int]]) -> set[tuple[str, Place]]:
    """Where sets are stored: of everybody always, of a dimension where a value was seen before."""
    asked = {(dimension, (day, project, environment)) for dimension, day, _, project, environment, _ in found}
    ordered = sorted(asked)
    cursor.execute(
        "SELECT w.number FROM unnest(%s::text[], %s::date[], %s::bigint[], %s::text[]) "
        "WITH ORDINALITY AS w(dimension, day, project_id, environment, number) "
        f"WHERE EXISTS (SELECT FROM metrics_activeusers a WHERE a.organization_id = {CURRENT} "
        "AND (a.dimension, a.day, a.project_id, a.environment) = (w.dimension, w.day, w.project_id, w.environment))",
        _columns(((dimension, *place) for dimension, place in ordered), 4),
    )
    stored = {ordered[number - 1] for (number,) in cursor.fetchall()}
    return stored | {one for one in asked if one[0] == TOTAL}


def _copy_totals(cursor: Any, found: dict[Key, list[int]], split: set[tuple[str, Place]]) -> None:
    """With a dimension's first value somewhere, everybody before had the empty one; adds to `split`."""
    first = {
        (dimension, (day, project, environment))
        for dimension, day, value, project, environment, _ in found
        if value
    } - split
    cursor.execute(
        "INSERT INTO metrics_activeusers "
        "(organization_id, dimension, day, value, project_id, environment, chunk, n, bits) "
        f"SELECT {CURRENT}, w.dimension, a.day, '', a.project_id, a.environment, a.chunk, a.n, a.bits "
        "FROM unnest(%s::text[], %s::date[], %s::bigint[], %s::text[]) AS w(dimension, day, project_id, environment) "
        f"JOIN metrics_activeusers a ON a.organization_id = {CURRENT} AND a.dimension = '{TOTAL}' "
        "AND (a.day, a.project_id, a.environment) = (w.day, w.project_id, w.environment)",
        _columns(((dimension, *place) for dimension, place in first), 4),
    )
    split |= first


def _write(cursor: Any, found: dict[Key, list[int]]) -> None:
    """Join the found users with the stored ones; only rows that change are written."""
    keys = list(found)
    cursor.execute(
        "SELECT w.number, a.bits FROM unnest(%s::text[], %s::date[], %s::text[], %s::bigint[], %s::text[], %s::int[]) "
        "WITH ORDINALITY AS w(dimension, day, value, project_id, environment, chunk, number) "
        f"JOIN metrics_activeusers a ON a.organization_id = {CURRENT} AND (a.dimension, a.day, a.value, "
        "a.project_id, a.environment, a.chunk) = (w.dimension, w.day, w.value, w.project_id, w.environment, w.chunk)",
        _columns(keys, 6),
    )
    stored: dict[Key, bytes] = defaultdict(bytes, {keys[n - 1]: bytes(bits) for n, bits in cursor.fetchall()})
    rows: list[tuple[Any, ...]] = []
    for key, places in found.items():
        bits = bitmap.add(stored[key], places)
        if bits != stored[key]:
            rows.append((*key, bitmap.size(bits), bits))
    cursor.execute(
        "INSERT INTO metrics_activeusers "
        "(organization_id, dimension, day, value, project_id, environment, chunk, n, bits) "
        f"SELECT {CURRENT}, w.* FROM unnest(%s::text[], %s::date[], %s::text[], %s::bigint[], %s::text[], %s::int[], "
        "%s::int[], %s::bytea[]) AS w "
        "ON CONFLICT (organization_id, dimension, day, value, project_id, environment, chunk) "
        "DO UPDATE SET n = excluded.n, bits = excluded.bits",
        _columns(rows, 8),
    )


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Rows turned into one array a column."""
    columns: list[list[Any]] = [[] for _ in range(width)]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return columns
