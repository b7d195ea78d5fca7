"""Making an organisation whole: the row, its owner, a first project and its keys, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from apps.accounts.keys import create_key
from apps.accounts.models import Membership, Organization, Project, Role, Scope, User
from apps.core.tenancy import tenant


@dataclass(frozen=True, slots=True)
class Provisioned:
    """A new organisation; the keys are given here once and never again."""

    organization: Organization
    project: Project
    keys: dict[str, str]


KEY_SCOPES: dict[str, list[str]] = {
    "ingest_key": [Scope.INGEST],
    "read_key": [Scope.READ],
    "admin_key": [Scope.ADMIN],
}


def create_organization(
    *,
    name: str,
    owner: User,
    timezone: str = "UTC",
    project_name: str = "Assistant",
    keys: tuple[str, ...] = ("ingest_key",),
    is_demo: bool = False,
) -> Provisioned:
    """Create an organisation with `owner`, a first project and the named `keys`.

    The id is drawn before the row is written, because row-level security admits the row only
    inside its own scope. Raises `ValidationError` naming the field.
    """
    organization = Organization(name=name, timezone=timezone, is_demo=is_demo)
    organization.clean_fields(exclude=["id"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('accounts_organization', 'id'))")
        (organization.id,) = cursor.fetchone() or (None,)
    with tenant(organization.id):
        organization.save(force_insert=True)
        Membership(user=owner, role=Role.OWNER).save()
        project = Project(name=project_name, is_demo=is_demo)
        project.save()
        secrets = {
            label: create_key(
                project=project, name=label.replace("_", " "), scopes=KEY_SCOPES[label], created_by=owner
            )[1]
            for label in keys
        }
    return Provisioned(organization, project, secrets)
