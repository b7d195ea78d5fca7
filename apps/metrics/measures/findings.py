"""Measures over findings: evaluations, and hits of guardrails, with the answer or message they are about."""

from __future__ import annotations

from typing import Final

from apps.metrics.measures.measure import Measure, squares
from apps.metrics.sources import FINDING


def scores(name: str) -> tuple[Measure, Measure, Measure]:
    """Sum, sum of squares (both in 1e-9) and number of the evaluations of a name that have a value."""
    where = f"f.kind = 'evaluation' AND f.name = '{name}' AND f.value IS NOT NULL"
    return (
        Measure(FINDING, f"sum of {name} evaluations", where, "f.value * 1000000000", unit="score"),
        squares(FINDING, "f.value * 1000000000", where),
        Measure(FINDING, f"{name} evaluations", where),
    )


def hits(category: str, title: str) -> Measure:
    """Messages in which something of the category was found."""
    return Measure(FINDING, f"messages with {title}", f"f.kind = 'hit' AND f.name = '{category}'")


HALLUCINATION: Final = "f.kind = 'evaluation' AND f.name = 'hallucination'"
hallucination_checks: Final = Measure(FINDING, "hallucination evaluations", HALLUCINATION)
hallucinated: Final = Measure(
    FINDING, "evaluations labelled hallucinated", f"{HALLUCINATION} AND f.label = 'hallucinated'"
)
