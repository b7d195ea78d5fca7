"""Invitations: bound to an address, usable once, seven days; only the token's digest is stored."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import structlog
from anymail.exceptions import AnymailError
from django.conf import settings
from django.core.mail import send_mail
from django.db import connection
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.middleware import ORGANIZATION_SESSION_KEY
from apps.accounts.models import Invitation, Membership, Organization, User
from apps.core.tenancy import tenant

VALID_DAYS = 7
SESSION_KEY = "invitation"
# What a mail server that is down, refuses or does not answer raises (SMTPException is an OSError).
MAIL_FAILURES = (OSError, AnymailError)

State = Literal["open", "used", "revoked", "expired"]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """A new invitation: its link, told here once, and whether the mail server took the message."""

    link: str
    is_mailed: bool


def digest_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def invite(email: str, role: str, inviter: User, request: HttpRequest) -> Sent:
    """Invite someone to the active organisation by mail.

    An open invitation of the same address stops working: there is one valid link at a time. The
    invitation stands also where the mail could not be sent.
    """
    token = secrets.token_urlsafe(32)
    replaced = Invitation.objects.filter(email=email, accepted_at=None, revoked_at=None).update(
        revoked_at=timezone.now()
    )
    invitation = Invitation(
        email=email,
        role=role,
        digest=digest_of(token),
        invited_by=inviter,
        expires_at=timezone.now() + timedelta(days=VALID_DAYS),
    )
    invitation.save()
    action = "invitation.sent_again" if replaced else "invitation.created"
    audit.record(action, audit.target_of(invitation), request=request, after={"role": role})
    link = settings.PUBLIC_URL + reverse("accept-invitation", args=[token])
    return Sent(link, is_mailed=send_invitation(invitation, link))


def send_invitation(invitation: Invitation, link: str) -> bool:
    """Mail the link; False, with a line in the log, where the mail server did not take it."""
    organization = Organization.objects.get()
    facts = {
        "organization": organization.name,
        "role": invitation.get_role_display(),
        "by": invitation.invited_by.email if invitation.invited_by else "",
        "link": link,
        "days": VALID_DAYS,
    }
    try:
        send_mail(
            subject=" ".join(f"{organization.name} invites you to LLM Metrics".split()),
            message=render_to_string("accounts/mail/invitation.txt", facts),
            from_email=None,
            recipient_list=[invitation.email],
            html_message=render_to_string("accounts/mail/invitation.html", facts),
        )
    except MAIL_FAILURES as error:
        log.warning("invitation_not_mailed", invitation_id=invitation.pk, error=type(error).__name__)
        return False
    return True


def revoke(invitation: Invitation, request: HttpRequest) -> None:
    """End an invitation at once."""
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    audit.record(
        "invitation.revoked",
        audit.target_of(invitation),
        request=request,
        before={"revoked_at": None},
        after={"revoked_at": invitation.revoked_at.isoformat()},
    )


def find_invitation(token: str) -> Invitation | None:
    """The invitation of a token, in whatever state it is; None where the token is unknown."""
    return _find(digest_of(token))


def _find(digest: bytes) -> Invitation | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id, invitation_id FROM llm_invitation(%s)", [digest])
        row = cursor.fetchone()
    if row is None:
        return None
    with tenant(row[0]):
        found: Invitation | None = Invitation.objects.filter(pk=row[1]).first()
    return found


def state_of(invitation: Invitation) -> State:
    """Whether an invitation still works, and if not, why."""
    if invitation.accepted_at:
        return "used"
    if invitation.revoked_at:
        return "revoked"
    return "open" if invitation.expires_at > timezone.now() else "expired"


def follow(request: HttpRequest, token: str) -> None:
    """Remember the invitation while its reader signs in or up; only its digest, as in the database."""
    request.session[SESSION_KEY] = digest_of(token).hex()


def open_invitation(request: HttpRequest) -> Invitation | None:
    """The invitation that this browser followed, if it is still open."""
    digest = request.session.get(SESSION_KEY)
    found = _find(bytes.fromhex(digest)) if digest else None
    return found if found is not None and state_of(found) == "open" else None


def accept_for(invitation: Invitation, user: User, request: HttpRequest) -> None:
    """Make the user a member and use the invitation up; the organisation becomes the active one."""
    with tenant(invitation.organization_id):
        claimed = Invitation.objects.filter(
            pk=invitation.pk, accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
        ).update(accepted_at=timezone.now())
        if claimed and not Membership.objects.filter(user=user).exists():
            row = Membership(user=user, role=invitation.role)
            row.save()
            audit.record(
                "member.joined",
                audit.target_of(row),
                actor=user,
                request=request,
                after={"role": invitation.role},
            )
    request.session[ORGANIZATION_SESSION_KEY] = invitation.organization_id
    request.session.pop(SESSION_KEY, None)


def letter(invitation: Invitation) -> dict[str, str]:
    """Who invites whom to what, for the page that a link leads to."""
    with tenant(invitation.organization_id):
        name = Organization.objects.get().name
    return {"organization": name, "email": invitation.email, "role": invitation.get_role_display()}


def next_step(invitation: Invitation) -> str:
    """Where someone who is not signed in goes: to sign in if the address is known, else to sign up."""
    return "account_login" if User.objects.filter(email=invitation.email).exists() else "account_signup"
