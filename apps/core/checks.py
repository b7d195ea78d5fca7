"""Boot checks: the application refuses to start on a database that would not keep tenants apart."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.db import connections
from django.db.utils import OperationalError

# Planner statistics leaked rows past row-level security before these releases (CVE-2025-8713).
SAFE_SERVERS = {15: 14, 16: 10, 17: 6}


@register("tenancy", databases=True)
def application_role_is_confined(
    app_configs: Any = None, databases: Any = None, **kwargs: Any
) -> list[CheckMessage]:
    """The web and worker role is neither superuser, BYPASSRLS nor an owner, on a safe server."""
    if not databases or "default" not in databases:
        return []
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT current_user, rolsuper, rolbypassrls, current_setting('server_version_num')::int, "
                "EXISTS (SELECT 1 FROM pg_class WHERE relowner = pg_roles.oid AND relkind IN ('r', 'p', 'v')) "
                "FROM pg_roles WHERE rolname = current_user"
            )
            row = cursor.fetchone()
    except OperationalError:
        return []  # An absent database is the readiness probe's business.
    assert row is not None
    user, is_superuser, may_bypass, version, is_owner = row
    return [*_role_errors(user, is_superuser, may_bypass, is_owner), *_version_errors(version)]


def _role_errors(user: str, is_superuser: bool, may_bypass: bool, is_owner: bool) -> list[CheckMessage]:
    hint = "Connect as llm_app, which `make up` creates; see README, Database."
    errors: list[CheckMessage] = []
    if is_superuser or may_bypass:
        errors.append(
            Error(f"The database role {user} passes by row-level security.", hint=hint, id="core.E001")
        )
    if is_owner:
        errors.append(Error(f"The database role {user} owns tables.", hint=hint, id="core.E002"))
    return errors


def _version_errors(version: int) -> list[CheckMessage]:
    major, minor = divmod(version, 10000)
    if major < 15 or minor < SAFE_SERVERS.get(major, 0):
        return [
            Error(f"PostgreSQL {major}.{minor} leaks statistics past row-level security.", id="core.E003")
        ]
    return []
