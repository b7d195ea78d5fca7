from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from apps.core.rls import composite_foreign_key, lookup, protect, visible_to

PROJECT = ("organization_id", "project_id")
PROJECT_KEY = ("organization_id", "id")
TABLES = ("membership", "project", "apikey", "invitation", "auditentry")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0001_initial")]

    operations: ClassVar = [
        protect("accounts_organization", column="id"),
        *(protect(f"accounts_{table}") for table in TABLES),
        *(
            composite_foreign_key(f"accounts_{table}", ("organization_id",), "accounts_organization", ("id",))
            for table in TABLES
        ),
        composite_foreign_key("accounts_apikey", PROJECT, "accounts_project", PROJECT_KEY),
        visible_to("llm_owner", "accounts_organization"),
        visible_to("llm_owner", "accounts_membership"),
        visible_to("llm_owner", "accounts_apikey"),
        visible_to("llm_owner", "accounts_invitation"),
        visible_to("llm_operator", "accounts_organization"),
        visible_to("llm_operator", "accounts_membership"),
        visible_to("llm_operator", "accounts_project"),
        visible_to("llm_operator", "accounts_auditentry"),
        # The trail is append-only for the application.
        migrations.RunSQL(
            "REVOKE UPDATE, DELETE ON accounts_auditentry FROM llm_app",
            "GRANT UPDATE, DELETE ON accounts_auditentry TO llm_app",
        ),
        lookup(
            "llm_key_identity(key_digest bytea, at timestamptz)",
            "TABLE (organization_id bigint, project_id bigint, key_id bigint, scopes varchar[], is_test boolean)",
            """SELECT organization_id, project_id, id, scopes, is_test FROM accounts_apikey
               WHERE digest = key_digest AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > at)""",
        ),
        lookup(
            "llm_memberships(member bigint)",
            "TABLE (organization_id bigint)",
            "SELECT organization_id FROM accounts_membership WHERE user_id = member ORDER BY created_at, id",
        ),
        lookup(
            "llm_organizations(named text)",
            "TABLE (organization_id bigint)",
            """SELECT id FROM accounts_organization WHERE named IS NULL OR public_id = named OR name = named
               ORDER BY id""",
        ),
        lookup(
            "llm_invitation(token_digest bytea)",
            "TABLE (organization_id bigint, invitation_id bigint)",
            "SELECT organization_id, id FROM accounts_invitation WHERE digest = token_digest",
        ),
    ]
