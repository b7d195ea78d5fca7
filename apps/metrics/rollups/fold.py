"""SQL that folds changed fact rows into the rollups, in the statement that changes them."""

from __future__ import annotations

from functools import lru_cache

from apps.core.rls import CURRENT
from apps.metrics.facts import slot_sql
from apps.metrics.measures.measure import Histogram, Measure
from apps.metrics.rollups.combinations import Combination, name_of
from apps.metrics.rollups.cube import CUBES, SETTLED, VERSION, Cube
from apps.metrics.rollups.values import kept_sql

# A row counts where its local day has been built: a rebuild goes through the days in order.
BUILT = "< s.built_to"
TOTAL = ""


@lru_cache(maxsize=512)
def fold_sql(
    table: str,
    full: frozenset[str],
    combinations: tuple[Combination, ...],
    days: str = BUILT,
    *,
    is_first: bool = False,
) -> str:
    """CTEs that read `changed` (rows of the fact table with a `sign`) and write sums and slots.

    `full` are the dimensions that take in no further value, `days` is the condition on the local day, beside the
    state `s`. `combinations` are kept beside the single dimensions; where `is_first`, their rows are written for the
    first time, and nothing else.
    """
    cube = CUBES[table]
    named, sets = grouping_sql(cube, combinations, alone=is_first)
    kept = "" if is_first or not combinations else _is_built(cube)
    day = f"(f.{cube.source.time} AT TIME ZONE s.zone)::date"
    rows = (
        f"SELECT f.*, {day} AS day, {environment_sql(full)} AS kept_environment, {columns_sql(cube, full)} "
        "FROM changed f JOIN metrics_rollupstate s "
        f"ON s.organization_id = {CURRENT} AND s.version = '{VERSION}' AND {day} {days}{_relevant(cube)}"
    )
    parts = [f", rolled AS MATERIALIZED ({rows})", _sums(cube, named, sets, kept)]
    if cube.histograms:
        parts.append(_slots(cube, named, sets, kept))
    return "".join(parts)


def _is_built(cube: Cube) -> str:
    """No combination takes in a day that has yet to be built for it."""
    return (
        f" AND NOT EXISTS (SELECT FROM metrics_combination b WHERE b.organization_id = {CURRENT} "
        f"AND b.source = {cube.number} AND b.name = dimension AND day >= b.built_to)"
    )


def columns_sql(cube: Cube, full: frozenset[str]) -> str:
    """The dimensions of rows `f` as columns d0, d1…, with `(other)` for values that are not kept."""
    kept = (kept_sql(name, sql, full) for name, sql in cube.dimensions.items())
    return ", ".join(f"{sql} AS d{number}" for number, sql in enumerate(kept))


def environment_sql(full: frozenset[str]) -> str:
    """The environment of rows `f`, `(other)` where it is not kept."""
    return kept_sql("environment", "f.environment", full)


def _relevant(cube: Cube) -> str:
    """Rows that count for something; all, where a measure counts them all."""
    conditions = {one.where for one in cube.measures} | {one.where for one in cube.histograms}
    if "true" in conditions:
        return ""
    return " WHERE " + " OR ".join(f"({one})" for one in sorted(conditions)).replace("%(now)s", SETTLED)


