"""Writing the audit trail: who changed what, with the values before and after."""

from __future__ import annotations

from typing import Any

from django.forms.models import model_to_dict
from django.http import HttpRequest

from apps.accounts.models import AuditEntry, User

SECRET_FIELDS = frozenset({"digest", "password"})


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
