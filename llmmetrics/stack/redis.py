"""The embedded Redis: loopback only, with a password, nothing written to disk (it only carries nudges)."""

from __future__ import annotations

import shutil
import signal
import subprocess
from dataclasses import dataclass

import redis

from llmmetrics.stack import processes
from llmmetrics.stack.places import Places


@dataclass(frozen=True)
class Broker:
    """A Redis server's port and password."""

    places: Places
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server; its settings stand in a private file: no list of processes shows the password."""
        settings = self.places.server_dir / "redis.conf"
        settings.unlink(missing_ok=True)
        settings.touch(mode=0o600)
        settings.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\n"
            'save ""\nappendonly no\nmaxmemory 256mb\nmaxmemory-policy volatile-lru\n'
        )
        if self.places.user:
            shutil.chown(settings, self.places.user)
        return processes.start(
            [str(self.places.redis_server), str(settings)],
            log=self.places.logs / "redis.log",
            user=self.places.user,
            death_signal=signal.SIGTERM,
            cwd=self.places.server_dir,
        )

    def is_ready(self) -> bool:
        try:
            return bool(redis.Redis.from_url(self.url, socket_connect_timeout=1).ping())
        except redis.RedisError:
            return False
