"""The embedded PostgreSQL cluster: loopback only, passwords always, durability on."""

from __future__ import annotations

import pwd
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg

from llmmetrics.stack import processes
from llmmetrics.stack.places import Places, make_folder

SUPERUSER = "llm_superuser"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "128MB",
    "max_connections": "120",
    "max_wal_size": "2GB",
    "work_mem": "16MB",
    "jit": "off",
    "timezone": "UTC",
    "log_min_messages": "warning",
}


@dataclass(frozen=True)
class Cluster:
    """A cluster's folder, port and superuser password."""

    places: Places
    port: int
    password: str

    @property
    def folder(self) -> Path:
        return self.places.server_dir / "postgres"

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def create(self) -> None:
        """Run initdb once. An interrupted attempt leaves no cluster behind."""
        if (self.folder / "PG_VERSION").exists():
            return
        user = self.places.user
        if self.folder.exists():
            shutil.rmtree(self.folder)
        make_folder(self.folder, 0o700, user)
        entry = pwd.getpwnam(user) if user else None
        # Not in the system's folder for such files, which may be closed to `user`.
        with tempfile.NamedTemporaryFile("w", dir=self.places.server_dir, delete=False) as secret:
            secret.write(self.password)
        try:
            if user:
                shutil.chown(secret.name, user)
            done = subprocess.run(
                [
                    str(self.places.postgres_bin / "initdb"),
                    f"--pgdata={self.folder}",
                    f"--username={SUPERUSER}",
                    f"--pwfile={secret.name}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                    "--no-instructions",
                ],
                user=entry.pw_uid if entry else None,
                group=entry.pw_gid if entry else None,
                extra_groups=[] if entry else None,
                cwd="/",
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            Path(secret.name).unlink()
        if done.returncode:
            shutil.rmtree(self.folder)
            raise RuntimeError(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server; the caller waits with `is_ready`."""
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        server = str(self.places.postgres_bin / "postgres")
        return processes.start(
            [server, "-D", str(self.folder), "-p", str(self.port), *options],
            log=self.places.logs / "postgres.log",
            user=self.places.user,
            death_signal=signal.SIGINT,
        )

    def is_ready(self) -> bool:
        try:
            with psycopg.connect(self.url(), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False
