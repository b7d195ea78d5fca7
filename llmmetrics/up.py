"""`make up`: the whole stack on one machine, supervised until Ctrl-C.

Starts PostgreSQL and Redis (unless DATABASE_URL, REDIS_URL are set), migrates, starts the web
server, the worker and beat, makes the demo organisation and tells where everything is.
"""

from __future__ import annotations

import contextlib
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
from pathlib import Path
from typing import Any

import psycopg

from llmmetrics.stack import processes, record
from llmmetrics.stack.application import ROOT, Application
from llmmetrics.stack.places import make_folder
from llmmetrics.stack.servers import Servers, find_servers, wait_until_ready
from llmmetrics.stack.supervisor import Child, Supervisor

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TRIM_EVERY_S = 30.0


def say(text: str) -> None:
    """Print at once. A terminal that has gone away does not stop the product."""
    with contextlib.suppress(OSError):
        print(text, flush=True)


def main() -> int:
    data_dir = Path(os.environ.get("DATA_DIR", ROOT / ".data")).resolve()
    for number in STOP_SIGNALS:
        signal.signal(number, signal.default_int_handler)
    processes.adopt_orphans()
    supervisor = Supervisor(say, adopts=True)
    try:
        with _only_one(data_dir):
            _run(Application(data_dir, _port()), supervisor)
    except KeyboardInterrupt:
        return 0
    except (RuntimeError, OSError, psycopg.Error) as error:
        say(f"\nCould not start: {error}")
        return 1
    finally:
        _stop(supervisor)
    return 0


def _port() -> int:
    text = os.environ.get("PORT", "8000")
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise RuntimeError(f"PORT: {text!r} is not a port number.")
    if processes.port_is_open(int(text)):
        raise RuntimeError(f"port {text} is in use; choose another one: PORT=8001 make up")
    return int(text)


@contextlib.contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """Hold DATA_DIR's lock; a second `up` on the same folder is told so."""
    make_folder(data_dir, 0o711 if os.geteuid() == 0 else 0o700)
    with (data_dir / "up.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(f"another `make up` is running on {data_dir}.") from None
        yield


def _run(application: Application, supervisor: Supervisor) -> None:
    """Start everything in order, then tend it for ever."""
    begun = time.monotonic()
    servers = find_servers(application.data_dir)
    _start_servers(servers, supervisor)
    application.clear_temporary()
    say("Migrating the database …")
    application.run("-m", "llmmetrics.boot")
    say("Starting web, worker and beat …")
    for child in application.children():
        supervisor.add(child)
    _wait_for_site(application, supervisor)
    facts = _demo_organization(application, servers)
    _write_pids(application, supervisor)
    _announce(facts, time.monotonic() - begun)
    if os.environ.get("DEMO", "1").lower() not in ("0", "false", "no"):
        supervisor.errands.append(application.errand("manage.py", "load_demo", "--data"))
    _watch(application, supervisor)


def _start_servers(servers: Servers, supervisor: Supervisor) -> None:
    if servers.cluster is not None:
        say("Starting PostgreSQL …")
        servers.cluster.create()
        supervisor.add(Child("postgres", servers.cluster.start, signal.SIGINT, is_server=True))
    if servers.broker is not None:
        say("Starting Redis …")
        supervisor.add(Child("redis", servers.broker.start, is_server=True))
    wait_until_ready(servers, supervisor)
    servers.prepare_database()


def _wait_for_site(application: Application, supervisor: Supervisor, seconds: float = 60) -> None:
    """Wait for readiness; children that die meanwhile are restarted."""
    address = f"http://127.0.0.1:{application.port}/readyz"

    def is_ready() -> bool:
        supervisor.tend()
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    if not processes.wait_for(is_ready, seconds, 0.1):
        log = application.data_dir / "logs" / "web.log"
        raise RuntimeError(f"{address} did not become ready; the end of {log}:\n{processes.last_lines(log)}")


def _demo_organization(application: Application, servers: Servers) -> dict[str, Any]:
    """Make the demo organisation once per database; its login and keys stay in `up.json`."""
    file = application.data_dir / "up.json"
    known = record.read_json(file)
    database = servers.database_identity()
    if not known.get("ingest_key") or servers.known.get("demo_database") != database:
        known = json.loads(application.run("manage.py", "load_demo", "--organization-only"))
    facts = {**known, "url": application.url}
    record.write_private(file, facts)
    servers.remember("demo_database", database)
    return facts


def _announce(facts: dict[str, Any], seconds: float) -> None:
    say(f"\nLLM Metrics is ready after {seconds:.1f} s.\n")
    for label in ("url", "login", "password", "organization", "ingest_key", "read_key", "admin_key"):
        say(f"  {label:<13} {facts[label]}")
    say("\nCtrl-C stops everything; the data stay.\n")


def _write_pids(application: Application, supervisor: Supervisor) -> None:
    record.write_private(application.data_dir / "pids.json", supervisor.pids())


def _watch(application: Application, supervisor: Supervisor) -> None:
    """Tend the children until a signal ends it."""
    trim_at = time.monotonic()
    while True:
        if supervisor.tend():
            _write_pids(application, supervisor)
        for errand in [errand for errand in supervisor.errands if errand.poll() is not None]:
            supervisor.errands.remove(errand)
            _tell_failure(errand)
        if time.monotonic() >= trim_at:
            trim_at = time.monotonic() + TRIM_EVERY_S
            for log in (application.data_dir / "logs").glob("*.log"):
                processes.trim(log)
        time.sleep(0.1)


def _tell_failure(errand: subprocess.Popen[bytes]) -> None:
    if errand.returncode:
        say("The demo data could not be loaded; `manage.py load_demo --data` goes on with it.")


def _stop(supervisor: Supervisor) -> None:
    """End everything that was started; further signals do not interrupt it."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if supervisor.children:
        say("Stopping …")
        supervisor.stop()
        say("Stopped.")


if __name__ == "__main__":
    sys.exit(main())
