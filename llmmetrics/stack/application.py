"""The processes of the application itself: web server, worker, beat, and commands run beside them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from llmmetrics.stack import processes
from llmmetrics.stack.supervisor import Child

ROOT = Path(__file__).resolve().parents[2]
WEB_WORKERS = 2
WEB_THREADS = 24
WORKER_PROCESSES = 2
WORKER_OPTIONS = ("--without-mingle", "--without-gossip")
# Under full load requests go first: what is acknowledged waits for its digest, never the other way round.
WORKER_NICENESS = 5
GRACE_S = 12.0


@dataclass(frozen=True)
class Application:
    """How to start the application of one DATA_DIR."""

    data_dir: Path
    port: int

    @property
    def url(self) -> str:
        return os.environ.get("PUBLIC_URL", f"http://127.0.0.1:{self.port}").rstrip("/")

    @property
    def environment(self) -> dict[str, str]:
        """What every process of the application is started with."""
        return {
            **os.environ,
            "DATA_DIR": str(self.data_dir),
            "PUBLIC_URL": self.url,
            "SELF_HOST": os.environ.get("SELF_HOST", "1"),
            "DJANGO_SETTINGS_MODULE": "llmmetrics.settings",
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(self.temporary),
        }

    @property
    def temporary(self) -> Path:
        return self.data_dir / "tmp"

    def clear_temporary(self) -> None:
        """Forget what killed processes left; called before anything of the application runs."""
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir(mode=0o700)

    def children(self) -> list[Child]:
        """Worker, beat and web, in the order of their start."""
        celery = ["celery", "--app", "llmmetrics"]
        quiet = ["--loglevel", "WARNING"]
        return [
            self._child(
                "worker",
                [*celery, "worker", "--concurrency", str(WORKER_PROCESSES), *quiet, *WORKER_OPTIONS],
                nice=WORKER_NICENESS,
            ),
            self._child("beat", [*celery, "beat", *quiet, "--pidfile="]),
            Child("web", self._start_web, grace_s=GRACE_S),
        ]

    def _start_web(self) -> subprocess.Popen[bytes]:
        """Its processes share the figures for Prometheus through a folder, emptied at every start."""
        figures = self.data_dir / "prometheus"
        shutil.rmtree(figures, ignore_errors=True)
        figures.mkdir()
        return self._start("web", self._gunicorn(), {"PROMETHEUS_MULTIPROC_DIR": str(figures)})

    def _gunicorn(self) -> list[str]:
        """Stays within GRACE_S when it stops, trusts no header about the client's address, writes nothing
        outside DATA_DIR (its control socket would lie in the home folder, one for all stacks)."""
        return [
            *("gunicorn", "llmmetrics.wsgi", "--bind", f"127.0.0.1:{self.port}", "--log-level", "warning"),
            *("--worker-class", "gthread", "--workers", str(WEB_WORKERS), "--threads", str(WEB_THREADS)),
            *("--timeout", "60", "--graceful-timeout", "8", "--keep-alive", "5", "--preload"),
            *("--forwarded-allow-ips", "", "--limit-request-field_size", "16380", "--no-control-socket"),
        ]

    def _child(self, name: str, module: list[str], nice: int = 0) -> Child:
        return Child(name, lambda: self._start(name, module, {}, nice), grace_s=GRACE_S)

    def _start(
        self, name: str, module: list[str], extra: dict[str, str], nice: int = 0
    ) -> subprocess.Popen[bytes]:
        return processes.start(
            [sys.executable, "-m", *module],
            log=self.data_dir / "logs" / f"{name}.log",
            environment={**self.environment, **extra},
            nice=nice,
            cwd=ROOT,
        )

    def run(self, *arguments: str) -> str:
        """Run Python with these arguments to its end; raises RuntimeError with what it said when it fails."""
        done = subprocess.run(
            [sys.executable, *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"`python {' '.join(arguments)}` failed:\n{done.stderr.strip()[-3000:]}")
        return done.stdout

    def errand(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Run Python beside the site, its output shown; it ends with this process."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            env=self.environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            preexec_fn=processes.dies_with_parent(signal.SIGTERM),
            start_new_session=True,
        )
