"""The demo organisation with its login and keys, and demo projects in other organisations."""

from __future__ import annotations

import secrets

from django.db import transaction
from django.http import HttpRequest

from apps.accounts import audit
from apps.accounts.directory import organization_ids
from apps.accounts.keys import create_key
from apps.accounts.models import Organization, Project, User
from apps.accounts.people import verified_user
from apps.accounts.provision import KEY_SCOPES, create_organization
from apps.core.tenancy import tenant

NAME = "Acme Support (demo)"
LOGIN = "demo@example.com"
PROJECT = "Support assistant"
PROJECT_ELSEWHERE = "Demo: support assistant"


def demo_organization_id() -> int | None:
    """The demo organisation, as long as its demo data were not removed."""
    for organization_id in organization_ids(NAME):
        with tenant(organization_id):
            if Organization.objects.get().is_demo:
                return organization_id
    return None


def make_demo_organization() -> dict[str, str]:
    """The demo organisation, created where it is missing; its login, a new password and new keys.

    They are told here once. The organisation that is there already keeps its data and its older keys.
    """
    password = secrets.token_urlsafe(12)
    with transaction.atomic():
        known = User.objects.filter(email=LOGIN).first()
        if known is not None:
            known.set_password(password)
            known.save(update_fields=["password"])
        owner = verified_user(LOGIN, password)
        organization_id = demo_organization_id()
        if organization_id is None:
            made = create_organization(
                name=NAME, owner=owner, project_name=PROJECT, keys=tuple(KEY_SCOPES), is_demo=True
            )
            public_id, keys = made.organization.public_id, made.keys
        else:
            public_id, keys = _new_keys(organization_id, owner)
    return {"login": LOGIN, "password": password, "organization": public_id, **keys}


def _new_keys(organization_id: int, owner: User) -> tuple[str, dict[str, str]]:
    with tenant(organization_id):
        project = Project.objects.filter(is_demo=True).order_by("id").first()
        if project is None:
            project = Project(name=PROJECT, is_demo=True)
            project.save()
        keys: dict[str, str] = {}
        for label, scopes in KEY_SCOPES.items():
            name = label.replace("_", " ")
            _, keys[label] = create_key(project=project, name=name, scopes=scopes, created_by=owner)
        return Organization.objects.get().public_id, keys


def add_demo_project(request: HttpRequest) -> Project:
    """The active organisation's demo project, made and audited where it is missing."""
    project = Project.objects.filter(is_demo=True).order_by("id").first()
    if project is None:
        project = Project(name=PROJECT_ELSEWHERE, is_demo=True)
        project.save()
        audit.record("demo.loaded", f"project {project.name}", after=audit.snapshot(project), request=request)
    return project
