"""How allauth fits in: who may sign up, where people land, and mail that can not be sent."""

from __future__ import annotations

from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import resolve_url

from apps.accounts import handover
from apps.accounts.invitations import MAIL_FAILURES, accept_for, open_invitation

log = structlog.get_logger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up is open, by invitation only, or closed (`SIGNUP_MODE`)."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if settings.SIGNUP_MODE == "open":
            return True
        return settings.SIGNUP_MODE == "invite" and open_invitation(request) is not None

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        """To the new key; who joined another's organisation has none and may not even make one."""
        if handover.is_waiting(request, handover.NEW_KEY):
            return str(super().get_signup_redirect_url(request))
        return resolve_url(settings.LOGIN_REDIRECT_URL)

    def login(self, request: HttpRequest, user: Any) -> None:
        """Sign in, and join the organisation whose invitation this browser followed."""
        super().login(request, user)
        invitation = open_invitation(request)
        if invitation is not None and invitation.email == user.email:
            accept_for(invitation, user, request)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """As allauth does; where the mail server fails, the page says so, and the person may ask again."""
        try:
            super().send_mail(template_prefix, email, context)
        except MAIL_FAILURES as error:
            log.warning("account_mail_not_sent", template=template_prefix, error=type(error).__name__)
            messages.error(
                self.request, "The e-mail could not be sent just now; ask for it again in a minute."
            )
