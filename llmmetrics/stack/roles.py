"""The three roles and the database: made once by an administrator's connection, checked ever after."""

from __future__ import annotations

import secrets
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

DATABASE = "llmmetrics"
ROLES = {"owner": "llm_owner", "default": "llm_app", "operator": "llm_operator"}

GRANTS = """
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO llm_owner;
GRANT USAGE ON SCHEMA public TO llm_app, llm_operator;
ALTER DEFAULT PRIVILEGES FOR ROLE llm_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO llm_app;
ALTER DEFAULT PRIVILEGES FOR ROLE llm_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO llm_app;
ALTER DEFAULT PRIVILEGES FOR ROLE llm_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
"""


def may_create_roles(url: str) -> bool:
    """Whether the URL's role is an administrator (superuser or CREATEROLE)."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute(
            "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    return bool(row and row[0])


def url_for(admin_url: str, role: str, password: str, database: str) -> str:
    """The same server and options, as another role on another database."""
    parts = urlsplit(admin_url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, f"{role}:{quote(password)}@{host}", f"/{database}", parts.query, ""))


def provision(admin_url: str, known: dict[str, str], database: str | None = None) -> dict[str, str]:
    """Make roles, database and grants where missing; returns the URL of each alias.

    `known` are URLs of an earlier call, whose passwords are kept. `database` names the database to
    create; None uses the one of the administrator's URL.
    """
    passwords = {alias: urlsplit(known[alias]).password if alias in known else None for alias in ROLES}
    name = database or urlsplit(admin_url).path.lstrip("/")
    with psycopg.connect(admin_url, autocommit=True, connect_timeout=5) as connection:
        for alias, role in ROLES.items():
            passwords[alias] = passwords[alias] or secrets.token_urlsafe(24)
            _make_role(connection, role, passwords[alias] or "")
        _join_owner(connection)
        if database is not None:
            _make_database(connection, database)
    with psycopg.connect(url_for_database(admin_url, name), autocommit=True, connect_timeout=5) as connection:
        connection.execute(GRANTS)
    return {alias: url_for(admin_url, role, passwords[alias] or "", name) for alias, role in ROLES.items()}


def url_for_database(admin_url: str, database: str) -> str:
    parts = urlsplit(admin_url)
    return urlunsplit((parts.scheme, parts.netloc, f"/{database}", parts.query, ""))


def _make_role(connection: psycopg.Connection[tuple[object, ...]], role: str, password: str) -> None:
    """Make the role; of one that exists only the password is set, and the boot checks judge the rest."""
    exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verb = (
        "ALTER ROLE {} LOGIN PASSWORD {}"
        if exists
        else "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD {}"
    )
    connection.execute(sql.SQL(verb).format(sql.Identifier(role), sql.Literal(password)))


def _join_owner(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Let an administrator who is no superuser decide about what llm_owner will own."""
    connection.execute(
        "DO $$ BEGIN IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN "
        "GRANT llm_owner TO CURRENT_USER; END IF; END $$"
    )


def _make_database(connection: psycopg.Connection[tuple[object, ...]], database: str) -> None:
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER llm_owner ENCODING 'UTF8' TEMPLATE template0").format(
                sql.Identifier(database)
            )
        )
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))
    connection.execute(
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO llm_owner, llm_app, llm_operator").format(
            sql.Identifier(database)
        )
    )
