"""From a validated event's fields to its row: which field stands in which column, and what follows from it."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

from apps.events.columns import DIMENSION_FIELDS
from apps.events.schema import KINDS, STRUCTS, TEXT_FIELDS, Event
from apps.events.texts import CONTENT_LISTS, private, take_texts

SCRUBBED = "[Scrubbed due to"
PLAIN_COLUMNS = {
    "session_id": "session_id",
    "user_id": "user_id",
    "response_id": "response_id",
    "trace_id": "trace_id",
    "conversation_turn": "turn",
    "timed_out": "timed_out",
    "depth": "depth",
}
REFERENCE_FIELDS = frozenset({"session_id", "user_id", "response_id", "trace_id"})
NOT_DATA = frozenset({"event", "timestamp", "id", "environment", "historical", "properties"})
OPERATIONS = frozenset(
    {"llm_response_generated", "model_call", "tool_call", "retrieval", "step", "agent_run"}
)
ERROR_CLASSES = (
    ("timeout", re.compile(r"time.?out|timed.?out|deadline|\b(408|504)\b", re.I)),
    ("rate_limit", re.compile(r"rate.?limit|too.?many.?requests|quota|throttl|\b429\b", re.I)),
    ("format", re.compile(r"format|json|pars|schema|decod|valid", re.I)),
    (
        "provider",
        re.compile(
            r"provider|server.?error|internal|overload|unavailable|upstream|connection|\b5\d\d\b", re.I
        ),
    ),
)


# Where a field's value goes. Plain numbers: they are looked at once a field of every event.
DIMENSION, REFERENCE, COLUMN, DATA, TEXT, PROPERTY, ELSEWHERE = range(7)


def _place(name: str) -> tuple[int, str]:
    if name in NOT_DATA:
        return ELSEWHERE, name
    if name in TEXT_FIELDS or name in CONTENT_LISTS:
        return TEXT, name
    if name in DIMENSION_FIELDS:
        return DIMENSION, DIMENSION_FIELDS[name]
    if name in REFERENCE_FIELDS:
        return REFERENCE, PLAIN_COLUMNS[name]
    if name in PLAIN_COLUMNS:
        return COLUMN, PLAIN_COLUMNS[name]
    return DATA, name


PLACES: Final[dict[type[Event], dict[str, tuple[int, str]]]] = {
    struct: {name: _place(name) for name in {*struct.__struct_fields__, *NOT_DATA}} for struct in STRUCTS
}


def label(value: str) -> str:
    """A dimension's value: NFC, so that one name is one value however it was typed."""
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def fill(
    row: dict[str, Any], fields: dict[str, Any], kind: type[Event], privacy_mode: str
) -> dict[str, Any] | None:
    """Sort the fields into columns, `data`, free properties and text; returns the text to store.

    Empty dimensions and references, and references that a client scrubbed, count as not sent.
    """
    data: dict[str, Any] = {}
    text: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    targets: tuple[dict[str, Any], ...] = (row, row, row, data, text, properties, {})
    places = PLACES[kind]
    for name, value in fields.items():
        place, column = places.get(name) or (PROPERTY, name)
        if value is None:
            continue
        if place == DIMENSION:
            if not value:
                continue
            value = label(value)
        elif place == REFERENCE and (not value or value.startswith(SCRUBBED)):
            continue
        targets[place][column] = value
    if sent := fields.get("properties"):
        properties = {**sent, **properties}
    if text:
        text = take_texts(row, text, data, privacy_mode)
    if properties:
        data["properties"] = private(properties, privacy_mode)
    if data:
        row["data"] = data
    return text or None


def derive(row: dict[str, Any], fields: dict[str, Any], name: str) -> None:
    """Columns that follow from the event alone: failed, error class, duration, root run."""
    if name not in KINDS:
        return
    duration_ms = fields.get("duration_ms")
    if duration_ms is None:
        duration_ms = fields.get("latency_ms")
    if duration_ms is not None:
        row["duration_us"] = round(duration_ms * 1000)
    if name in OPERATIONS:
        status, error = fields.get("status"), fields.get("error_type")
        failed = status == "error" or (status is None and bool(error)) or fields.get("timed_out") is True
        row["failed"] = failed
        if failed:
            row["error_class"] = error_class(error, fields.get("error_code"), fields.get("timed_out"))
    if name == "agent_run":
        depth = fields.get("depth")
        row["is_root"] = depth <= 1 if depth is not None else not fields.get("parent_id")


def error_class(error_type: Any, error_code: Any, timed_out: Any) -> str:
    """timeout, rate_limit, provider, format or other, by the error's type and code."""
    if timed_out:
        return "timeout"
    said = f"{error_type or ''} {error_code or ''}"
    for name, pattern in ERROR_CLASSES:
        if pattern.search(said):
            return name
    return "other"
