"""One raw event in, one row out: validation, identity and the typed columns."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from apps.events import clock
from apps.events.rows import derive, fill, label
from apps.events.schema import CUSTOM, DECODERS, MAX_DEPTH, MAX_EVENT_BYTES, MAX_PROPERTIES, Event

ANY = msgspec.json.Decoder()
CANONICAL = msgspec.json.Encoder(order="deterministic")
ENCODER = msgspec.json.Encoder()
PATH = re.compile(r"^(?P<message>.*) - at `\$\.?(?P<path>[^`]*)`$")


class Rejection(Exception):
    """Why one event is refused."""

    def __init__(self, code: str, message: str, path: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = path or (message.partition(":")[0] if ":" in message else "")


@dataclass(slots=True)
class Context:
    """What holds for all events of one request."""

    organization_id: int
    project_id: int
    privacy_mode: str
    retention_days: int
    now: datetime
    historical: bool = False
    is_test: bool = False
    seen: Counter[bytes] = field(default_factory=Counter)


@dataclass(slots=True)
class Normalized:
    """A row for `events_event` (JSON-able), its identity and its text."""

    row: dict[str, Any]
    event_key: str
    event_id: str
    at: datetime
    content: int
    text: dict[str, Any] | None
    warnings: list[tuple[str, str]]


def normalize(raw: bytes, context: Context) -> Normalized:
    """Validate and type one event; raises `Rejection` with code, sentence and path."""
    fields, event, warnings = _decode(raw)
    _check_shape(fields)
    at = _time_of(fields, event, context, warnings)
    event_id, content = _identity(fields, context)
    event_key = event_key_of(context.project_id, event_id)
    row: dict[str, Any] = {
        "organization_id": context.organization_id,
        "project_id": context.project_id,
        "event_key": event_key,
        "at": at,
        "name": event.event,
        "event_id": event_id,
        "environment": "test" if context.is_test else label(event.environment or "") or "production",
    }
    text = fill(row, fields, type(event), context.privacy_mode)
    derive(row, fields, event.event)
    return Normalized(row, event_key, event_id, at, content, text, warnings)


def event_key_of(project_id: int, event_id: str) -> str:
    """The 128-bit key of an id within its project, as 32 hexadecimal digits."""
    return hashlib.sha256(f"{project_id}:{event_id}".encode()).hexdigest()[:32]


def _decode(raw: bytes) -> tuple[dict[str, Any], Event, list[tuple[str, str]]]:
    if len(raw) > MAX_EVENT_BYTES:
        raise Rejection("event_too_large", "event: is larger than 1 MiB.", "event")
    warnings: list[tuple[str, str]] = []
    try:
        fields = ANY.decode(raw)
        if not isinstance(fields, dict):
            raise Rejection("bad_shape", "event: must be a JSON object.")
        if rb"\u0000" in raw:
            fields, changed = _without_nul(fields), fields
            if fields != changed:
                raw = ENCODER.encode(fields)
                warnings.append(("nul_replaced", "event: NUL characters were replaced by U+FFFD."))
        name = fields.get("event")
        decoder = DECODERS.get(name, CUSTOM) if isinstance(name, str) else CUSTOM
        return fields, decoder.decode(raw), warnings
    except RecursionError:
        raise Rejection("too_deep", f"event: is nested deeper than {MAX_DEPTH} levels.") from None
    except msgspec.ValidationError as error:
        raise _explain(str(error)) from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Rejection("bad_json", f"event: {error}.") from None


def _explain(sentence: str) -> Rejection:
    match = PATH.match(sentence)
    if match:
        path = match["path"]
        return Rejection("invalid_field", f"{path}: {match['message']}.", path)
    missing = re.match(r"Object missing required field `(\w+)`", sentence)
    if missing:
        return Rejection("missing_field", f"{missing[1]}: is missing.", missing[1])
    return Rejection("invalid_event", f"event: {sentence}.")


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nul(item) for item in value]
    return value


def _check_shape(fields: dict[str, Any]) -> None:
    """Depth, number of properties and range of numbers; only nested values cost anything."""
    properties = fields.get("properties")
    free = len(fields) + (len(properties) if isinstance(properties, dict) else 0)
    if free > MAX_PROPERTIES:
        raise Rejection("too_many_properties", f"properties: {free} of at most {MAX_PROPERTIES}.")
    for name, value in fields.items():
        kind = value.__class__
        if kind is str:
            continue
        if kind is dict or kind is list:
            _check_nested(value, name, 2)
        elif kind is int and not -(2**63) <= value < 2**63:
            raise Rejection("out_of_range", f"{name}: the number is out of range.")


def _check_nested(value: Any, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Rejection("too_deep", f"{path}: is nested deeper than {MAX_DEPTH} levels.")
    for item in value.values() if isinstance(value, dict) else value:
        if item.__class__ is dict or item.__class__ is list:
            _check_nested(item, path, depth + 1)
        elif item.__class__ is int and not -(2**63) <= item < 2**63:
            raise Rejection("out_of_range", f"{path}: a number is out of range.")


def _time_of(
    fields: dict[str, Any], event: Event, context: Context, warnings: list[tuple[str, str]]
) -> datetime:
    try:
        at, was_clamped = clock.admit(
            clock.parse(event.timestamp),
            context.now,
            historical=context.historical or event.historical is True,
            retention_days=context.retention_days,
        )
    except clock.BadTime as error:
        raise Rejection(error.code, str(error), "timestamp") from None
    if was_clamped:
        warnings.append(
            ("timestamp_clamped", "timestamp: lay in the future and was set to the time of arrival.")
        )
    return at


def _identity(fields: dict[str, Any], context: Context) -> tuple[str, int]:
    """The event's id (sent or derived from the content) and a 64-bit digest of the content."""
    if "historical" in fields:
        fields = {name: value for name, value in fields.items() if name != "historical"}
    canonical = CANONICAL.encode(fields)
    digest = hashlib.sha256(canonical).digest()
    content = int.from_bytes(digest[:8], "big", signed=True)
    sent = fields.get("id")
    if sent:
        return sent, content
    context.seen[digest] += 1
    occurrence = context.seen[digest]
    derived = hashlib.sha256(digest + occurrence.to_bytes(4, "big")).hexdigest()
    return f"sha256:{derived[:40]}", content
