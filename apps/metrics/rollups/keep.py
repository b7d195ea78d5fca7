"""Keeping an organisation's rollups: from its first digest on, and rebuilt when definitions or its zone change.

A rebuild goes through the local days in order, each in a transaction of its own beside the digest: days
before `built_to` are kept in step by the digest, later ones are not there yet. Until the last day is
built every answer comes from the facts, so that no number is wrong in between.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection

from apps.conversations.digest import lock_and_wait, try_lock
from apps.core.rls import CURRENT
from apps.core.tenancy import tenant
from apps.core.time_buckets import days_between
from apps.events.sealed import between
from apps.metrics.rollups import combinations, sets, values
from apps.metrics.rollups.combinations import Combination
from apps.metrics.rollups.cube import CUBES, VERSION, Cube
from apps.metrics.rollups.fold import BUILT, fold_sql
from apps.metrics.rollups.values import DIGESTED, DISPLACED, full_dimensions
from apps.metrics.sources import EVENT, Source

BUILDING = 7403
# What the SQL of a fold names without its `f.`.
CARRIED_COLUMNS = "f.project_id f.environment"
TABLES = ("metrics_rollup", "metrics_rollupslots", "metrics_activeusers")


class Keeper:
    """The follower of the digest."""

    def begin(self) -> None:
        """Before an organisation's first digest nothing counts: from then on its rollups are whole."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT 1 FROM metrics_rollupstate WHERE organization_id = {CURRENT} UNION ALL "
                f"(SELECT 1 FROM events_batch WHERE organization_id = {CURRENT} AND accepted > 0 "
                "AND digested_at IS NOT NULL LIMIT 1) LIMIT 1"
            )
            is_known = cursor.fetchone() is not None
        if not is_known:
            _start("'infinity'")

    def end(self) -> None:
        """Remove what was taken back entirely, so that the same events leave the same tables."""
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM metrics_rollup WHERE organization_id = {CURRENT} AND n = 0")
            cursor.execute(
                f"DELETE FROM metrics_rollupslots WHERE organization_id = {CURRENT} AND slots = '{{}}'"
            )

    def fold(self, table: str) -> str:
        return fold_sql(table, full_dimensions(), combinations.followed(CUBES[table]))

    def events_come(self, condition: str, parameters: list[Any]) -> None:
        values.add_events(condition, parameters)

    def events_counted(self, condition: str, parameters: list[Any]) -> None:
        sets.add_events(condition, parameters)

    def events_removed(self, moments: list[datetime]) -> None:
        values.remove_moments(moments)
        sets.recount_moments(moments)

    def reset(self) -> None:
        _remove()
        values.recount()
        _start("'infinity'")
        with connection.cursor() as cursor:
            cursor.execute(_fold_existing(EVENT, DIGESTED))
        first, last = _local_days()
        if first is not None and last is not None:
            sets.recount(days_between(first, last + timedelta(days=1)))

    def forget(self, project_id: int) -> None:
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(
                    f"DELETE FROM {table} WHERE organization_id = {CURRENT} AND project_id = %s", [project_id]
                )


def _fold_existing(
    source: Source,
    condition: str,
    days: str = BUILT,
    combination: Combination | None = None,
    packs: str = "true",
) -> str:
    """SQL that adds up what is there, of one combination or of everything but combinations."""
    fold = fold_sql(
        source.table,
        full_dimensions(),
        (combination,) if combination else (),
        days,
        is_first=combination is not None,
    )
    return (
        f"WITH changed AS (SELECT 1::bigint AS sign, f.* FROM {source.rows(fold, condition, CARRIED_COLUMNS, packs=packs)} "
        f"WHERE f.organization_id = {CURRENT} AND {condition}){fold} SELECT 1"
    )


def _remove() -> None:
    combinations.begin_anew()
    with connection.cursor() as cursor:
        for table in (*TABLES, "metrics_rollupstate"):
            cursor.execute(f"DELETE FROM {table} WHERE organization_id = {CURRENT}")


def _start(built_to: str, first: date | None = None, last: date | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO metrics_rollupstate (organization_id, version, zone, built_to, first_day, last_day) "
            f"SELECT id, %s, timezone, {built_to}, %s, %s FROM accounts_organization WHERE id = {CURRENT}",
            [VERSION, first, last],
        )


def stale_organizations() -> list[int]:
    """Organisations whose rollups are missing, of other definitions or another zone, or not yet whole."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id FROM llm_organizations_with_stale_rollups(%s)", [VERSION])
        return [row[0] for row in cursor.fetchall()]


def rebuild(organization_id: int) -> None:
    """Build what is missing, a local day a transaction; one that is killed is taken up where it ended."""
    with tenant(organization_id, durable=True):
        if not _begin_building():
            return
        _prepare()
    while _build_day(organization_id):
        pass


def _begin_building() -> bool:
    """Keep digests out until the transaction ends; False where another worker builds: it does all that is to do."""
    if not try_lock(BUILDING):
        return False
    lock_and_wait()
    return True


def _prepare() -> None:
    """Begin anew unless a rebuild of the same definitions and zone is under way."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.version, s.zone = o.timezone FROM metrics_rollupstate s "
            f"JOIN accounts_organization o ON o.id = s.organization_id WHERE s.organization_id = {CURRENT}"
        )
        version, is_same_zone = cursor.fetchone() or ("", False)
    if version == VERSION and is_same_zone:
        return
    _remove()
    if version not in (VERSION, DISPLACED):
        values.recount()
    first, last = _local_days()
    if first is None:
        _start("'infinity'")
    else:
        _start(f"'{first.isoformat()}'", first, last)


