"""The one door into storage: raw events in, verdicts out, committed when it returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Organization, PrivacyMode, Project
from apps.core.tenancy import tenant
from apps.events.normalize import Context, Normalized, Rejection, normalize
from apps.events.nudge import nudge
from apps.events.store import Refused, insert_batch, insert_events, known_contents, next_batch_id
from apps.reading.redaction import redact

STORED_BODY_CHARACTERS = 256 * 1024


@dataclass(slots=True)
class Verdict:
    """What became of each event of a request; `sent` is always the sum of the three."""

    batch_id: int
    sent: int
    accepted: int = 0
    duplicate: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        return len(self.errors)

    def as_answer(self) -> dict[str, Any]:
        return {
            "batch_id": str(self.batch_id),
            "accepted": self.accepted,
            "duplicate": self.duplicate,
            "rejected": self.rejected,
            "errors": self.errors,
            "warnings": self.warnings,
        }


def ingest(
    *,
    organization_id: int,
    project_id: int,
    body_events: list[bytes],
    historical: bool,
    is_test: bool,
    source: str,
    key_id: int | None,
    received_at: datetime | None = None,
) -> Verdict:
    """Store what is valid and new, remember what is refused, write the ledger; one transaction.

    Nothing is acknowledged before the commit: an exception (the database being away included)
    means that nothing was stored.
    """
    now = received_at or timezone.now()
    with tenant(organization_id):
        context = _context(organization_id, project_id, now, historical=historical, is_test=is_test)
        normalized, refused = _normalize_all(body_events, context)
        verdict = _store(context, normalized, refused, len(body_events), source=source, key_id=key_id)
        if verdict.accepted:
            transaction.on_commit(lambda: nudge(organization_id))
    return verdict


def _context(
    organization_id: int, project_id: int, now: datetime, *, historical: bool, is_test: bool
) -> Context:
    return Context(
        organization_id=organization_id,
        project_id=project_id,
        privacy_mode=Project.objects.values_list("privacy_mode", flat=True).get(pk=project_id),
        retention_days=Organization.objects.values_list("retention_days", flat=True).get(),
        now=now,
        historical=historical,
        is_test=is_test,
    )


def _normalize_all(
    bodies: list[bytes], context: Context
) -> tuple[list[tuple[int, Normalized]], list[Refused]]:
    good: list[tuple[int, Normalized]] = []
    refused: list[Refused] = []
    for index, raw in enumerate(bodies):
        try:
            good.append((index, normalize(raw, context)))
        except Rejection as rejection:
            refused.append(_refused(index, raw, rejection, context))
    return good, refused


def _refused(index: int, raw: bytes, rejection: Rejection, context: Context) -> Refused:
    """What is kept of a refused event obeys the privacy mode; a cut or dropped body can not be replayed."""
    body = raw.decode("utf-8", "replace").replace("\0", "\ufffd")
    is_whole = len(body) <= STORED_BODY_CHARACTERS and context.privacy_mode != PrivacyMode.DROP
    if context.privacy_mode == PrivacyMode.DROP:
        body = ""
    elif context.privacy_mode == PrivacyMode.REDACT:
        body = redact(body[:STORED_BODY_CHARACTERS])[0]
    return Refused(
        index=index,
        event_id=_sent_id(raw),
        field=rejection.path,
        code=rejection.code,
        message=rejection.message,
        body=body[:STORED_BODY_CHARACTERS],
        is_replayable=is_whole,
        historical=context.historical,
        is_test=context.is_test,
    )


def _sent_id(raw: bytes) -> str:
    """The refused event's own id where it can still be read."""
    try:
        fields = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return ""
    sent = fields.get("id") if isinstance(fields, dict) else None
    return sent.replace("\0", "\ufffd")[:128] if isinstance(sent, str) else ""


def _store(
    context: Context,
    normalized: list[tuple[int, Normalized]],
    refused: list[Refused],
    sent: int,
    *,
    source: str,
    key_id: int | None,
) -> Verdict:
    batch_id = next_batch_id()
    verdict = Verdict(batch_id, sent)
    firsts: dict[str, Normalized] = {}
    repeats: list[tuple[int, Normalized]] = []
    for index, event in normalized:
        if event.event_key in firsts:
            repeats.append((index, event))
        else:
            firsts[event.event_key] = event
    fresh = insert_events(batch_id, list(firsts.values()))
    repeats += [(index, event) for index, event in normalized if _is_stored(event, firsts, fresh)]
    contents = known_contents([event.event_key for _, event in repeats])
    verdict.accepted = len(fresh)
    verdict.duplicate = len(repeats)
    verdict.errors = [_error(one) for one in refused]
    verdict.warnings = _warnings(normalized, repeats, contents)
    insert_batch(
        batch_id,
        project_id=context.project_id,
        key_id=key_id,
        source=source,
        received_at=context.now,
        sent=sent,
        accepted=[firsts[key] for key in fresh],
        duplicate=verdict.duplicate,
        warned=len(verdict.warnings),
        refused=refused,
    )
    return verdict


def _is_stored(event: Normalized, firsts: dict[str, Normalized], fresh: set[str]) -> bool:
    """True for the first of its id in this request, when an earlier request had stored the id."""
    return firsts[event.event_key] is event and event.event_key not in fresh


def _error(refused: Refused) -> dict[str, Any]:
    return {
        "index": refused.index,
        "id": refused.event_id or None,
        "field": refused.field,
        "code": refused.code,
        "message": refused.message,
    }


def _warnings(
    normalized: list[tuple[int, Normalized]], repeats: list[tuple[int, Normalized]], contents: dict[str, int]
) -> list[dict[str, Any]]:
    warnings = [
        {"index": index, "id": event.event_id, "code": code, "message": message}
        for index, event in normalized
        for code, message in event.warnings
    ]
    warnings += [
        {
            "index": index,
            "id": event.event_id,
            "code": "conflict",
            "message": "id: was sent before with other content; the first one is kept.",
        }
        for index, event in repeats
        if contents.get(event.event_key, event.content) != event.content
    ]
    return sorted(warnings, key=lambda warning: int(warning["index"]))
