"""Which PostgreSQL and Redis to use (given or embedded), and the environment that finds them."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from llmmetrics.stack import record, roles
from llmmetrics.stack.places import Places, find_places
from llmmetrics.stack.postgres import Cluster
from llmmetrics.stack.processes import free_port, last_lines, wait_for
from llmmetrics.stack.redis import Broker
from llmmetrics.stack.supervisor import Supervisor


@dataclass
class Servers:
    """The servers of one DATA_DIR. `cluster` and `broker` are None where a URL was given."""

    data_dir: Path
    places: Places
    known: dict[str, Any]
    cluster: Cluster | None
    broker: Broker | None
    application_url: str = ""

    @property
    def file(self) -> Path:
        return self.data_dir / "stack.json"

    def prepare_database(self) -> None:
        """Roles, database and grants; then `stack.json` says how to reach everything."""
        given = os.environ.get("DATABASE_URL", "")
        is_administrator = self.cluster is None and roles.may_create_roles(given)
        if self.cluster is not None:
            known = self.known.get("databases", {})
            self.known["databases"] = roles.provision(self.cluster.url(), known, roles.DATABASE)
        elif is_administrator:
            self.known["databases"] = roles.provision(given, self.known.get("databases", {}))
            self.known["database_source"] = hashlib.sha256(given.encode()).hexdigest()
        is_derived = self.cluster is not None or is_administrator
        self.application_url = self.known["databases"]["default"] if is_derived else given
        if self.broker is not None:
            self.known["redis_url"] = self.broker.url
        else:
            self.known["redis_url"] = os.environ["REDIS_URL"]
        record.write_private(self.file, self.known)

    def database_identity(self) -> str:
        """The moment of the first migration: no two databases have the same."""
        with psycopg.connect(self.application_url, connect_timeout=5) as connection:
            row = connection.execute("SELECT min(applied) FROM django_migrations").fetchone()
        return str(row and row[0])

    def remember(self, name: str, value: str) -> None:
        if self.known.get(name) != value:
            self.known[name] = value
            record.write_private(self.file, self.known)


def find_servers(data_dir: Path) -> Servers:
    """Read what an earlier start remembered, choose ports, and make passwords where there are none."""
    places = find_places(data_dir)
    known = record.read_json(data_dir / "stack.json")
    known.setdefault("secret_key", secrets.token_urlsafe(64))
    cluster = broker = None
    if not os.environ.get("DATABASE_URL"):
        held = known.setdefault("postgres", {"password": secrets.token_urlsafe(24)})
        held["port"] = free_port(held.get("port"))
        cluster = Cluster(places, held["port"], held["password"])
    if not os.environ.get("REDIS_URL"):
        held = known.setdefault("redis", {"password": secrets.token_urlsafe(24)})
        held["port"] = free_port(held.get("port"))
        broker = Broker(places, held["port"], held["password"])
    record.write_private(data_dir / "stack.json", known)
    return Servers(data_dir, places, known, cluster, broker)


def wait_until_ready(servers: Servers, supervisor: Supervisor, seconds: float = 60) -> None:
    """Wait for the embedded servers, restarting what dies; raises RuntimeError with the end of the log."""
    for name, server in (("postgres", servers.cluster), ("redis", servers.broker)):
        if server is None:
            continue

        def is_ready(server: Cluster | Broker = server) -> bool:
            supervisor.tend()
            return server.is_ready()

        if not wait_for(is_ready, seconds):
            log = servers.places.logs / f"{name}.log"
            raise RuntimeError(f"{name} did not start; the end of {log}:\n{last_lines(log)}")
