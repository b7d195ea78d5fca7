"""Writing and reading the audit trail: who changed what, with the values before and after.

An action is named `<thing>.<verb in the past>`, the same from every page, admin and API. `THINGS`
and `VERBS` are the whole vocabulary; a test holds every caller to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.forms.models import model_to_dict
from django.http import HttpRequest

from apps.accounts.models import AuditEntry, User

SECRET_FIELDS = frozenset({"digest", "password"})

# What changes happen to, as the trail's sentences call it.
THINGS = {
    "alert_rule": "alert rule",
    "batch": "batch",
    "budget": "budget",
    "calibration": "calibration",
    "contract_price": "contract price",
    "cost_setting": "cost setting",
    "demo": "demo",
    "invitation": "invitation",
    "key": "API key",
    "member": "member",
    "organization": "organisation",
    "project": "project",
    "rejected_events": "rejected events",
    "repricing": "re-pricing",
    "threshold": "threshold",
}
# What may happen to them.
VERBS = {
    "activated": "put in force",
    "applied": "applied",
    "changed": "changed",
    "created": "created",
    "deleted": "deleted",
    "discarded": "discarded",
    "joined": "joined as",
    "loaded": "loaded",
    "preset_applied": "applied a preset to",
    "removed": "removed",
    "replayed": "replayed",
    "revoked": "revoked",
    "rotated": "rotated",
    "sent_again": "sent again",
    "withdrawn": "withdrew",
}
# Models whose name is not the thing's.
THING_OF_MODEL = {
    "apikey": "key",
    "membership": "member",
    "costsetting": "cost_setting",
    "contractprice": "contract_price",
}


def thing_of(row: Model | type[Model]) -> str:
    """How actions name what this row is."""
    model_name = str(row._meta.model_name)
    return THING_OF_MODEL.get(model_name, model_name)


def target_of(row: Model) -> str:
    """How an entry names its row: `<thing> <id>: <name>`, by which a row's history is found."""
    return f"{thing_of(row)} {row.pk}: {row}"


def snapshot(row: Any) -> dict[str, Any]:
    """The row's fields as JSON-able values, without secrets."""
    values = model_to_dict(row)
    return {
        name: value if isinstance(value, (int, float, bool, str, type(None))) else str(value)
        for name, value in values.items()
        if name not in SECRET_FIELDS
    }


def record(
    action: str,
    target: str,
    *,
    actor: User | None = None,
    actor_label: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    request: HttpRequest | None = None,
) -> None:
    """Append one entry to the active organisation's audit trail, in the caller's transaction."""
    if request is not None and actor is None and request.user.is_authenticated:
        actor = request.user
    AuditEntry(
        actor=actor,
        actor_label=actor_label or (actor.email if actor else "system"),
        action=action,
        target=target[:200],
        before=before,
        after=after,
        address=request.META.get("REMOTE_ADDR") or None if request is not None else None,
    ).save()


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One value before and after; None where the row was made or ended by the change."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as people read it: "ann@example.com changed member: eve@example.com"."""

    entry: AuditEntry
    deed: str
    name: str
    changes: list[FieldChange]


def line(entry: AuditEntry) -> Line:
    """The sentence of an entry and what differs between before and after."""
    thing, _, verb = entry.action.partition(".")
    label = THINGS.get(thing, thing.replace("_", " "))
    deed = f"{VERBS.get(verb, verb.replace('_', ' '))} {label}"
    head, colon, name = entry.target.partition(": ")
    is_row = colon and head.startswith(f"{thing} ")
    return Line(entry, deed, name if is_row else entry.target.removeprefix(f"{label} "), differences(entry))


def differences(entry: AuditEntry) -> list[FieldChange]:
    """Fields whose value differs; all of them where there is only a before or only an after."""
    before, after = entry.before or {}, entry.after or {}
    return [
        FieldChange(name.replace("_", " "), before.get(name), after.get(name))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]