def grouping_sql(
    cube: Cube, combinations: tuple[Combination, ...] = (), *, alone: bool = False
) -> tuple[str, str]:
    """(columns that name dimension and value, grouping sets: everything, each dimension alone, each combination).

    `alone` leaves out all but the combinations. The value of a combination is an array of texts as text, '' for none.
    """
    places = {name: number for number, name in enumerate(cube.dimensions)}
    singles = [] if alone else [(name,) for name in places]
    groups = {one: [places[name] for name in one] for one in [*singles, *combinations]}
    used = sorted({number for numbers in groups.values() for number in numbers})
    every = ", ".join(f"d{number}" for number in used)
    names, values = "", ""
    for group, numbers in groups.items():
        # GROUPING has a bit for every column, the first one highest, that is 0 where the column is grouped by.
        mask = sum(1 << place for place, number in enumerate(reversed(used)) if number not in numbers)
        names += f" WHEN {mask} THEN '{name_of(group)}'"
        if len(group) > 1:
            parts = ", ".join(f"coalesce(d{number}, '')" for number in numbers)
            values += f" WHEN {mask} THEN ARRAY[{parts}]::text"
    value = f"coalesce({every}, '')"
    if values:
        value = f"CASE GROUPING({every}){values} ELSE {value} END"
    named = f"CASE GROUPING({every}){names} ELSE '{TOTAL}' END AS dimension, {value} AS value"
    sets = [", ".join(f"d{number}" for number in numbers) for numbers in groups.values()]
    return named, ", ".join(f"({keys})" for keys in ([] if alone else [""]) + sets)


def _sums(cube: Cube, named: str, sets: str, kept: str) -> str:
    sums = ", ".join(_sum(measure) for measure in cube.measures)
    return (
        f", sum_changes AS (SELECT project_id, kept_environment AS environment, day, {named}, sum(sign)::bigint AS n, "
        f"ARRAY[{sums}]::numeric[] AS sums FROM rolled f "
        f"GROUP BY project_id, kept_environment, day, GROUPING SETS ({sets}))"
        ", sums_written AS (INSERT INTO metrics_rollup "
        "(organization_id, source, dimension, day, value, project_id, environment, n, sums) "
        f"SELECT {CURRENT}, {cube.number}, dimension, day, value, project_id, environment, n, sums "
        f"FROM sum_changes WHERE (dimension = '{TOTAL}' OR value <> '') AND (n <> 0 OR 0 <> ANY(sums)){kept} "
        "ON CONFLICT (organization_id, source, dimension, day, value, project_id, environment) DO UPDATE "
        "SET n = metrics_rollup.n + excluded.n, sums = llm_add(metrics_rollup.sums, excluded.sums))"
    )


def _sum(measure: Measure) -> str:
    value = f"({measure.value}) * f.sign" if measure.value else "f.sign"
    condition = measure.where.replace("%(now)s", SETTLED)
    chosen = "" if condition == "true" else f" FILTER (WHERE {condition})"
    return f"coalesce(sum({value}){chosen}, 0)"


def _slots(cube: Cube, named: str, sets: str, kept: str) -> str:
    observed = ", ".join(_observed(number, one) for number, one in enumerate(cube.histograms, 1))
    keys = "dimension, day, value, histogram, project_id, environment"
    return (
        f", slot_changes AS (SELECT project_id, kept_environment AS environment, day, {named}, histogram, slot::bigint, "
        "sum(sign)::bigint AS n "
        f"FROM rolled f CROSS JOIN LATERAL (VALUES {observed}) AS o(histogram, slot) WHERE slot IS NOT NULL "
        f"GROUP BY project_id, kept_environment, day, histogram, slot, GROUPING SETS ({sets}) HAVING sum(sign) <> 0)"
        ", slots_written AS (INSERT INTO metrics_rollupslots "
        "(organization_id, source, dimension, day, value, histogram, project_id, environment, slots) "
        f"SELECT {CURRENT}, {cube.number}, {keys}, array_agg(slot * 4294967296 + n ORDER BY slot) "
        f"FROM slot_changes WHERE (dimension = '{TOTAL}' OR value <> ''){kept} GROUP BY {keys} "
        "ON CONFLICT (organization_id, source, dimension, day, value, histogram, project_id, environment) "
        "DO UPDATE SET slots = llm_add_slots(metrics_rollupslots.slots, excluded.slots))"
    )


def _observed(number: int, histogram: Histogram) -> str:
    condition = histogram.where.replace("%(now)s", SETTLED)
    return f"({number}, CASE WHEN {condition} THEN {slot_sql(histogram.value)} END)"
