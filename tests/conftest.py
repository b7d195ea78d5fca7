"""Fixtures: an organisation of its own for every test, events, and the whole stack for black-box tests.

Tests commit. Row-level security keeps them apart, as it does tenants.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from llmmetrics.stack.places import system_dir
from llmmetrics.stack.processes import dies_with_parent, free_port, wait_for

ROOT = Path(__file__).resolve().parent.parent
# Settings of the tests' own servers, which a complete stack has to find for itself.
NOT_FOR_THE_STACK = {"DATABASE_URL", "REDIS_URL", "DATABASE_POOL_SIZE", "PLAIN_STATIC"}


@pytest.hookimpl(tryfirst=True)  # Before xdist reads the groups.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of the whole stack run in one process, so that it is started once."""
    for item in items:
        if {"stack", "start_stack"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("stack"))


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """The database was made and migrated as llm_owner before the tests began."""


@pytest.fixture(scope="session", autouse=True)
def _database(django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@pytest.fixture(autouse=True)
def _many_sign_ups(settings: Any) -> None:
    """All tests come from one address, where a person signs up once: only the limits by address are wider."""
    settings.ACCOUNT_RATE_LIMITS = {
        "signup": "1000/m/ip",
        "login": "1000/m/ip",
        "reset_password": "1000/m/ip",
    }


@pytest.fixture(autouse=True)
def _no_organization_left_open() -> Iterator[None]:
    from apps.core.tenancy import active_organization_id

    yield
    assert active_organization_id() is None


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def make_organization() -> Callable[..., Any]:
    """Makes an organisation with an owner, a project and the three keys."""
    from apps.accounts.models import User
    from apps.accounts.provision import KEY_SCOPES, create_organization

    def make(timezone: str = "UTC", name: str = "Acme") -> Any:
        # Without a password: hashing one costs more than many a test.
        owner = User.objects.create_user(f"{unique('owner')}@example.com")
        return create_organization(name=name, owner=owner, timezone=timezone, keys=tuple(KEY_SCOPES))

    return make


@pytest.fixture
def organization(make_organization: Callable[..., Any]) -> Any:
    return make_organization()


@dataclass
class Sender:
    """Sends events of one organisation through the ordinary door and reads metrics back."""

    provisioned: Any
    now: datetime

    def send(self, *events: dict[str, Any], **options: Any) -> Any:
        from apps.events.receive import ingest

        return ingest(
            organization_id=self.provisioned.organization.id,
            project_id=self.provisioned.project.id,
            body_events=[json.dumps(event).encode() for event in events],
            historical=options.get("historical", False),
            is_test=options.get("is_test", False),
            source="json",
            key_id=None,
            received_at=options.get("received_at", self.now + timedelta(days=1)),
        )

    def digest(self) -> None:
        from apps.conversations.digest import digest_organization

        digest_organization(self.provisioned.organization.id)

    def value(self, key: str, **options: Any) -> Any:
        """The one point of a metric over the days around `now`, everything idle closed."""
        return self.points(key, interval="total", **options)[0]

    def points(self, key: str, **options: Any) -> list[Any]:
        from apps.accounts.models import Organization
        from apps.core.tenancy import tenant
        from apps.metrics.series import Query, run

        start = options.pop("start", self.now.date() - timedelta(days=20))
        end = options.pop("end", self.now.date() + timedelta(days=1))
        at = options.pop("at", self.now + timedelta(hours=2))
        with tenant(self.provisioned.organization.id):
            organization = Organization.objects.get()
            return run(organization, Query((key,), start, end, **options), at)[key].points


@pytest.fixture
def now() -> datetime:
    """Yesterday noon: no test depends on the time of day that it runs at."""
    today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return today - timedelta(days=1)


@pytest.fixture
def sender(organization: Any, now: datetime) -> Sender:
    return Sender(organization, now)


@dataclass
class Stack:
    """A running `up`."""

    process: subprocess.Popen[str]
    data_dir: Path
    url: str

    @property
    def facts(self) -> dict[str, Any]:
        return dict(json.loads((self.data_dir / "up.json").read_text()))

    @property
    def pids(self) -> dict[str, int]:
        return dict(json.loads((self.data_dir / "pids.json").read_text()))


@pytest.fixture(scope="session")
def start_stack() -> Iterator[Callable[..., Stack]]:
    """Starts the whole product in a folder of its own; ends everything afterwards."""
    started: list[subprocess.Popen[str]] = []
    folders: list[Path] = []

    def start(data_dir: Path | None = None, **environment: str) -> Stack:
        if data_dir is None:
            data_dir = Path(tempfile.mkdtemp(prefix="stack-", dir=os.environ["DATA_DIR"]))
            data_dir.chmod(0o711)
            folders.append(data_dir)
        port = free_port()
        base = {name: value for name, value in os.environ.items() if name not in NOT_FOR_THE_STACK}
        process = subprocess.Popen(
            [sys.executable, "-m", "llmmetrics.up"],
            cwd=ROOT,
            env={**base, "DATA_DIR": str(data_dir), "PORT": str(port), "DEMO": "0", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )
        started.append(process)
        lines = []
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if "is ready" in line:
                break
        assert process.poll() is None, "".join(lines)
        return Stack(process, data_dir, f"http://127.0.0.1:{port}")

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(40)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(system_dir(folder), ignore_errors=True)


@pytest.fixture(scope="session")
def stack(start_stack: Callable[..., Stack]) -> Stack:
    return start_stack()


def query(at: datetime, session: str = "s1", **fields: Any) -> dict[str, Any]:
    return {"event": "llm_query_sent", "timestamp": at.isoformat(), "session_id": session, **fields}


def response(at: datetime, session: str = "s1", **fields: Any) -> dict[str, Any]:
    return {
        "event": "llm_response_generated",
        "timestamp": at.isoformat(),
        "session_id": session,
        "status": "ok",
        **fields,
    }


__all__ = ["Sender", "Stack", "query", "response", "unique", "wait_for"]
