"""Measures: additive numbers over one fact table. Metrics divide them; the database only adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from apps.metrics.sources import Source

Unit = Literal["", "usd", "score", "ms"]
# How many stored units make one: money and scores are kept in 1e-9, times in microseconds.
STORED: Final[dict[Unit, int]] = {"": 1, "usd": 10**9, "score": 10**9, "ms": 1000}


# Each is declared once and looked up in every cell of every answer: by identity, not by its texts.
@dataclass(frozen=True, eq=False)
class Measure:
    """The rows `f` of a source that fulfil `where`, counted, or the sum of an SQL `value` over them.

    `title` is what a formula in words calls it. A `is_peak` measure is the largest value instead of
    the sum, and merges by the larger. `unit` is what a stored value is shown in; a plain number without one.
    """

    source: Source
    title: str
    where: str = "true"
    value: str = ""
    is_peak: bool = False
    unit: Unit = ""

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
    """Σ value², for the interval of a mean; without a title, as no formula in words has it."""
    return Measure(source, "", where, f"({value})::numeric * ({value})")
