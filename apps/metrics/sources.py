"""The three fact tables that metrics are computed from, their time column and their dimensions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Source:
    """A fact table: `time` decides the bucket; `dimensions` maps a dimension to its SQL."""

    table: str
    time: str
    dimensions: dict[str, str] = field(hash=False)


def _plain(*names: str) -> dict[str, str]:
    return {name: f"f.{name}" for name in names}


COMMON: Final = (
    "environment",
    "feature",
    "team",
    "customer",
    "intent",
    "channel",
    "segment",
    "release",
    "prompt_version",
    "model",
    "experiment",
    "variant",
)
PROJECT: Final = {
    "project": "(SELECT p.name FROM accounts_project p WHERE p.organization_id = f.organization_id AND p.id = f.project_id)"
}
CLOSED: Final = "f.closed_at <= %(now)s"

SESSION: Final = Source(
    "conversations_session",
    "started_at",
    {
        **PROJECT,
        **_plain(*COMMON, "language"),
        "outcome": f"CASE WHEN {CLOSED} THEN f.outcome END",
    },
)
GENERATION: Final = Source(
    "conversations_generation",
    "at",
    {**PROJECT, **_plain(*COMMON, "provider", "model_version", "prompt_name", "agent", "error_type")},
)
EVENT: Final = Source(
    "events_event",
    "at",
    {
        **PROJECT,
        **_plain(
            *COMMON,
            "language",
            "provider",
            "model_version",
            "prompt_name",
            "agent",
            "tool",
            "stage",
            "error_type",
        ),
    },
)
