"""SQL that folds changed fact rows into the rollups, in the statement that changes them."""

from __future__ import annotations

from functools import cache

from apps.core.rls import CURRENT
from apps.metrics.facts import slot_sql
from apps.metrics.measures.measure import Histogram, Measure
from apps.metrics.rollups.cube import CUBES, SETTLED, VERSION, Cube
from apps.metrics.rollups.values import kept_sql

# A row counts where its local day has been built: a rebuild goes through the days in order.
BUILT = "< s.built_to"
TOTAL = ""


@cache
def fold_sql(table: str, full: frozenset[str], days: str = BUILT) -> str:
    """CTEs that read `changed` (rows of the fact table with a `sign`) and write sums and slots.

    `full` are the dimensions that take in no further value, `days` is the condition on the local day, beside the
    state `s`.
    """
    cube = CUBES[table]
    day = f"(f.{cube.source.time} AT TIME ZONE s.zone)::date"
    rows = (
        f"SELECT f.*, {day} AS day, {environment_sql(full)} AS kept_environment, {columns_sql(cube, full)} "
        "FROM changed f JOIN metrics_rollupstate s "
        f"ON s.organization_id = {CURRENT} AND s.version = '{VERSION}' AND {day} {days}{_relevant(cube)}"
    )
    parts = [f", rolled AS MATERIALIZED ({rows})", _sums(cube)]
    if cube.histograms:
        parts.append(_slots(cube))
    return "".join(parts)


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


def grouping_sql(cube: Cube) -> tuple[str, str]:
    """(columns that name dimension and value, grouping sets: everything, and each dimension alone)."""
    numbers = range(len(cube.dimensions))
    every = ", ".join(f"d{number}" for number in numbers)
    whole = (1 << len(numbers)) - 1
    cases = " ".join(
        f"WHEN {whole & ~(1 << (len(numbers) - 1 - number))} THEN '{name}'"
        for number, name in enumerate(cube.dimensions)
    )
    named = f"CASE GROUPING({every}) {cases} ELSE '{TOTAL}' END AS dimension, coalesce({every}, '') AS value"
    return named, ", ".join(f"({keys})" for keys in ["", *(f"d{number}" for number in numbers)])


def _sums(cube: Cube) -> str:
    named, sets = grouping_sql(cube)
    sums = ", ".join(_sum(measure) for measure in cube.measures)
    return (
        f", sum_changes AS (SELECT project_id, kept_environment AS environment, day, {named}, sum(sign)::bigint AS n, "
        f"ARRAY[{sums}]::numeric[] AS sums FROM rolled f "
        f"GROUP BY project_id, kept_environment, day, GROUPING SETS ({sets}))"
        ", sums_written AS (INSERT INTO metrics_rollup "
        "(organization_id, source, dimension, day, value, project_id, environment, n, sums) "
        f"SELECT {CURRENT}, {cube.number}, dimension, day, value, project_id, environment, n, sums "
        f"FROM sum_changes WHERE (dimension = '{TOTAL}' OR value <> '') AND (n <> 0 OR 0 <> ANY(sums)) "
        "ON CONFLICT (organization_id, source, dimension, day, value, project_id, environment) DO UPDATE "
        "SET n = metrics_rollup.n + excluded.n, sums = llm_add(metrics_rollup.sums, excluded.sums))"
    )


def _sum(measure: Measure) -> str:
    value = f"({measure.value}) * f.sign" if measure.value else "f.sign"
    condition = measure.where.replace("%(now)s", SETTLED)
    chosen = "" if condition == "true" else f" FILTER (WHERE {condition})"
    return f"coalesce(sum({value}){chosen}, 0)"


def _slots(cube: Cube) -> str:
    named, sets = grouping_sql(cube)
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
        f"FROM slot_changes WHERE dimension = '{TOTAL}' OR value <> '' GROUP BY {keys} "
        "ON CONFLICT (organization_id, source, dimension, day, value, histogram, project_id, environment) "
        "DO UPDATE SET slots = llm_add_slots(metrics_rollupslots.slots, excluded.slots))"
    )


def _observed(number: int, histogram: Histogram) -> str:
    condition = histogram.where.replace("%(now)s", SETTLED)
    return f"({number}, CASE WHEN {condition} THEN {slot_sql(histogram.value)} END)"
