"""How allauth fits in: who may sign up, and where people land."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest

from apps.accounts.invitations import accept_for, open_invitation


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up is open, by invitation only, or closed (`SIGNUP_MODE`)."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if settings.SIGNUP_MODE == "open":
            return True
        return settings.SIGNUP_MODE == "invite" and open_invitation(request) is not None

    def login(self, request: HttpRequest, user: Any) -> None:
        """Sign in, and join the organisation whose invitation this browser followed."""
        super().login(request, user)
        invitation = open_invitation(request)
        if invitation is not None and invitation.email == user.email:
            accept_for(invitation, user, request)
