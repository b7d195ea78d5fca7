"""Dimensions that are asked for together: rolled up like one dimension once somebody has asked.

All combinations of all dimensions would nearly copy the events, but people ask for few of them, again and again. The
first question over many rows is answered from the facts and makes its combination a followed one: its days are built
in the background, the digest keeps them from then on, and it answers every question about some of its dimensions.
See docs/decisions/0007-combinations.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from django.db import connection

from apps.core.rls import CURRENT
from apps.metrics.rollups.cube import CARRIED, CUBES, Cube
from apps.metrics.sources import Source

# Fewer rows of facts are added up at once.
FOLLOW_FROM_ROWS: Final = 100_000
MAX_FOLLOWED: Final = 12
# A finer one would answer no faster than the facts.
MAX_ROWS_A_DAY: Final = 2_000
FORGOTTEN_AFTER: Final = timedelta(days=30)

Combination = tuple[str, ...]  # dimensions in order of the alphabet
# The combination that answers, by fact table.
Serving = Mapping[str, Combination]


def name_of(combination: Combination) -> str:
    return ",".join(combination)


def combination_of(names: Iterable[str]) -> Combination:
    """The dimensions that a rollup must hold beside those that every row carries."""
    return tuple(sorted(set(names) - CARRIED))


def followed(cube: Cube) -> tuple[Combination, ...]:
    """What the digest keeps of a fact table, whole or not."""
    return _stored(cube, "NOT is_too_fine AND built_to > '-infinity'")


def serving(names: Iterable[str]) -> Serving:
    """The combination with fewest dimensions that answers for all of these, by fact table; only whole ones."""
    asked = set(combination_of(names))
    if len(asked) < 2:
        return {}
    found: dict[str, Combination] = {}
    for table, cube in CUBES.items():
        able = [
            one for one in _stored(cube, "NOT is_too_fine AND built_to = 'infinity'") if asked <= set(one)
        ]
        if able:
            found[table] = min(able, key=lambda one: (len(one), one))
    return found


def _stored(cube: Cube, condition: str) -> tuple[Combination, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT name FROM metrics_combination WHERE organization_id = {CURRENT} AND source = %s "
            f"AND {condition} ORDER BY name",
            [cube.number],
        )
        found = [tuple(name.split(",")) for (name,) in cursor.fetchall()]
    return tuple(one for one in found if set(one) <= cube.dimensions.keys())


def ask(sources: Iterable[Source], combination: Combination, days: list[date], now: datetime) -> None:
    """Note that the facts of these sources, which have rollups with all of its dimensions, were added up by a combination
    over the local days between the first and the last; where that were many, it is followed from now on."""
    for cube in (CUBES[source.table] for source in sources):
        if _rows_between(cube, days) >= FOLLOW_FROM_ROWS:
            _follow(cube, combination, now)


def _rows_between(cube: Cube, days: list[date]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(sum(n), 0) FROM metrics_rollup WHERE organization_id = {CURRENT} AND source = %s "
            "AND dimension = '' AND day >= %s AND day < %s",
            [cube.number, days[0], days[-1]],
        )
        (rows,) = cursor.fetchone() or (0,)
    return int(rows)


def _follow(cube: Cube, combination: Combination, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT source, name, asked_at < %s FROM metrics_combination WHERE organization_id = {CURRENT}",
            [now - FORGOTTEN_AFTER],
        )
        known = cursor.fetchall()
        forgotten = [(source, name) for source, name, is_old in known if is_old]
        for one in forgotten:
            _forget(*one)
        if len(known) - len(forgotten) < MAX_FOLLOWED:
            cursor.execute(
                "INSERT INTO metrics_combination (organization_id, source, name, asked_at) "
                f"VALUES ({CURRENT}, %s, %s, %s) ON CONFLICT DO NOTHING",
                [cube.number, name_of(combination), now],
            )


def touch(found: Serving, now: datetime) -> None:
    """Note that these combinations have answered, once a day."""
    with connection.cursor() as cursor:
        for table, combination in found.items():
            cursor.execute(
                f"UPDATE metrics_combination SET asked_at = %s WHERE organization_id = {CURRENT} "
                "AND source = %s AND name = %s AND asked_at < %s",
                [now, CUBES[table].number, name_of(combination), now - timedelta(days=1)],
            )


def _forget(source: int, name: str) -> None:
    _remove_rows(source, name)
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM metrics_combination WHERE organization_id = {CURRENT} AND source = %s AND name = %s",
            [source, name],
        )


def _remove_rows(source: int, name: str) -> None:
    with connection.cursor() as cursor:
        for table in ("metrics_rollup", "metrics_rollupslots"):
            cursor.execute(
                f"DELETE FROM {table} WHERE organization_id = {CURRENT} AND source = %s AND dimension = %s",
                [source, name],
            )


def begin_anew() -> None:
    """All rollups were removed: what is followed has to be built again."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE metrics_combination SET built_to = '-infinity', is_too_fine = false WHERE organization_id = {CURRENT}"
        )


def next_to_build() -> tuple[Cube, Combination, date | None] | None:
    """A followed combination that is not whole, and the next day that it lacks: None before its first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT source, name, CASE WHEN built_to > '-infinity' THEN built_to END FROM metrics_combination "
            f"WHERE organization_id = {CURRENT} AND built_to <> 'infinity' AND NOT is_too_fine ORDER BY asked_at, name"
        )
        rows = cursor.fetchall()
    for source, name, built_to in rows:
        cube = next(cube for cube in CUBES.values() if cube.number == source)
        combination = tuple(name.split(","))
        if set(combination) <= cube.dimensions.keys():
            return cube, combination, built_to
        # A dimension that the catalogue no longer knows.
        _forget(source, name)
    return None


def built(cube: Cube, combination: Combination, day: date | None, to: str) -> None:
    """A combination is now built up to a day (`infinity`: whole), unless its last built day shows it to be too fine."""
    name = name_of(combination)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) > %s FROM metrics_rollup WHERE organization_id = {CURRENT} AND source = %s "
            "AND dimension = %s AND day = %s",
            [MAX_ROWS_A_DAY, cube.number, name, day],
        )
        (is_too_fine,) = cursor.fetchone() or (False,)
        if is_too_fine:
            _remove_rows(cube.number, name)
        cursor.execute(
            f"UPDATE metrics_combination SET built_to = %s::date, is_too_fine = %s WHERE organization_id = {CURRENT} "
            "AND source = %s AND name = %s",
            [to, is_too_fine, cube.number, name],
        )


def organizations_with_unbuilt() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id FROM llm_organizations_with_unbuilt_combinations()")
        return [row[0] for row in cursor.fetchall()]
