"""Which groups of an answer stay apart: those with most observations; all others are added up as `(other)`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from apps.metrics import adding
from apps.metrics.adding import Points, add_into
from apps.metrics.catalogue import Metric
from apps.metrics.facts import Group, Slice
from apps.metrics.measures.people import People
from apps.metrics.query import OTHER, Query
from apps.metrics.rollups import combinations


def largest(metric: Metric, query: Query, piece: Slice, *, is_rolling: bool) -> frozenset[Group] | None:
    """The groups that `fold` will keep, found first where rollups answer: the database then folds all others,
    and thousands of cells do not travel. None where nothing is folded, or not that way."""
    parts = metric.formula.measures()
    is_one = len(combinations.combination_of(query.group_by)) == len(query.group_by)
    if not query.group_by or not is_one or is_rolling or not parts or metric.formula.people():
        return None
    if list(parts) != list(metric.formula.parts()) or not all(adding.is_rolled(one, piece) for one in parts):
        return None
    whole = replace(
        piece,
        edges=[piece.edges[0], piece.edges[-1]],
        days=[piece.days[0], piece.days[-1]] if piece.days else None,
    )
    weights = {group: _weight(metric, held) for (_, group), held in adding.sums(parts[-1:], whole).items()}
    return _ranked(weights, query.limit) if len(weights) > query.limit else None


def _ranked(weights: dict[Group, int], limit: int) -> frozenset[Group]:
    return frozenset(sorted(weights, key=lambda group: (-weights[group], group))[:limit])


def fold(
    metric: Metric, merged: Points, query: Query, known: frozenset[Group] | None
) -> tuple[Points, list[Group] | None]:
    """Keep the groups with most observations (`known` already, or found here), up to the limit; the rest becomes
    `(other)`.

    People do not add up: where groups were folded they are left out, to be counted anew.
    """
    if known is None:
        weights: dict[Group, int] = defaultdict(int)
        for groups in merged.values():
            for group, held in groups.items():
                weights[group] += _weight(metric, held)
        if len(weights) <= query.limit:
            return merged, None
    keep = _ranked(weights, query.limit) if known is None else known
    other = tuple(OTHER for _ in query.group_by)
    folded: Points = {}
    for number, groups in merged.items():
        point = {group: _additive(held) for group, held in groups.items() if group in keep}
        for group, held in groups.items():
            if group not in keep:
                add_into(point.setdefault(other, {}), _additive(held))
        folded[number] = point
    return folded, sorted(keep)


def _additive(held: dict[Any, Any]) -> dict[Any, Any]:
    return {key: value for key, value in held.items() if not isinstance(key, People)}


def _weight(metric: Metric, held: dict[Any, Any]) -> int:
    """How much a group counts when groups are ranked: its observations, the last part of the formula."""
    parts: tuple[object, ...] = metric.formula.measures()
    found = held.get((parts or tuple(metric.formula.parts()))[-1], 0)
    return sum(found.values()) if isinstance(found, dict) else int(found or 0)
