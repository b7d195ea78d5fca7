"""Members of every role, signed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Membership, Role, User
from apps.accounts.people import verified_user
from apps.core.tenancy import tenant
from tests.conftest import unique


def add_member(provisioned: Any, role: str) -> User:
    """A new user with this role in the organisation."""
    user = verified_user(f"{unique(role)}@example.com", "correct horse battery")
    with tenant(provisioned.organization.id):
        Membership(user=user, role=role).save()
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def owner(organization: Any) -> Client:
    with tenant(organization.organization.id):
        user = Membership.objects.select_related("user").get(role=Role.OWNER).user
    return signed_in(user)


@pytest.fixture
def admin(organization: Any) -> Client:
    return signed_in(add_member(organization, Role.ADMIN))


@pytest.fixture
def trail(organization: Any) -> Callable[..., list[Any]]:
    """Audit entries of an action, newest first."""
    from apps.accounts.models import AuditEntry

    def read(action: str) -> list[Any]:
        with tenant(organization.organization.id):
            return list(AuditEntry.objects.filter(action=action))

    return read
