"""From a number to the sessions behind it: their conditions, the same filters, the same days."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from apps.conversations.filters import CONDITIONS
from apps.core.time_buckets import Interval, day_edges
from apps.dashboards.selection import ROLLING_DAYS, Selection
from apps.dashboards.sessions_address import sessions_path
from apps.dashboards.sessions_filter import DIMENSIONS
from apps.metrics.query import OTHER, Point


@dataclass(frozen=True, slots=True)
class Behind:
    """What holds of the sessions in a numerator and in its denominator; empty: nothing but the period."""

    numerator: tuple[str, ...] = ()
    denominator: tuple[str, ...] = ()
    outcome: str = ""
    level: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link to sessions, with what holds of them in words."""

    title: str
    words: str
    path: str


DEFLECTED: Final = Behind(("closed", "deflected"), ("closed", "assisted"))
ERRORS: Final = Behind(("errors",))
BEHIND: Final[dict[str, Behind]] = {
    "frustration_spike_rate": Behind(("closed", "scored", "spiked"), ("closed", "scored")),
    "frustrated_turn_rate": Behind(("frustrated_turns",), ("scored",)),
    "frustration_exit_rate": Behind(("closed", "scored", "frustration_exit"), ("closed", "scored", "spiked")),
    "sentiment_score": Behind(denominator=("sentiment",)),
    "recovery_rate": Behind(("closed", "recovered"), ("closed", "has_spikes")),
    "recovery_rate_confirmed": Behind(("closed", "recovered_confirmed"), ("closed", "has_spikes")),
    "grounding_score": Behind(denominator=("grounding",)),
    "low_grounding_rate": Behind(("low_grounding",), ("grounding",)),
    "grounding_coverage": Behind(("grounding",), ("grounding_expected",)),
    "handoff_rate": Behind(("closed", "handoff"), ("closed",)),
    "human_handoff_rate": Behind(("closed", "human_handoff"), ("closed",)),
    "escalation_deflection_value": DEFLECTED,
    "deflection_value_total": DEFLECTED,
    "deflection_value_net_all": DEFLECTED,
    "deflection_rate": DEFLECTED,
    "deflection_value_verified": Behind(("closed", "deflected"), ("closed", "assisted"), level="verified"),
    "escalation_rate": Behind(("closed", "assisted"), ("closed", "assisted"), outcome="escalated"),
    "contained_rate": Behind(("closed", "assisted"), ("closed", "assisted"), level="contained"),
    "verified_rate": Behind(("closed", "assisted"), ("closed", "assisted"), level="verified"),
    "cost_unpriced_share": Behind(("unpriced",)),
    "usage_suspect_share": Behind(("suspect_usage",)),
    "error_rate": ERRORS,
    "errors": ERRORS,
    "timeout_rate": ERRORS,
    "rate_limit_rate": ERRORS,
    "provider_error_rate": ERRORS,
    "format_error_rate": ERRORS,
    "agent_handoffs": Behind(("agent_handoff",)),
}


def links(key: str, selection: Selection) -> list[Link]:
    """The sessions of a metric's numerator and denominator over the selection's complete days."""
    behind = BEHIND.get(key, Behind())
    found = []
    if behind.numerator:
        words = _words(behind.numerator, behind.outcome, behind.level)
        found.append(
            Link("Numerator", words, numerator_path(key, selection, selection.start, selection.last))
        )
    path = _path(selection, selection.start, selection.last, {"with": behind.denominator})
    title = "Denominator" if behind.numerator and behind.denominator else "Sessions"
    return [*found, Link(title, _words(behind.denominator, "", ""), path)]


def numerator_path(
    key: str, selection: Selection, first: date, last: date, group: dict[str, str] | None = None
) -> str:
    """The sessions that a number counts, from the first to the last day; empty where a group has none."""
    behind = BEHIND.get(key, Behind())
    narrowed: dict[str, str | tuple[str, ...]] = {
        "outcome": behind.outcome,
        "level": behind.level,
        "with": behind.numerator or behind.denominator,
    }
    for name, value in (group or {}).items():
        # `(other)` stands for many values, which no address can name.
        if name not in (*DIMENSIONS, "project", "outcome") or value == OTHER:
            return ""
        narrowed[name] = value
    return _path(selection, first, last, narrowed)


def point_paths(key: str, selection: Selection) -> Callable[[Point], str]:
    """For each point of the metric's course, the address of the sessions that it counts."""
    end = selection.end + timedelta(days=1) if selection.is_preset else selection.end
    starts = day_edges(selection.start, end, _interval(selection))
    end_of = dict(itertools.pairwise(starts))

    def path(point: Point) -> str:
        first = point.start.date()
        last = end_of.get(first, first + timedelta(days=1)) - timedelta(days=1)
        if selection.is_rolling:
            first = last - timedelta(days=ROLLING_DAYS - 1)
        return numerator_path(key, selection, first, max(first, last), point.group)

    return path


def group_path(key: str, selection: Selection, point: Point) -> str:
    """The sessions of a group of the break-down."""
    return numerator_path(key, selection, selection.start, selection.last, point.group)


def _interval(selection: Selection) -> Interval:
    return "day" if selection.interval == "hour" else selection.interval


def _path(selection: Selection, first: date, last: date, narrowed: dict[str, str | tuple[str, ...]]) -> str:
    return sessions_path(
        **{"from": first.isoformat(), "to": last.isoformat(), **selection.filters, **narrowed}
    )


def _words(conditions: tuple[str, ...], outcome: str, level: str) -> str:
    said = [*(CONDITIONS[name].title for name in conditions), outcome.capitalize(), level.capitalize()]
    return ", ".join(word for word in said if word).lower() or "all that began in the period"
