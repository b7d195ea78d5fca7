"""Columns of `events_event`, in one place: the migration, the store and the loaders read them from here."""

from __future__ import annotations

# Dimensions that stand in columns of their own, by the event field they come from.
DIMENSION_FIELDS = {
    "channel": "channel",
    "intent": "intent",
    "feature": "feature",
    "team": "team",
    "customer": "customer",
    "segment": "segment",
    "release": "release",
    "language": "language",
    "experiment": "experiment",
    "variant": "variant",
    "provider": "provider",
    "model": "model",
    "model_version": "model_version",
    "prompt_name": "prompt_name",
    "prompt_version": "prompt_version",
    "agent_name": "agent",
    "tool_name": "tool",
    "stage": "stage",
    "error_type": "error_type",
    "category": "category",
    "service": "service",
    "source": "source",
    "name": "item",
    "target": "target",
}

COLUMNS: dict[str, str] = {
    "organization_id": "bigint NOT NULL",
    "project_id": "bigint NOT NULL",
    "event_key": "uuid NOT NULL",
    "batch_id": "bigint NOT NULL",
    "at": "timestamptz NOT NULL",
    "name": "text NOT NULL",
    "event_id": "text NOT NULL",
    "session_id": "text",
    "user_id": "text",
    "environment": "text NOT NULL",
    "turn": "integer",
    "response_id": "text",
    "trace_id": "text",
    **dict.fromkeys(DIMENSION_FIELDS.values(), "text"),
    "failed": "boolean",
    "timed_out": "boolean",
    "error_class": "text",
    "duration_us": "bigint",
    "depth": "integer",
    "is_root": "boolean",
    "data": "jsonb",
}

NAMES = tuple(COLUMNS)
RECORD = ", ".join(f"{name} {kind.removesuffix(' NOT NULL')}" for name, kind in COLUMNS.items())
