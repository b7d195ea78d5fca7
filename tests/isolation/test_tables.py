"""Every table of the application under the second lock: nothing of another tenant is seen or written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import Error, connection, connections, transaction

from apps.accounts.models import Project
from apps.core.tenancy import NestedOrganization, NoOrganizationActive, tenant
from tests.conftest import Sender, query, response

CANARY = "canary-7f3a9c"


def tenant_tables() -> list[str]:
    """Tables and partitions with a tenant's column."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
            "WHERE a.attname = 'organization_id' AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace "
            "ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


@pytest.fixture
def two(make_organization: Callable[..., Any], now: datetime) -> tuple[Any, Any]:
    """Two organisations, the second full of canaries."""
    first, second = make_organization(), make_organization(name=CANARY)
    for made, word in ((first, "plain"), (second, CANARY)):
        sender = Sender(made, now)
        sender.send(
            query(now, word, user_id=word, query_text=word, intent=word),
            response(now + timedelta(seconds=2), word, user_id=word, model=word, response_text=word),
            {"event": "llm_query_sent", "timestamp": now.isoformat(), "user_id": f"{word}-alone"},
            {"event": "nonsense", "timestamp": word},
        )
        sender.digest()
    return first, second


def test_every_tenant_table_forces_a_policy_for_reading_and_writing() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, EXISTS (SELECT 1 FROM pg_policy p "
            "WHERE p.polrelid = c.oid AND p.polname = 'tenant' AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL) "
            "FROM pg_class c WHERE c.relname = ANY(%s)",
            [[*tenant_tables(), "accounts_organization"]],
        )
        bare = [name for name, is_forced, has_policy in cursor.fetchall() if not (is_forced and has_policy)]
    assert bare == []


def test_the_application_role_is_no_owner_and_passes_no_lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == ("llm_app", False, False, False, False)
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = 'llm_app'::regrole")
        assert cursor.fetchone() == (0,)


def test_nothing_is_seen_without_an_organisation(two: tuple[Any, Any]) -> None:
    for table in tenant_tables():
        if table.startswith("events_event_2"):
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,), table


def test_no_canary_of_the_other_tenant_is_seen_in_any_table(two: tuple[Any, Any]) -> None:
    first, second = two
    seen = 0
    for table in [*tenant_tables(), "accounts_organization"]:
        if table.startswith("events_event_2"):
            continue
        with tenant(first.organization.id), connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", [f"%{CANARY}%"])
            assert cursor.fetchone() == (0,), table
        with tenant(second.organization.id), connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", [f"%{CANARY}%"])
            seen += (cursor.fetchone() or (0,))[0]
    assert seen >= 10


def test_partitions_can_not_be_read_directly() -> None:
    partitions = [name for name in tenant_tables() if name.startswith("events_event_2")]
    assert len(partitions) >= 50
    with pytest.raises(Error, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {partitions[-1]}")


@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_rows_of_another_tenant_can_not_be_changed(two: tuple[Any, Any], verb: str) -> None:
    first, second = two
    for table in tenant_tables():
        if table.startswith("events_event_2") or table == "accounts_auditentry":
            continue
        sql = (
            f"UPDATE {table} SET organization_id = organization_id WHERE organization_id = %s"
            if verb == "UPDATE"
            else f"DELETE FROM {table} WHERE organization_id = %s"
        )
        with tenant(first.organization.id), connection.cursor() as cursor:
            cursor.execute(sql, [second.organization.id])
            assert cursor.rowcount == 0, table


def test_a_row_can_not_be_moved_to_another_tenant(two: tuple[Any, Any]) -> None:
    first, second = two
    with (
        pytest.raises(Error, match="row-level security"),
        tenant(first.organization.id),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE accounts_project SET organization_id = %s", [second.organization.id])


def test_a_key_can_not_point_to_another_tenants_project(two: tuple[Any, Any]) -> None:
    first, second = two
    with (
        pytest.raises(Error, match="foreign key"),
        tenant(first.organization.id),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE accounts_apikey SET project_id = %s WHERE organization_id = %s",
            [second.project.id, first.organization.id],
        )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE accounts_project",
        "CREATE TABLE mine (a int)",
        "ALTER TABLE accounts_project DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON accounts_project",
        "SET ROLE llm_owner",
        "COPY events_event FROM STDIN",
    ],
)
def test_the_application_role_may_not(statement: str) -> None:
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        if statement.startswith("COPY"):
            pytest.fail("COPY passed by row-level security")


def test_the_audit_trail_can_only_grow(two: tuple[Any, Any]) -> None:
    for verb in ("UPDATE accounts_auditentry SET action = 'x'", "DELETE FROM accounts_auditentry"):
        with (
            pytest.raises(Error, match="permission denied"),
            tenant(two[0].organization.id),
            connection.cursor() as cursor,
        ):
            cursor.execute(verb)


def test_queries_without_an_organisation_are_refused_in_code() -> None:
    with pytest.raises(NoOrganizationActive):
        Project.objects.count()


def test_another_organisation_can_not_be_opened_inside_one(two: tuple[Any, Any]) -> None:
    with tenant(two[0].organization.id), pytest.raises(NestedOrganization), tenant(two[1].organization.id):
        pass


def test_the_setting_ends_with_its_transaction(two: tuple[Any, Any]) -> None:
    with tenant(two[0].organization.id):
        pass
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.organization_id', true)")
        assert cursor.fetchone() in (("",), (None,))


def test_the_operator_reads_the_ledger_but_no_events(two: tuple[Any, Any]) -> None:
    with connections["operator"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM events_batch")
        assert (cursor.fetchone() or (0,))[0] >= 2
    for table in ("events_event", "events_text", "accounts_apikey", "conversations_session"):
        with pytest.raises(Error, match="permission denied"), connections["operator"].cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
