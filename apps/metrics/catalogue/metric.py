"""One metric's declaration."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from apps.metrics.formulas import Formula
from apps.metrics.measures.people import People
from apps.metrics.sources import EVENT, Source

Unit = Literal["ratio", "ms", "tokens", "usd", "count", "score"]
Direction = Literal["up", "down", "none"]

SEED_FIVE: Final = "The 5 LLM Metrics You're Not Tracking"
SEED_CORE: Final = "The Core KPIs of LLM Performance"
ALL_ROLES: Final = ("product", "engineering", "finance", "executive")

# Dimensions of some kinds of event only, left out where a metric spans others.
NO_EVENT_KIND: Final = ("tool", "stage", "error_type")
CALLS_ONLY: Final = ("stage", "error_type")
TOOLS_ONLY: Final = ("stage", "error_type", "provider", "model_version", "prompt_name")


@dataclass(frozen=True)
class Metric:
    """What a number means, how it is computed and who reads it.

    `without` takes dimensions away that its rows never have; `also` adds special dimensions of its
    sources. `needs` says which events or fields it lives on.
    """

    key: str
    title: str
    about: str
    lens: str
    unit: Unit
    direction: Direction
    formula: Formula
    roles: tuple[str, ...]
    target: float | None = None
    target_source: str = ""
    definition_version: int = 1
    needs: str = ""
    without: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @cached_property
    def dimensions(self) -> tuple[str, ...]:
        """Dimensions that all parts of the formula have."""
        common = set.intersection(*(set(source.dimensions) - source.special for source in self.sources))
        return tuple(sorted((common - set(self.without)) | set(self.also)))

    @property
    def sources(self) -> set[Source]:
        """The fact tables that the formula's parts come from; people are counted over events."""
        return {EVENT if isinstance(part, People) else part.source for part in self.formula.parts()}
