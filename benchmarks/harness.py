"""A fresh stack for one measurement: started as a user would, in a folder and on a port of its own."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from llmmetrics.stack.places import system_dir  # noqa: E402
from llmmetrics.stack.processes import dies_with_parent  # noqa: E402  (the scripts run by their path)

START_S = 120
STOP_S = 60


@dataclass
class Stack:
    """A running `llmmetrics.up` and what it wrote about itself."""

    process: subprocess.Popen[bytes]
    data_dir: Path
    port: int
    environment: dict[str, str]

    @property
    def facts(self) -> dict[str, str]:
        return dict(json.loads((self.data_dir / "up.json").read_text()))

    @property
    def pids(self) -> dict[str, int]:
        return dict(json.loads((self.data_dir / "pids.json").read_text()))

    @property
    def superuser_url(self) -> str:
        """The administrator of the embedded cluster, on the product's database."""
        held = json.loads((self.data_dir / "stack.json").read_text())["postgres"]
        return f"postgresql://llm_superuser:{held['password']}@127.0.0.1:{held['port']}/llmmetrics"

    def get(self, path: str) -> Any:
        """The JSON answer of a read address, with the read key."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            headers={"Authorization": f"Bearer {self.facts['read_key']}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"manage.py {arguments[0]} failed:\n{done.stderr[-3000:]}")
        return done.stdout

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=3)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def wait_until_digested(self, seconds: float = 300) -> None:
        """Wait until every number shows everything that was acknowledged."""
        wait_for(lambda: self.get("/api/v1/freshness")["pending_batches"] == 0, seconds, "the digest")


def wait_for(condition: Callable[[], bool], seconds: float, what: str, interval: float = 0.1) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"Waited {seconds:.0f} s for {what} in vain.")
        time.sleep(interval)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_stack(**settings: str) -> Iterator[Stack]:
    """Start a stack without demo data; end it and remove its folder afterwards.

    `settings` are added to its environment. Servers that the environment names are not used.
    """
    data_dir = Path(tempfile.mkdtemp(prefix="llmmetrics-benchmark-"))
    data_dir.chmod(0o711)
    port = free_port()
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name
        not in (
            "DATABASE_URL",
            "REDIS_URL",
            "DATABASE_POOL_SIZE",
            "DATABASE_OWNER_URL",
            "DATABASE_OPERATOR_URL",
        )
    }
    environment = {**inherited, "DATA_DIR": str(data_dir), "PORT": str(port), "DEMO": "0", **settings}
    log = data_dir / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "llmmetrics.up"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )
    stack = Stack(process, data_dir, port, environment)
    try:
        wait_for(lambda: _has_started(stack, log), START_S, "the stack")
        yield stack
    except BaseException:
        tell_logs(stack)
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_S)
        for folder in (data_dir, system_dir(data_dir)):
            shutil.rmtree(folder, ignore_errors=True)


def tell_logs(stack: Stack) -> None:
    """The ends of all logs on standard error: the folder is removed afterwards."""
    for log in (stack.data_dir / "up.log", *sorted((stack.data_dir / "logs").glob("*.log"))):
        if log.exists():
            print(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}", file=sys.stderr)


def _has_started(stack: Stack, log: Path) -> bool:
    if stack.process.poll() is not None:
        raise SystemExit(f"The stack did not start:\n{log.read_text()[-3000:]}")
    return (stack.data_dir / "pids.json").exists() and stack.is_ready()


def hold(stack: Stack, number: int) -> None:
    """Stop, or let go on, the worker with its pool, and beat."""
    for name in ("worker", "beat"):
        os.killpg(stack.pids[name], number)


def children_of(pid: int) -> list[int]:
    """Direct children of a process."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(stat.rpartition(")")[2].split()[1]) == pid:
                found.append(int(folder.name))
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank."""
    ranked = sorted(values)
    return ranked[max(0, -(-round(share * 1000) * len(ranked) // 1000) - 1)]


def table(title: str, rows: list[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in rows)
    print(f"\n{title}")
    for name, value in rows:
        print(f"  {name:<{width}}  {value}")
