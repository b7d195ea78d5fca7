"""The shipped thresholds: three presets as data, each figure with the article that it comes from.

The articles disagree (an error rate of 0.5, 1 or 5 %; a latency of 3, 5 or 10 s); the presets keep
all of them. Figures without a sentence behind them say how they follow from one.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from apps.alerts.models import Preset

FIVE: Final = "The 5 LLM Metrics You're Not Tracking (and Should Be)"
CORE: Final = "The Core KPIs of LLM Performance and How to Track Them"
GUIDE: Final = "The Complete Guide to LLM Product Analytics"
PRODUCTION: Final = "What Metrics Would You Track for an LLM in Production?"
MONITORING: Final = "LLM monitoring: Definition, metrics, and best practices"

Levels = tuple[str | None, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Default:
    """A shipped threshold: the same fields as a row has."""

    metric: str
    target: Decimal | None
    warning: Decimal | None
    critical: Decimal | None
    window_days: int
    minimum_sample: int
    source: str


@dataclass(frozen=True, slots=True)
class Family:
    """One metric's levels (target, warning, critical) by preset, over a common window."""

    metric: str
    window_days: int
    strict: Levels
    normal: Levels
    relaxed: Levels
    source: str
    minimum_sample: int = 30

    def of(self, preset: Preset) -> Default:
        levels: Levels = getattr(self, preset.value)
        target, warning, critical = (None if level is None else Decimal(level) for level in levels)
        return Default(
            self.metric, target, warning, critical, self.window_days, self.minimum_sample, self.source
        )


# Conversation metrics are judged over the 30 days that their tiles show, operating ones day by day.
FAMILIES: Final[tuple[Family, ...]] = (
    Family(
        "frustration_spike_rate",
        30,
        strict=("0.08", "0.08", "0.10"),
        normal=("0.10", "0.10", "0.15"),
        relaxed=("0.10", "0.15", "0.20"),
        source=f"{FIVE}: “Target a frustration spike rate below 10% for support workflows.”",
    ),
    Family(
        "recovery_rate",
        30,
        strict=("0.65", "0.65", "0.60"),
        normal=("0.60", "0.60", "0.50"),
        relaxed=("0.60", "0.50", "0.40"),
        source=f"{FIVE}: “Aim for a 60%+ recovery rate in customer support.”",
    ),
    Family(
        "grounding_score",
        30,
        strict=("0.9", "0.9", "0.8"),
        normal=("0.7", "0.7", "0.6"),
        relaxed=("0.7", "0.6", "0.5"),
        source=f"{FIVE}: “a baseline of 0.7+ for general knowledge agents and 0.9+ for regulated workflows”.",
    ),
    Family(
        "token_efficiency_index",
        30,
        strict=("0.65", "0.65", "0.6"),
        normal=("0.6", "0.6", "0.5"),
        relaxed=("0.6", "0.5", "0.4"),
        source=f"{FIVE}: “Target an efficiency index of 0.6+ in customer support.”",
    ),
    Family(
        "escalation_deflection_value",
        30,
        strict=(None, None, "0"),
        normal=(None, None, "0"),
        relaxed=(None, None, "0"),
        source=f"{FIVE}: a rolling 30-day average that rises; below $0 it costs more than it saves.",
    ),
    Family(
        "error_rate",
        1,
        strict=("0.005", "0.005", "0.01"),
        normal=("0.01", "0.01", "0.05"),
        relaxed=("0.05", "0.05", "0.10"),
        source=f"{MONITORING}: under 0.5%. {GUIDE}: above 1%. {CORE} and {PRODUCTION}: above 5% act at once.",
    ),
    Family(
        "latency_p95",
        1,
        strict=("3000", "3000", "5000"),
        normal=("3000", "5000", "10000"),
        relaxed=("5000", "10000", "20000"),
        source=f"{MONITORING}: over 3 seconds frustrates. {GUIDE}: over 5 seconds. {PRODUCTION}: over 10 s.",
    ),
    Family(
        "latency_p99",
        1,
        strict=("5000", "5000", "10000"),
        normal=("10000", None, "10000"),
        relaxed=("10000", "10000", "20000"),
        source=f"{PRODUCTION}: “Page immediately: … p99 latency > 10s”. {GUIDE}: over 5 seconds.",
    ),
    Family(
        "latency_tail_ratio",
        1,
        strict=("3", "3", "4"),
        normal=("4", "4", "6"),
        relaxed=("4", "6", "8"),
        source=f"{CORE}: “p95 roughly 3 to 4 times p50 at most”.",
    ),
    Family(
        "tool_timeout_rate",
        1,
        strict=("0.01", "0.01", "0.02"),
        normal=("0.01", "0.02", "0.05"),
        relaxed=("0.02", "0.05", "0.10"),
        source=f"{CORE}: “timeouts exceed 1 to 2 percent”.",
    ),
)


def shipped(preset: Preset) -> dict[str, Default]:
    """The thresholds of a preset by metric."""
    return {family.metric: family.of(preset) for family in FAMILIES}
