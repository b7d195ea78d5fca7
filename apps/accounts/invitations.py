"""Invitations: bound to an address, usable once, seven days; only the token's digest is stored."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

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


def digest_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def invite(email: str, role: str, inviter: User, request: HttpRequest) -> Invitation:
    """Invite someone to the active organisation (again, where they were invited before) by mail."""
    token = secrets.token_urlsafe(32)
    Invitation.objects.filter(email=email, accepted_at=None, revoked_at=None).update(
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
    audit.record("member.invite", email, request=request, after={"role": role})
    send_invitation(invitation, token)
    return invitation


def send_invitation(invitation: Invitation, token: str) -> None:
    organization = Organization.objects.get()
    facts = {
        "organization": organization.name,
        "role": invitation.get_role_display(),
        "by": invitation.invited_by.email if invitation.invited_by else "",
        "link": settings.PUBLIC_URL + reverse("accept-invitation", args=[token]),
        "days": VALID_DAYS,
    }
    send_mail(
        subject=" ".join(f"{organization.name} invites you to LLM Metrics".split()),
        message=render_to_string("accounts/mail/invitation.txt", facts),
        from_email=None,
        recipient_list=[invitation.email],
        html_message=render_to_string("accounts/mail/invitation.html", facts),
    )


def find_invitation(token: str) -> Invitation | None:
    """The open invitation of a token; None where it is unknown, used, revoked or too old."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id, invitation_id FROM llm_invitation(%s)", [digest_of(token)])
        row = cursor.fetchone()
    if row is None:
        return None
    with tenant(row[0]):
        found: Invitation | None = Invitation.objects.filter(
            pk=row[1], accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
        ).first()
    return found


def open_invitation(request: HttpRequest) -> Invitation | None:
    """The invitation that this browser followed, if it is still open."""
    token = request.session.get(SESSION_KEY)
    return find_invitation(token) if token else None


def accept_for(invitation: Invitation, user: User, request: HttpRequest) -> None:
    """Make the user a member and use the invitation up; the organisation becomes the active one."""
    with tenant(invitation.organization_id):
        claimed = Invitation.objects.filter(pk=invitation.pk, accepted_at=None).update(
            accepted_at=timezone.now()
        )
        if claimed and not Membership.objects.filter(user=user).exists():
            Membership(user=user, role=invitation.role).save()
            audit.record(
                "member.join", user.email, actor=user, request=request, after={"role": invitation.role}
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
