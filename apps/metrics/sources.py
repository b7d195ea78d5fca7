"""The fact tables that metrics are computed from: their time column, their dimensions, what a row is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from apps.events.columns import NAMES
from apps.events.sealed import stored

EVENTS: Final = "events_event"
COLUMN: Final = re.compile(r"\bf\.(\w+)")


@dataclass(frozen=True)
class Source:
    """A fact table: `time` decides the bucket; `dimensions` maps a dimension to its SQL over rows `f`.

    `special` dimensions mean something for few metrics only: a metric has them by naming them in
    `also`. `row` says what one row is; `identity` is the SQL that names it to people, `place` what tells rows
    of one identity apart.
    """

    table: str
    time: str
    row: str
    identity: str
    dimensions: dict[str, str] = field(hash=False)
    special: frozenset[str] = frozenset()
    place: str = "f.project_id::text"

    def rows(self, *sql: str, packs: str = "true") -> str:
        """The FROM item `f` for SQL that reads this source; of sealed events only the columns that it names, in packs
        `s` that fulfil `packs`."""
        if self.table != EVENTS:
            return f"{self.table} f"
        named = set(COLUMN.findall(" ".join(sql)))
        return f"{stored(named & set(NAMES), packs)} f"


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
CALL: Final = ("provider", "model_version", "prompt_name", "agent")
PROJECT: Final = {
    "project": "(SELECT p.name FROM accounts_project p WHERE p.organization_id = f.organization_id AND p.id = f.project_id)"
}
CLOSED: Final = "f.closed_at <= %(now)s"

SESSION: Final = Source(
    "conversations_session",
    "started_at",
    "session",
    "f.session_id",
    {
        **PROJECT,
        **_plain(*COMMON, "language"),
        "outcome": f"CASE WHEN {CLOSED} THEN f.outcome END",
        "last_turn": "f.turns::text",
    },
    frozenset({"last_turn"}),
)
GENERATION: Final = Source(
    "conversations_generation",
    "at",
    "model call",
    "encode(uuid_send(f.event_key), 'hex')",
    {**PROJECT, **_plain(*COMMON, *CALL, "error_type")},
)
EVENT: Final = Source(
    EVENTS,
    "at",
    "event",
    "f.event_id",
    {
        **PROJECT,
        **_plain(*COMMON, *CALL, "language", "tool", "stage", "error_type"),
        **_plain("error_class", "category", "service"),
        # A `feature_used` event names its feature in `feature` or in `name`.
        "feature": "coalesce(f.feature, CASE WHEN f.name = 'feature_used' THEN f.item END)",
    },
    frozenset({"error_class", "category", "service"}),
)
FINDING: Final = Source(
    "conversations_finding",
    "at",
    "finding",
    "encode(uuid_send(f.event_key), 'hex')",
    {
        **PROJECT,
        **_plain(*COMMON, *CALL, "language", "name", "source"),
        "category": "CASE WHEN f.kind = 'hit' THEN f.name END",
    },
    frozenset({"name", "source", "category"}),
    "md5(f.kind || ' ' || f.name || ' ' || f.about_key)",
)
RUN: Final = Source(
    "conversations_run",
    "at",
    "agent run",
    "encode(uuid_send(f.event_key), 'hex')",
    {**PROJECT, **_plain(*COMMON, *CALL, "language")},
)
SOURCES: Final = (SESSION, GENERATION, EVENT, FINDING, RUN)
