"""Members and keys of the active organisation: who may change whom, and what is refused."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.access import Member
from apps.accounts.forms import InviteForm
from apps.accounts.models import ApiKey, Invitation, Membership, Role


def page(member: Member, form: InviteForm) -> dict[str, Any]:
    """What the members page shows."""
    return {
        "members": Membership.objects.select_related("user").order_by("created_at"),
        "invitations": Invitation.objects.filter(
            accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
        ).order_by("created_at"),
        "roles": Role.choices,
        "form": form,
        "me": member.membership,
    }


def keys() -> QuerySet[ApiKey]:
    """Keys, those that work first."""
    rows: QuerySet[ApiKey] = ApiKey.objects.select_related("project").order_by("-revoked_at", "-created_at")
    return rows


def _is_last_owner(row: Membership) -> bool:
    owners = Membership.objects.select_for_update().filter(role=Role.OWNER)
    return row.role == Role.OWNER and len(owners) == 1


def _refusal(actor: Membership, row: Membership) -> str:
    if row.role == Role.OWNER and actor.role != Role.OWNER:
        return "role: only an owner can change an owner."
    return ""


def change_role(actor: Membership, row: Membership, role: str, request: HttpRequest) -> str:
    """Give a member another role; returns why not, empty where it was done."""
    if role not in Role.values:
        return "role: choose one of the listed roles."
    if role == Role.OWNER and actor.role != Role.OWNER:
        return "role: only an owner can make owners."
    problem = _refusal(actor, row)
    if not problem and role != Role.OWNER and _is_last_owner(row):
        problem = "role: an organisation needs an owner; make someone else owner first."
    if problem:
        return problem
    before = {"role": row.role}
    row.role = role
    row.save(update_fields=["role"])
    audit.record("member.changed", audit.target_of(row), request=request, before=before, after={"role": role})
    return ""


def remove(actor: Membership, row: Membership, request: HttpRequest) -> str:
    """End a membership at once; returns why not, empty where it was done."""
    problem = _refusal(actor, row)
    if not problem and _is_last_owner(row):
        problem = "members: the last owner cannot be removed."
    if problem:
        return problem
    audit.record("member.deleted", audit.target_of(row), request=request, before={"role": row.role})
    row.delete()
    return ""
