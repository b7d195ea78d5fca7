"""`make up`: the whole stack on one machine, supervised until Ctrl-C.

Starts PostgreSQL and Redis (unless DATABASE_URL, REDIS_URL are set), migrates, starts the web
server, the worker and beat, makes the demo organisation and tells where everything is.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from llmmetrics.stack import processes, record
from llmmetrics.stack.places import make_folder
from llmmetrics.stack.servers import Servers, find_servers, wait_until_ready
from llmmetrics.stack.supervisor import Child, Supervisor

ROOT = Path(__file__).resolve().parent.parent
WEB_WORKERS = 2
WEB_THREADS = 24
WORKER_PROCESSES = 2


class Stop(Exception):
    """Ctrl-C or SIGTERM."""


def say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    data_dir = Path(os.environ.get("DATA_DIR", ROOT / ".data")).resolve()
    port = int(os.environ.get("PORT", "8000"))
    signal.signal(signal.SIGTERM, _raise_stop)
    signal.signal(signal.SIGINT, _raise_stop)
    supervisor = Supervisor(say)
    try:
        with _only_one(data_dir):
            return _run(data_dir, port, supervisor)
    except Stop:
        return 0
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        say(f"\nCould not start: {error}")
        return 1
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if supervisor.children:
            say("Stopping …")
            supervisor.stop()
            say("Stopped.")


def _raise_stop(number: int, frame: FrameType | None) -> None:
    raise Stop


@contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """Hold DATA_DIR's lock; a second `up` on the same folder is told so."""
    make_folder(data_dir, 0o711 if os.geteuid() == 0 else 0o700)
    with (data_dir / "up.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(f"another `make up` is running on {data_dir}.") from None
        yield


def _run(data_dir: Path, port: int, supervisor: Supervisor) -> int:
    begun = time.monotonic()
    if processes.port_is_open(port):
        raise RuntimeError(f"port {port} is in use; choose another one: PORT=8001 make up")
    servers = find_servers(data_dir)
    _start_servers(servers, supervisor)
    url = os.environ.get("PUBLIC_URL", f"http://127.0.0.1:{port}").rstrip("/")
    environment = _environment(data_dir, url)
    say("Migrating the database …")
    _manage(environment, "migrate", "--database", "owner", "--verbosity", "0")
    _start_application(servers, supervisor, environment, port)
    _wait_for_site(port, supervisor)
    facts = _demo_organization(data_dir, url, environment)
    _write_pids(data_dir, supervisor)
    _announce(facts, time.monotonic() - begun)
    loader = _load_demo(environment)
    _watch(data_dir, supervisor, loader)
    return 0


def _start_servers(servers: Servers, supervisor: Supervisor) -> None:
    if servers.cluster is not None:
        say("Starting PostgreSQL …")
        servers.cluster.create()
        supervisor.add(Child("postgres", servers.cluster.start, stop_signal=signal.SIGINT))
    if servers.broker is not None:
        say("Starting Redis …")
        supervisor.add(Child("redis", servers.broker.start))
    wait_until_ready(servers)
    servers.prepare_database()


def _environment(data_dir: Path, url: str) -> dict[str, str]:
    """What every child of the application is started with."""
    return {
        **os.environ,
        "DATA_DIR": str(data_dir),
        "PUBLIC_URL": url,
        "SELF_HOST": os.environ.get("SELF_HOST", "1"),
        "DJANGO_SETTINGS_MODULE": "llmmetrics.settings",
        "PYTHONUNBUFFERED": "1",
    }


def _manage(environment: dict[str, str], *arguments: str) -> str:
    """Run a management command; its error output is shown when it fails."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"`manage.py {arguments[0]}` failed:\n{done.stderr.strip()[-3000:]}")
    return done.stdout


def _start_application(
    servers: Servers, supervisor: Supervisor, environment: dict[str, str], port: int
) -> None:
    say("Starting web, worker and beat …")
    logs = servers.places.logs
    python = sys.executable

    def child(name: str, command: list[str], nice: int = 0, grace_s: float = 12.0) -> None:
        supervisor.add(
            Child(
                name,
                lambda: processes.start(
                    command, log=logs / f"{name}.log", environment=environment, nice=nice, cwd=ROOT
                ),
                grace_s=grace_s,
            )
        )

    celery = [python, "-m", "celery", "--app", "llmmetrics"]
    child(
        "worker",
        [*celery, "worker", "--concurrency", str(WORKER_PROCESSES), "--loglevel", "WARNING"]
        + ["--without-mingle", "--without-gossip"],
        nice=5,
    )
    child("beat", [*celery, "beat", "--loglevel", "WARNING", "--pidfile="])
    _manage(environment, "collectstatic", "--noinput", "--verbosity", "0")
    child(
        "web",
        [python, "-m", "gunicorn", "llmmetrics.wsgi", "--bind", f"127.0.0.1:{port}"]
        + ["--worker-class", "gthread", "--workers", str(WEB_WORKERS), "--threads", str(WEB_THREADS)]
        + ["--timeout", "60", "--graceful-timeout", "8", "--keep-alive", "5", "--forwarded-allow-ips", ""]
        + ["--limit-request-field_size", "16380", "--log-level", "warning"],
    )


def _wait_for_site(port: int, supervisor: Supervisor, seconds: float = 60) -> None:
    """Wait for readiness; children that die meanwhile are restarted."""
    address = f"http://127.0.0.1:{port}/readyz"

    def is_ready() -> bool:
        supervisor.tend()
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    if not processes.wait_for(is_ready, seconds, 0.1):
        raise RuntimeError(f"the site did not become ready; see the logs folder and {address}")


def _demo_organization(data_dir: Path, url: str, environment: dict[str, str]) -> dict[str, Any]:
    """Make the demo organisation the first time; its login and keys stay in `up.json`."""
    file = data_dir / "up.json"
    known = record.read_json(file)
    if not known.get("ingest_key"):
        known = json.loads(_manage(environment, "load_demo", "--organization-only"))
    facts = {**known, "url": url}
    record.write_private(file, facts)
    return facts


def _announce(facts: dict[str, Any], seconds: float) -> None:
    say(f"\nLLM Metrics is ready after {seconds:.1f} s.\n")
    for label in ("url", "login", "password", "organization", "ingest_key", "read_key", "admin_key"):
        say(f"  {label:<13} {facts[label]}")
    say("\nCtrl-C stops everything; the data stay.\n")


def _load_demo(environment: dict[str, str]) -> subprocess.Popen[bytes] | None:
    """Load the demo's traffic beside the running site, its progress shown here."""
    if os.environ.get("DEMO", "1") in ("0", "false", "no"):
        return None
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "load_demo", "--data"],
        env=environment,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        preexec_fn=processes.dies_with_parent(signal.SIGTERM),
        start_new_session=True,
    )


def _write_pids(data_dir: Path, supervisor: Supervisor) -> None:
    record.write_private(data_dir / "pids.json", supervisor.pids())


def _watch(data_dir: Path, supervisor: Supervisor, loader: subprocess.Popen[bytes] | None) -> None:
    """Tend the children until a signal ends it."""
    try:
        while True:
            if supervisor.tend():
                _write_pids(data_dir, supervisor)
            if loader is not None and loader.poll() is not None:
                if loader.returncode:
                    say("The demo data could not be loaded; `python manage.py load_demo --data` tries again.")
                loader = None
            time.sleep(0.1)
    finally:
        if loader is not None:
            processes.signal_group(loader, signal.SIGTERM)
            loader.wait(10)


if __name__ == "__main__":
    sys.exit(main())
