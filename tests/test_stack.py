"""`make up` as a stranger meets it: what it tells, survives and leaves behind."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llmmetrics.stack.processes import free_port
from tests.conftest import ROOT, Stack, wait_for

NEW = {"accepted": 1, "duplicate": 0, "rejected": 0}
KNOWN = {"accepted": 0, "duplicate": 1, "rejected": 0}
FACTS = {"url", "login", "password", "organization", "ingest_key", "read_key", "admin_key"}


def is_ready(stack: Stack) -> bool:
    try:
        with urllib.request.urlopen(f"{stack.url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def send(stack: Stack, event_id: str) -> dict[str, int]:
    """The verdict on one event, sent with the demo organisation's key."""
    event = {
        "event": "llm_query_sent",
        "id": event_id,
        "timestamp": datetime.now(UTC).isoformat(),
        "session_id": "s1",
    }
    request = urllib.request.Request(
        f"{stack.url}/api/v1/events",
        data=json.dumps([event]).encode(),
        headers={
            "Authorization": f"Bearer {stack.facts['ingest_key']}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        verdict = json.load(answer)
    return {name: verdict[name] for name in ("accepted", "duplicate", "rejected")}


def processes_of(data_dir: Path) -> list[str]:
    """Command lines of living processes that were started for this folder, or by such a process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"DATA_DIR={data_dir}\0".encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return [line for line in found if line]


def nothing_is_left(stack: Stack, pids: dict[str, int]) -> bool:
    return not processes_of(stack.data_dir) and not [p for p in pids.values() if Path(f"/proc/{p}").exists()]


def run_up(data_dir: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `up` that is expected to refuse."""
    return subprocess.run(
        [sys.executable, "-m", "llmmetrics.up"],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(data_dir), "PORT": str(free_port()), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_tells_where_everything_is_to_its_own_user_only(stack: Stack) -> None:
    assert set(stack.facts) == FACTS
    assert stack.facts["url"] == stack.url
    for name in ("up.json", "stack.json", "pids.json"):
        assert stat.S_IMODE((stack.data_dir / name).stat().st_mode) == 0o600


def test_shows_no_password_in_the_list_of_processes(stack: Stack) -> None:
    known = json.loads((stack.data_dir / "stack.json").read_text())
    secrets = [known["secret_key"], known["postgres"]["password"], known["redis"]["password"]]
    lines = [Path(f"/proc/{pid}/cmdline").read_text() for pid in stack.pids.values()]
    assert not [secret for secret in secrets for line in lines if secret in line]


def test_answers_liveness_and_readiness(stack: Stack) -> None:
    with urllib.request.urlopen(f"{stack.url}/livez", timeout=5) as answer:
        assert json.load(answer) == {"status": "ok"}
    with urllib.request.urlopen(f"{stack.url}/readyz", timeout=5) as answer:
        body = json.load(answer)
    assert body["status"] == body["checks"]["database"] == body["checks"]["redis"] == "ok"
    assert body["checks"]["digest_lag_seconds"] >= 0


def test_refuses_to_start_twice_in_one_folder(stack: Stack) -> None:
    done = run_up(stack.data_dir)
    assert done.returncode == 1
    assert f"another `make up` is running on {stack.data_dir}." in done.stdout


def test_names_a_port_that_is_in_use(stack: Stack, tmp_path: Path) -> None:
    port = stack.url.rpartition(":")[2]
    done = run_up(tmp_path / "data", PORT=port)
    assert done.returncode == 1
    assert f"port {port} is in use" in done.stdout


@pytest.mark.parametrize("name", ["web", "worker", "beat", "redis", "postgres"])
def test_brings_back_a_process_that_was_killed(stack: Stack, name: str) -> None:
    killed = stack.pids[name]
    os.kill(killed, signal.SIGKILL)
    assert wait_for(lambda: stack.pids[name] != killed, 30)
    assert wait_for(lambda: is_ready(stack), 60)
    assert send(stack, f"after-{name}-{killed}") == NEW


def test_stops_whole_continues_with_its_data_and_dies_whole(start_stack: Callable[..., Stack]) -> None:
    first = start_stack()
    facts, pids = first.facts, first.pids
    assert send(first, "before-the-stop") == NEW
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(40) == 0
    assert nothing_is_left(first, pids)

    second = start_stack(first.data_dir)
    pids = second.pids
    assert second.facts == {**facts, "url": second.url}
    assert send(second, "before-the-stop") == KNOWN
    second.process.kill()
    assert wait_for(lambda: nothing_is_left(second, pids), 30)
