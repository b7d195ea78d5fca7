"""Starts PostgreSQL and Redis for the tests, before Django reads its settings.

The controller starts them once; xdist's workers inherit the environment. The database belongs to
llm_owner and the tests connect as llm_app, exactly like the product.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from llmmetrics.stack.servers import find_servers, wait_until_ready
from llmmetrics.stack.supervisor import Child, Supervisor

ROOT = Path(__file__).resolve().parent.parent
MARK = "LLMMETRICS_TEST_STACK"

_running: list[tuple[Supervisor, Path, Path | None]] = []


def _start() -> None:
    # A run that is asked to end does so like one that is interrupted, and clears up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("REDIS_URL", None)
    data_dir = Path(tempfile.mkdtemp(prefix="llmmetrics-test-"))
    data_dir.chmod(0o711)
    (data_dir / "static").mkdir()
    os.environ.update(
        {MARK: str(data_dir), "DATA_DIR": str(data_dir), "PLAIN_STATIC": "1", "DATABASE_POOL_SIZE": "8"}
    )
    servers = find_servers(data_dir)
    supervisor = Supervisor(print)
    _running.append((supervisor, data_dir, servers.places.server_dir if servers.places.is_moved else None))
    assert servers.cluster is not None
    assert servers.broker is not None
    servers.cluster.create()
    supervisor.add(Child("postgres", servers.cluster.start, stop_signal=2))
    supervisor.add(Child("redis", servers.broker.start))
    wait_until_ready(servers, supervisor)
    servers.prepare_database()
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--database", "owner", "--verbosity", "0"],
        cwd=ROOT,
        check=True,
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    _end()


def _end() -> None:
    """End what this process started, and leave no folder."""
    for supervisor, data_dir, moved in _running:
        supervisor.stop()
        shutil.rmtree(data_dir, ignore_errors=True)
        if moved is not None:
            shutil.rmtree(moved, ignore_errors=True)
    _running.clear()


if MARK not in os.environ:
    try:
        _start()
    except BaseException:
        _end()
        raise
