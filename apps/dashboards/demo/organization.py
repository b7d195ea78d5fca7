"""The demo organisation, its login and its keys."""

from __future__ import annotations

import secrets

from django.db import transaction

from apps.accounts.directory import organization_ids
from apps.accounts.models import User
from apps.accounts.people import verified_user
from apps.accounts.provision import KEY_SCOPES, create_organization

NAME = "Acme Support (demo)"
LOGIN = "demo@example.com"
PROJECT = "Support assistant"


def make_demo_organization() -> dict[str, str]:
    """Create the demo organisation with a generated password; the keys are given here once.

    Where the login exists already (the file that held the keys was lost), it gets a new password and
    the organisation is made anew beside the old one.
    """
    password = secrets.token_urlsafe(12)
    with transaction.atomic():
        known = User.objects.filter(email=LOGIN).first()
        if known is not None:
            known.set_password(password)
            known.save(update_fields=["password"])
        owner = verified_user(LOGIN, password)
        made = create_organization(
            name=NAME, owner=owner, project_name=PROJECT, keys=tuple(KEY_SCOPES), is_demo=True
        )
    return {
        "login": LOGIN,
        "password": password,
        "organization": made.organization.public_id,
        **made.keys,
    }


def demo_organization_ids() -> list[int]:
    """Ids of organisations with the demo's name, newest last."""
    return organization_ids(NAME)
