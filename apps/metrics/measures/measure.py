"""Measures: additive numbers over one fact table. Metrics divide them; the database only adds."""

from __future__ import annotations

from dataclasses import dataclass

from apps.metrics.sources import Source


# Each is declared once and looked up in every cell of every answer: by identity, not by its texts.
@dataclass(frozen=True, eq=False)
class Measure:
    """The rows `f` of a source that fulfil `where`, counted, or the sum of an SQL `value` over them.

    `title` is what a formula in words calls it. A `is_peak` measure is the largest value instead of
    the sum, and merges by the larger.
    """

    source: Source
    title: str
    where: str = "true"
    value: str = ""
    is_peak: bool = False

    @property
    def sql(self) -> str:
        """The aggregate over rows `f` of the source; never null but for a peak without rows."""
        if not self.value:
            return f"count(*) FILTER (WHERE {self.where})"
        if self.is_peak:
            return f"max({self.value}) FILTER (WHERE {self.where})"
        return f"coalesce(sum({self.value}) FILTER (WHERE {self.where}), 0)"


@dataclass(frozen=True, eq=False)
class Histogram:
    """Values (an integer in micro-units) of the rows that fulfil `where`, counted by log-spaced slot."""

    source: Source
    title: str
    value: str
    where: str
    divisor: int = 1


def squares(source: Source, value: str, where: str = "true") -> Measure:
    """Σ value², for the interval of a mean."""
    return Measure(source, "sum of squares", where, f"({value})::numeric * ({value})")