def _local_days() -> tuple[date | None, date | None]:
    """First and last local day with a fact."""
    times = {cube.source.table: (cube.source.time, cube.source.time) for cube in CUBES.values()}
    times["events_sealed"] = ("first_at", "last_at")
    each = ", ".join(
        f"(SELECT {which}(f.{columns[place]}) FROM {table} f WHERE f.organization_id = {CURRENT})"
        for place, which in enumerate(("min", "max"))
        for table, columns in times.items()
    )
    half = len(times)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT o.timezone, {each} FROM accounts_organization o WHERE o.id = {CURRENT}",
        )
        row = cursor.fetchone() or ("UTC",)
        firsts = [one for one in row[1 : 1 + half] if one is not None]
        lasts = [one for one in row[1 + half :] if one is not None]
        if not firsts:
            return None, None
        cursor.execute(
            "SELECT (%s::timestamptz AT TIME ZONE %s)::date, (%s::timestamptz AT TIME ZONE %s)::date",
            [min(firsts), row[0], max(lasts), row[0]],
        )
        first, last = cursor.fetchone() or (None, None)
    return first, last


def _build_day(organization_id: int) -> bool:
    """Build the next day; False when all are built."""
    with tenant(organization_id, durable=True):
        if not _begin_building():
            return False
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT built_to FROM metrics_rollupstate WHERE organization_id = {CURRENT} AND version = %s "
                "AND built_to <> 'infinity'",
                [VERSION],
            )
            row = cursor.fetchone()
            if row is None:
                return False
            day: date = row[0]
            for cube in CUBES.values():
                _fold_day(cube, day, "= s.built_to")
            sets.recount([day])
            # A digest in between may have brought a day after the last one that was known.
            _, last = _local_days()
            reached = last is None or day >= last
            cursor.execute(
                f"UPDATE metrics_rollupstate SET built_to = %s::date WHERE organization_id = {CURRENT}",
                ["infinity" if reached else day + timedelta(days=1)],
            )
    return not reached


def _fold_day(cube: Cube, day: date, days: str, combination: Combination | None = None) -> None:
    """Add up one local day; `days` is the condition that picks it."""
    # A local day lies within 14 hours before and 36 hours after its midnight in UTC.
    midnight = datetime.combine(day, time(), UTC)
    bounds = [midnight - timedelta(days=1), midnight + timedelta(days=2)]
    condition = f"f.{cube.source.time} >= %s AND f.{cube.source.time} < %s"
    if cube.source is EVENT:
        condition += f" AND {DIGESTED}"
    with connection.cursor() as cursor:
        cursor.execute(_fold_existing(cube.source, condition, days, combination, between(*bounds)), bounds)


def build_combinations(organization_id: int) -> None:
    """Build what is asked for together, a local day a transaction, like a rebuild; waits for whole rollups."""
    while _build_day_of_combination(organization_id):
        pass


def _build_day_of_combination(organization_id: int) -> bool:
    """Build the next day of a combination; False when all are whole."""
    with tenant(organization_id, durable=True):
        if not _begin_building():
            return False
        unbuilt = combinations.next_to_build() if is_current() else None
        if unbuilt is None:
            return False
        cube, combination, next_day = unbuilt
        first, last = _local_days()
        day = next_day or first
        if day is not None:
            _fold_day(cube, day, f"= '{day.isoformat()}'", combination)
        reached = day is None or last is None or day >= last
        to = "infinity" if reached or day is None else (day + timedelta(days=1)).isoformat()
        combinations.built(cube, combination, day, to)
    return True


def is_current() -> bool:
    """Whether the active organisation's rollups are whole and of these definitions and its zone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM metrics_rollupstate s JOIN accounts_organization o ON o.id = s.organization_id "
            f"WHERE s.organization_id = {CURRENT} AND s.version = %s AND s.zone = o.timezone AND s.built_to = 'infinity'",
            [VERSION],
        )
        return cursor.fetchone() is not None


def progress() -> tuple[int, int] | None:
    """(days built, days to build) while a rebuild is under way, else None."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT built_to - first_day, last_day - first_day + 1 FROM metrics_rollupstate "
            f"WHERE organization_id = {CURRENT} AND built_to <> 'infinity' AND first_day IS NOT NULL"
        )
        row = cursor.fetchone()
    return (int(row[0]), int(row[1])) if row else None
