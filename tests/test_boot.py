"""What the application refuses to start with, and what the database was made to hold."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings

from llmmetrics.stack import record, roles
from llmmetrics.stack.places import find_places, system_dir
from llmmetrics.stack.postgres import SETTINGS, Cluster
from llmmetrics.stack.processes import LOG_LIMIT_BYTES, free_port, trim, wait_for
from llmmetrics.stack.supervisor import Child, Supervisor
from tests.conftest import ROOT


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY: must be set and have at least 50 characters"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS: '*' would accept any host name"),
        ({"DEBUG": "1", "PUBLIC_URL": "http://metrics.example.com"}, "DEBUG: shows secrets to visitors"),
        ({"DATA_DIR": "/nonexistent"}, "start the stack with `make up` first"),
    ],
)
def test_refuses_an_unsafe_setting_in_one_sentence(environment: dict[str, str], sentence: str) -> None:
    done = manage("check", **environment)
    assert done.returncode != 0
    assert sentence in done.stderr


def test_passes_the_deployment_checks_behind_tls() -> None:
    done = manage(
        *("check", "--deploy", "--fail-level", "WARNING"),
        PUBLIC_URL="https://metrics.example.com",
        TRUST_PROXY_TLS="1",
    )
    assert done.returncode == 0, done.stderr


def test_begins_a_large_log_anew_and_keeps_the_old_one(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * LOG_LIMIT_BYTES)
        trim(log)
        assert log.stat().st_size == LOG_LIMIT_BYTES
        writer.write(b"one more")
        trim(log)
        writer.write(b"after")
    assert log.read_bytes() == b"after"
    assert (tmp_path / "web.log.1").stat().st_size == LOG_LIMIT_BYTES + len("one more")


def test_replaces_a_secret_file_without_ever_opening_it_to_others(tmp_path: Path) -> None:
    file = tmp_path / "stack.json"
    for content in ({"password": "first"}, {"password": "second"}):
        record.write_private(file, content)
        assert record.read_json(file) == content
        assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_gives_the_application_no_power_over_its_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname FROM pg_roles WHERE rolname IN ('llm_owner', 'llm_app', 'llm_operator') "
            "AND rolcanlogin AND NOT (rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole OR rolreplication)"
        )
        assert {name for (name,) in cursor.fetchall()} == {"llm_owner", "llm_app", "llm_operator"}
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
            "AND (has_table_privilege('llm_app', oid, 'TRUNCATE, TRIGGER, REFERENCES') OR relowner <> "
            "(SELECT oid FROM pg_roles WHERE rolname = 'llm_owner'))"
        )
        assert cursor.fetchall() == []
        cursor.execute("SELECT has_schema_privilege('llm_app', 'public', 'CREATE')")
        assert cursor.fetchone() == (False,)


def test_keeps_what_was_committed_through_a_crash() -> None:
    durable = ("fsync", "full_page_writes", "synchronous_commit")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting FROM pg_settings WHERE name = ANY(%s) OR name = 'listen_addresses'",
            [list(durable)],
        )
        assert dict(cursor.fetchall()) == {
            **dict.fromkeys(durable, "on"),
            "listen_addresses": SETTINGS["listen_addresses"],
        }


def test_hides_the_figures_for_prometheus_without_their_token() -> None:
    assert Client().get("/prometheus").status_code == 404
    with override_settings(PROMETHEUS_TOKEN="a token"):
        assert Client().get("/prometheus").status_code == 404
        assert Client().get("/prometheus", headers={"Authorization": "Bearer wrong"}).status_code == 404
        answer = Client().get("/prometheus", headers={"Authorization": "Bearer a token"})
    assert answer.status_code == 200
    assert b"django_http_requests" in answer.content


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """A PostgreSQL of its own, for tests that change roles."""
    with tempfile.TemporaryDirectory(prefix="llmmetrics-roles-") as folder:
        Path(folder).chmod(0o711)
        cluster = Cluster(find_places(Path(folder)), free_port(), "a-password")
        cluster.create()
        supervisor = Supervisor(print)
        supervisor.add(Child("postgres", cluster.start, stop_signal=2))
        try:
            assert wait_for(cluster.is_ready, 60)
            yield cluster
        finally:
            supervisor.stop()
            shutil.rmtree(system_dir(Path(folder)), ignore_errors=True)


@pytest.fixture(scope="module")
def administrators_url(server: Cluster) -> str:
    """The URL that a hosting company gives: a role that may create roles and owns a database."""
    with psycopg.connect(server.url(), autocommit=True) as superuser:
        superuser.execute("CREATE ROLE customer LOGIN CREATEROLE PASSWORD 'secret'")
        superuser.execute("CREATE DATABASE hosted OWNER customer")
    return f"postgresql://customer:secret@127.0.0.1:{server.port}/hosted"


@pytest.mark.xdist_group("roles")
def test_makes_its_roles_on_a_server_that_is_not_its_own(administrators_url: str) -> None:
    assert roles.may_create_roles(administrators_url)
    urls = roles.provision(administrators_url, {})
    assert roles.provision(administrators_url, urls) == urls
    with psycopg.connect(urls["owner"], autocommit=True) as owner:
        owner.execute("CREATE TABLE things (id integer)")
    with psycopg.connect(urls["default"], autocommit=True) as application:
        assert not roles.may_create_roles(urls["default"])
        application.execute("INSERT INTO things VALUES (1)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("TRUNCATE things")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("CREATE TABLE more (id integer)")
    with (
        psycopg.connect(urls["operator"], autocommit=True) as operator,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        operator.execute("SELECT * FROM things")


@pytest.mark.xdist_group("roles")
def test_does_not_serve_as_a_role_that_passes_by_row_level_security(server: Cluster) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import llmmetrics.wsgi"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": server.url()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "passes by row-level security" in done.stderr
